// SPDX-License-Identifier: Apache-2.0
// Types as text: Flink SQL's type names, read and written.
//
// Used where a schema is declared ([sources.x.schema]) and wherever a type is shown. Thread: any.
#ifndef LEAT_TYPETEXT_H
#define LEAT_TYPETEXT_H

#include <stddef.h>

#include <leat/types.h>

// Where the parser gets memory for children and names: must return 16-byte aligned memory or NULL; nothing is freed.
typedef void *(*typetext_alloc_fn)(void *arg, size_t size);

#define TYPETEXT_ERROR_MAX 160

struct typetext_error {
    uint32_t offset; // byte in the text
    char message[TYPETEXT_ERROR_MAX];
};

// Reads one type ("DECIMAL(10,2) NOT NULL", "ARRAY<ROW<`a` INT, b STRING>>"). The whole text must be used up.
// 1 = read; 0 = *error says where and why.
int typetext_parse(const char *text, size_t len, typetext_alloc_fn alloc, void *arg, struct leat_type *type,
                   struct typetext_error *error);

// Writes the type as TYPEOF does ("DECIMAL(10, 2) NOT NULL"), cut at `size`, always terminated. Returns the full
// length.
size_t typetext_print(const struct leat_type *type, char *out, size_t size);

// Do two types hold the same values in the same form? `nullable` and names of ROW fields do not count.
int typetext_same(const struct leat_type *a, const struct leat_type *b);

#endif
