// SPDX-License-Identifier: Apache-2.0
// Parts of strings: where they stand, taking them out, putting others in. Positions count characters from 1.
#include "expr/expr.h"

#include <string.h>

#include "expr/text.h"
#include "expr/types.h"
#include "utf8.h"

// --- finding ---

// The position of the first `part` at or behind character `from` (from 0), from 1; 0 = there is none. An empty part
// stands at 1.
static int64_t position(struct leat_bytes part, struct leat_bytes s, int64_t from)
{
    if (!part.len)
        return 1;
    size_t start = from <= 0 ? 0 : utf8_offset(s.ptr, s.len, (size_t)from);
    const uint8_t *at = s.len > start ? memmem(s.ptr + start, s.len - start, part.ptr, part.len) : NULL;
    return at ? (int64_t)utf8_count(s.ptr, (size_t)(at - s.ptr)) + 1 : 0;
}

// POSITION(part IN s [FROM n]), LOCATE(part, s[, n])
static int row_position(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    int64_t from = e->arg_count > 2 ? args[2]->i64 : 1;
    out->i64 = position(args[0]->bytes, args[1]->bytes, from > 0 ? from - 1 : 0);
    return 0;
}

static int64_t instr_forward(struct leat_bytes s, struct leat_bytes part, int64_t from, int64_t nth)
{
    int64_t at = 0;
    for (int64_t i = 0; i < nth; i++, from = at + 1)
        if (!(at = position(part, s, from - 1)))
            return 0;
    return at;
}

// The nth part that ends at or before the last character but `back` - 1.
static int64_t instr_backward(struct leat_bytes s, struct leat_bytes part, int64_t back, int64_t nth)
{
    int64_t total = (int64_t)utf8_count(s.ptr, s.len), length = (int64_t)utf8_count(part.ptr, part.len);
    if (!part.len)
        return total + 1;
    for (int64_t at = back > total ? 0 : total - back + 2 - length; at >= 1; at--) {
        size_t offset = utf8_offset(s.ptr, s.len, (size_t)at - 1);
        if (s.len - offset >= part.len && !memcmp(s.ptr + offset, part.ptr, part.len) && --nth == 0)
            return at;
    }
    return 0;
}

static int row_instr(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    int64_t from = e->arg_count > 2 ? args[2]->i64 : 1, nth = e->arg_count > 3 ? args[3]->i64 : 1;
    if (nth <= 0)
        return sql_fail(ev, e, "INSTR counts appearances from 1");
    if (from == 0 || from == INT64_MIN)
        out->i64 = 0;
    else if (from > 0)
        out->i64 = args[1]->bytes.len ? instr_forward(args[0]->bytes, args[1]->bytes, from, nth) : 1;
    else
        out->i64 = instr_backward(args[0]->bytes, args[1]->bytes, -from, nth);
    return 0;
}

// --- taking out ---

static struct leat_bytes slice(struct leat_bytes s, size_t from, size_t count)
{
    size_t start = utf8_offset(s.ptr, s.len, from);
    size_t len = utf8_offset(s.ptr + start, s.len - start, count);
    return (struct leat_bytes){s.ptr + start, (uint32_t)len};
}

// From a negative position on, counted from the end; 0 counts as 1.
static int row_substring(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                         union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes;
    int64_t from = args[1]->i64, count = e->arg_count > 2 ? args[2]->i64 : INT32_MAX;
    if (count < 0 || count > INT32_MAX || from > INT32_MAX || from < INT32_MIN) {
        *state = LEAT_NULL;
        return 0;
    }
    if (from < 0)
        from += (int64_t)utf8_count(s.ptr, s.len);
    else if (from > 0)
        from--;
    out->bytes = from < 0 ? (struct leat_bytes){s.ptr, 0} : slice(s, (size_t)from, (size_t)count);
    return 0;
}

static int row_left(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                    union leat_cell *out, uint8_t *state)
{
    out->bytes = slice(args[0]->bytes, 0, args[1]->i64 > 0 ? (size_t)args[1]->i64 : 0);
    return 0;
}

static int row_right(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes;
    int64_t total = (int64_t)utf8_count(s.ptr, s.len), count = args[1]->i64 < 0 ? 0 : args[1]->i64;
    out->bytes = slice(s, (size_t)(count >= total ? 0 : total - count), (size_t)count);
    return 0;
}

static int is_blank(uint8_t c)
{
    return c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31);
}

// The next separator at or behind `at`: whole, or any blank when it is empty. Its length in *len.
static const uint8_t *next_separator(struct leat_bytes s, size_t at, struct leat_bytes separator, size_t *len)
{
    *len = separator.len ? separator.len : 1;
    if (separator.len)
        return at < s.len ? memmem(s.ptr + at, s.len - at, separator.ptr, separator.len) : NULL;
    for (; at < s.len; at++)
        if (is_blank(s.ptr[at]))
            return s.ptr + at;
    return NULL;
}

static int split_index(struct leat_bytes s, struct leat_bytes separator, int64_t index, union leat_cell *out,
                       uint8_t *state)
{
    size_t at = 0, len;
    *state = index < 0 || !s.len ? LEAT_NULL : LEAT_VALUE;
    while (*state == LEAT_VALUE) {
        const uint8_t *end = next_separator(s, at, separator, &len);
        if (!index--) {
            out->bytes = (struct leat_bytes){s.ptr + at, (uint32_t)((end ? (size_t)(end - s.ptr) : s.len) - at)};
            return 0;
        }
        if (!end)
            *state = LEAT_NULL;
        else
            at = (size_t)(end - s.ptr) + len;
    }
    return 0;
}

static int row_split_index(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                           union leat_cell *out, uint8_t *state)
{
    return split_index(args[0]->bytes, args[1]->bytes, args[2]->i64, out, state);
}

// The separator by its code, 1 to 255.
static int row_split_code(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                          union leat_cell *out, uint8_t *state)
{
    uint8_t text[UTF8_CHAR_MAX];
    int64_t code = args[1]->i64;
    if (code < 1 || code > 255) {
        *state = LEAT_NULL;
        return 0;
    }
    struct leat_bytes separator = {text, utf8_encode(text, (uint32_t)code)};
    return split_index(args[0]->bytes, separator, args[2]->i64, out, state);
}

// --- putting in ---

// An empty text to replace stands before, between and behind all characters.
static int replace_between(struct sql_evaluator *ev, const struct sql_expr *e, struct leat_bytes s,
                           struct leat_bytes by, union leat_cell *out)
{
    struct sql_text t;
    sql_text_init(&t, ev);
    if (sql_text_limit(ev, e, s.len + (utf8_count(s.ptr, s.len) + 1) * by.len))
        return -1;
    sql_text_put(&t, by.ptr, by.len);
    for (uint32_t at = 0; at < s.len;) {
        unsigned used;
        utf8_decode(s.ptr + at, s.len - at, &used);
        sql_text_put(&t, s.ptr + at, used);
        sql_text_put(&t, by.ptr, by.len);
        at += used;
    }
    return sql_text_done(&t, &out->bytes);
}

static int row_replace(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                       union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes, part = args[1]->bytes, by = args[2]->bytes;
    struct sql_text t;
    size_t at = 0;
    if (!part.len)
        return replace_between(ev, e, s, by, out);
    sql_text_init(&t, ev);
    for (const uint8_t *hit; at < s.len && (hit = memmem(s.ptr + at, s.len - at, part.ptr, part.len));) {
        sql_text_put(&t, s.ptr + at, (size_t)(hit - s.ptr) - at);
        sql_text_put(&t, by.ptr, by.len);
        at = (size_t)(hit - s.ptr) + part.len;
        if (sql_text_limit(ev, e, t.len))
            return -1;
    }
    if (!at) {
        out->bytes = s;
        return 0;
    }
    sql_text_put(&t, s.ptr + at, s.len - at);
    return sql_text_done(&t, &out->bytes);
}

// OVERLAY(s PLACING by FROM start [FOR count])
static int row_overlay(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                       union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes, by = args[1]->bytes;
    int64_t start = args[2]->i64, total = (int64_t)utf8_count(s.ptr, s.len);
    int64_t count = e->arg_count > 3 ? args[3]->i64 : (int64_t)utf8_count(by.ptr, by.len);
    struct sql_text t;
    if (start <= 0 || start > total) {
        out->bytes = s;
        return 0;
    }
    size_t head = utf8_offset(s.ptr, s.len, (size_t)start - 1);
    size_t gone = count <= 0 ? 0 : utf8_offset(s.ptr + head, s.len - head, (size_t)count);
    sql_text_init(&t, ev);
    sql_text_put(&t, s.ptr, head);
    sql_text_put(&t, by.ptr, by.len);
    sql_text_put(&t, s.ptr + head + gone, s.len - head - gone);
    return sql_text_done(&t, &out->bytes);
}

// --- deriving: strings first, then integers ---

static int want(struct sql_bind *b, struct sql_expr *e, uint32_t strings)
{
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (i < strings ? sql_want_string(b, e, i) : sql_want_integer(b, e, i))
            return -1;
    return 0;
}

static int derive_position(struct sql_bind *b, struct sql_expr *e)
{
    return want(b, e, 2) ? -1 : sql_derive_int(b, e);
}

// VARCHAR of the first argument's length, always nullable.
static int derive_part(struct sql_bind *b, struct sql_expr *e)
{
    if (want(b, e, 1))
        return -1;
    e->type = sql_bind_sized(b, LEAT_TYPE_VARCHAR, e->args[0]->type->length, 1);
    return e->type ? 0 : -1;
}

static int derive_split_index(struct sql_bind *b, struct sql_expr *e)
{
    int by_code = e->args[1]->type && leat_type_is_integer(e->args[1]->type->kind);
    if (want(b, e, by_code ? 1 : 2))
        return -1;
    e->row = by_code ? row_split_code : row_split_index;
    return sql_derive_string_null(b, e);
}

static int derive_replace(struct sql_bind *b, struct sql_expr *e)
{
    return want(b, e, 3) ? -1 : sql_derive_string(b, e);
}

static int derive_overlay(struct sql_bind *b, struct sql_expr *e)
{
    if (want(b, e, 2))
        return -1;
    e->type = sql_bind_sized(b, LEAT_TYPE_VARCHAR, sql_length_both(e), sql_args_nullable(e));
    return e->type ? 0 : -1;
}

static const struct sql_func rows[] = {
    SQL_FUNC_ROW("POSITION", 2, 3, derive_position, row_position, "POSITION(<string> IN <string> [FROM <integer>])"),
    SQL_FUNC_ROW("LOCATE", 2, 3, derive_position, row_position, "LOCATE(<string>, <string>[, <integer>])"),
    SQL_FUNC_ROW("INSTR", 2, 4, derive_position, row_instr, "INSTR(<string>, <string>[, <integer>[, <integer>]])"),
    SQL_FUNC_ROW("SUBSTRING", 2, 3, derive_part, row_substring, "SUBSTRING(<string> FROM <integer> [FOR <integer>])"),
    SQL_FUNC_ROW("SUBSTR", 2, 3, derive_part, row_substring, "SUBSTR(<string>, <integer>[, <integer>])"),
    SQL_FUNC_ROW("LEFT", 2, 2, derive_part, row_left, "LEFT(<string>, <integer>)"),
    SQL_FUNC_ROW("RIGHT", 2, 2, derive_part, row_right, "RIGHT(<string>, <integer>)"),
    SQL_FUNC_ROW("SPLIT_INDEX", 3, 3, derive_split_index, NULL,
                 "SPLIT_INDEX(<string>, <string or integer>, <integer>)"),
    SQL_FUNC_ROW("REPLACE", 3, 3, derive_replace, row_replace, "REPLACE(<string>, <string>, <string>)"),
    SQL_FUNC_ROW("OVERLAY", 3, 4, derive_overlay, row_overlay,
                 "OVERLAY(<string> PLACING <string> FROM <integer> [FOR <integer>])"),
};
const struct sql_func_table sql_string_find_funcs = SQL_FUNC_TABLE(rows);
