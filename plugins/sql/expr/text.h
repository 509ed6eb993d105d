// SPDX-License-Identifier: Apache-2.0
// Values as text, and a buffer in the evaluator's arena to put texts together in.
//
// A `struct sql_text` grows in the evaluator's arena; sql_text_done copies what was written to where results live.
// Failures are recorded and kept in `failed`, so that writers need not look after every step.
#ifndef SQL_TEXT_H
#define SQL_TEXT_H

#include "expr/expr.h"

struct calendar_zone;

struct sql_text {
    struct sql_evaluator *ev;
    uint8_t *ptr;
    size_t len, cap;
    uint8_t failed;
};

void sql_text_init(struct sql_text *t, struct sql_evaluator *ev);
void sql_text_put(struct sql_text *t, const void *bytes, size_t len);
// Room for `size` bytes at the end, to be taken by t->len += n. NULL = failed.
uint8_t *sql_text_room(struct sql_text *t, size_t size);
// 0, or -1 = failed.
int sql_text_done(struct sql_text *t, struct leat_bytes *out);

// Appends one value as CAST AS STRING prints it; of type FLOAT 1.0E7, of type ARRAY [1, NULL].
// zone: for TIMESTAMP_LTZ, NULL = UTC.
void sql_text_cell(struct sql_text *t, const struct leat_type *type, const union leat_cell *cell,
                   const struct calendar_zone *zone);

// Does a value of this type print by the time zone?
int sql_type_has_zone(const struct leat_type *t);
// e->data becomes the session's time zone. 0, or -1 = fault recorded.
int sql_bind_zone(struct sql_bind *b, struct sql_expr *e);

// Longest text a function makes out of shorter ones.
#define SQL_TEXT_LONGEST (64u << 20)
// Fails when a result would be longer. 0 or -1.
int sql_text_limit(struct sql_evaluator *ev, const struct sql_expr *e, uint64_t len);

// A copy of the bytes where results live. 0 or -1.
int sql_bytes_copy(struct sql_evaluator *ev, const void *bytes, size_t len, union leat_cell *out);

#endif
