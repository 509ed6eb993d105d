// SPDX-License-Identifier: Apache-2.0
// The border to toml++, which is C++: one function that parses a text and tells what it found, piece by piece.
//
// No exception and no C++ type crosses. Tables and arrays are a beginning and an end with their contents in between.
// Lines and columns are toml++'s: from 1, and columns count characters. Thread: any.
#ifndef CONFIG_TOML_SHIM_H
#define CONFIG_TOML_SHIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum shim_kind { SHIM_TABLE, SHIM_ARRAY, SHIM_END, SHIM_STRING, SHIM_INT, SHIM_FLOAT, SHIM_BOOL, SHIM_OTHER };

struct shim_item {
    enum shim_kind kind;
    const char *key; // of a table's member; NULL in an array. Not terminated
    size_t key_len;
    uint32_t key_line, key_column, key_end_column;
    uint32_t line, column, end_line, end_column; // of the value, as written; the end is behind it
    const char *text;                            // SHIM_STRING: the value. Not terminated
    size_t len;
};

struct shim_error {
    uint32_t line, column;
    char text[512];
};

#define SHIM_DEPTH_MAX 64

// 0, or -1 with *err filled. `on_item` may stop the walk by returning nonzero, which is returned then.
int shim_parse(const char *text, size_t len, int (*on_item)(void *arg, const struct shim_item *item), void *arg,
               struct shim_error *err);

#ifdef __cplusplus
}
#endif
#endif
