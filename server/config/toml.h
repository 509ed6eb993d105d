// SPDX-License-Identifier: Apache-2.0
// A TOML file as a C tree: members in the order of the file, each key and value with its place (columns in bytes).
//
// toml++ stops at the first syntax error. Where it is plain what was meant, or that only this line is lost, the line is
// mended (toml_mend.c) and the rest read as well. A string that is not closed is closed where the next section begins; what
// stands behind the second header of a section is read by itself and put to the first, or beside it when both give the same
// option. Elsewhere the error is the last diagnostic. Bounded: a file of 1 MiB, nesting of 32.
// Thread: any. The tree lives in the arena.
#ifndef CONFIG_TOML_H
#define CONFIG_TOML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"

struct base_arena;
struct base_str;

enum toml_kind { TOML_TABLE, TOML_ARRAY, TOML_TEXT, TOML_INT, TOML_FLOAT, TOML_BOOL, TOML_DATE };

struct toml_node {
    enum toml_kind kind;
    const char *key; // terminated; NULL in an array and for the root. May hold NUL bytes: compare key_len
    uint32_t key_len;
    struct base_place key_place, place;
    const char *text; // terminated. TOML_TEXT: the value; numbers, truth values and dates: as written
    uint32_t len;
    struct toml_node *first, *next; // children of tables and arrays
};

#define TOML_DEPTH_MAX 32

// The root table, or NULL with a diagnostic.
struct toml_node *toml_parse(struct base_arena *arena, const struct base_source *source, struct base_diags *diags);

// The member of a table, NULL if there is none.
const struct toml_node *toml_member(const struct toml_node *table, const char *key);

// Offset of the first place that is nested deeper than TOML_DEPTH_MAX, or whose dotted key has more parts; len if none.
// toml++ recurses over both.
size_t toml_guard(const char *text, size_t len);

// A sentence of advice on what toml++ said of a line; NULL = none.
const char *toml_hint(const struct base_source *source, uint32_t line, const char *what);

enum toml_mended {
    TOML_STOP, // what was meant is not plain: nothing behind the line can be read
    TOML_SURE, // the line means what was written
    TOML_LOST  // its value is made up, so that nothing that is said of it counts
};
// Writes what stands for the line that begins at `at`, in which toml++ found `what` at byte `column` (from 1), so that the
// lines behind it can be read.
enum toml_mended toml_mend(const char *text, size_t len, size_t at, size_t column, const char *what,
                           struct base_str *line);
// Offset of the first string of several lines that is not closed, or closed by the quotes of another one: a section begins
// in it. `close` is where its text ends then. `len` if there is none.
size_t toml_open_string(const char *text, size_t len, size_t *close);
// Does `at`, the beginning of a line, lie in a string, a list or an inline table?
bool toml_is_within(const char *text, size_t len, size_t at);

#endif
