// SPDX-License-Identifier: Apache-2.0
// JSON documents as trees in the evaluator's arena, for the JSON functions.
//
// Strict RFC 8259, one value per text. Of two members of one name the last one counts. Integers keep their digits,
// other numbers are DOUBLEs and are written as Java does (1.50 is 1.5, 1e2 is 100.0), as in Flink.
#ifndef SQL_JSON_DOC_H
#define SQL_JSON_DOC_H

#include "expr/expr.h"
#include "expr/text.h"

#define JSON_DEPTH_MAX 200

enum { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_INTEGER, JSON_FLOAT, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_node {
    uint8_t kind;
    uint32_t count;         // of children
    struct leat_bytes text; // STRING without escapes, INTEGER its digits
    double number;          // FLOAT
    struct leat_bytes name; // as a member of an object
    struct json_node *first, *last, *next;
};

// The tree, or NULL: *failed tells lack of memory (1, recorded) from text that is no JSON (0).
struct json_node *json_parse(struct sql_evaluator *ev, struct leat_bytes text, int *failed);

// A child of that name, or NULL.
struct json_node *json_member(const struct json_node *object, struct leat_bytes name);

// A node of its own; NULL = failure recorded.
struct json_node *json_new(struct sql_evaluator *ev, uint8_t kind);
void json_append(struct json_node *parent, struct json_node *child);

static inline int json_is_scalar(const struct json_node *n)
{
    return n->kind < JSON_ARRAY;
}

// A scalar as bare text: a string without quotes, 1.5, true.
void json_put_scalar(struct sql_text *t, const struct json_node *n);
// JSON text; members by the order of their names.
void json_write(struct sql_text *t, const struct json_node *n);
void json_write_string(struct sql_text *t, struct leat_bytes s);

#endif
