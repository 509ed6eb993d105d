// SPDX-License-Identifier: Apache-2.0
// The parts of answers_formats: SQL text of the recorded cases to schemas and rows, and rows back to recorded text.
//
// A pool holds all memory of one case. Running out of memory aborts: this is a test program.
#ifndef ANSWERS_FORMATS_H
#define ANSWERS_FORMATS_H

#include <stddef.h>

#include <jansson.h>

#include <leat/host.h>

struct pool {
    struct pool_block *blocks;
};

void *pool_alloc(struct pool *p, size_t size); // zeroed, aligned to 16
char *pool_copy(struct pool *p, const void *bytes, size_t len);
void pool_free(struct pool *p);

// --- formats_schema.c
// The column list of a CREATE TABLE. NULL = leat refuses it; *why says so.
const struct leat_schema *schema_parse(struct pool *p, const char *text, const char **why);

// --- formats_literal.c
// A SQL literal as a value of `type`, converted as CAST does. 1 = done; 0 = this program does not know the literal.
int literal_value(struct pool *p, const char *text, const struct leat_type *type, struct leat_datum *out);

// --- formats_value.c
// A value as the recorded answers write it; a new reference.
json_t *value_text(const struct leat_type *type, const union leat_cell *cell, uint8_t state);
// Is the text the one expected? FLOAT and DOUBLE compare as numbers.
int value_equal(const struct leat_type *type, const json_t *expected, const json_t *got);

#endif
