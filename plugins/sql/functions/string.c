// SPDX-License-Identifier: Apache-2.0
// Strings made anew: case, blanks, padding, joining.
//
// Lengths and positions count characters (Flink's LPAD and RPAD count UTF-16 units and cut an emoji in half).
#include "expr/expr.h"

#include <string.h>

#include "expr/text.h"
#include "expr/types.h"
#include "utf8.h"

// --- deriving ---

// The type of the argument, as Calcite has it for UPPER('ab'): CHAR(2) NOT NULL.
static int derive_same(struct sql_bind *b, struct sql_expr *e)
{
    if (sql_want_strings(b, e, 0, e->arg_count))
        return -1;
    e->type = e->args[0]->type;
    return 0;
}

static int derive_length(struct sql_bind *b, struct sql_expr *e)
{
    return sql_want_strings(b, e, 0, e->arg_count) ? -1 : sql_derive_int(b, e);
}

static int derive_string(struct sql_bind *b, struct sql_expr *e)
{
    return sql_want_strings(b, e, 0, e->arg_count) ? -1 : sql_derive_string(b, e);
}

static int derive_string_null(struct sql_bind *b, struct sql_expr *e)
{
    return sql_want_strings(b, e, 0, e->arg_count) ? -1 : sql_derive_string_null(b, e);
}

static int derive_repeat(struct sql_bind *b, struct sql_expr *e)
{
    return sql_want_string(b, e, 0) || sql_want_integer(b, e, 1) ? -1 : sql_derive_string(b, e);
}

static int derive_pad(struct sql_bind *b, struct sql_expr *e)
{
    if (sql_want_string(b, e, 0) || sql_want_integer(b, e, 1) || sql_want_string(b, e, 2))
        return -1;
    return sql_derive_string(b, e);
}

static int derive_chr(struct sql_bind *b, struct sql_expr *e)
{
    return sql_want_integer(b, e, 0) ? -1 : sql_derive_string_null(b, e);
}

// VARCHAR of the length of argument `of`.
static int derive_varying(struct sql_bind *b, struct sql_expr *e, uint32_t of)
{
    e->type = sql_bind_sized(b, LEAT_TYPE_VARCHAR, e->args[of]->type->length, sql_args_nullable(e));
    return e->type ? 0 : -1;
}

static int derive_trim(struct sql_bind *b, struct sql_expr *e)
{
    return sql_want_strings(b, e, 1, e->arg_count) ? -1 : derive_varying(b, e, 2);
}

static int derive_trim_side(struct sql_bind *b, struct sql_expr *e)
{
    return sql_want_strings(b, e, 0, e->arg_count) ? -1 : derive_varying(b, e, 0);
}

// --- case ---

static int change_case(struct sql_evaluator *ev, struct leat_bytes s, union leat_cell *out,
                       size_t (*change)(void *to, const void *from, size_t len))
{
    uint8_t *p = sql_eval_alloc(ev, (size_t)s.len * UTF8_CASE_GROWTH);
    if (!p)
        return -1;
    out->bytes = (struct leat_bytes){p, (uint32_t)change(p, s.ptr, s.len)};
    return 0;
}

static int row_upper(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    return change_case(ev, args[0]->bytes, out, utf8_upper);
}

static int row_lower(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    return change_case(ev, args[0]->bytes, out, utf8_lower);
}

static int is_ascii_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

// As in Flink a word ends behind everything that is no ASCII letter or digit: 'école' is 'ÉCole'.
static size_t initcap(void *to, const void *from, size_t len)
{
    const uint8_t *at = from, *end = at + len;
    uint8_t *out = to;
    int start = 1;
    while (at < end) {
        unsigned used;
        uint8_t changed[UTF8_CASE_GROWTH * UTF8_CHAR_MAX];
        utf8_decode(at, (size_t)(end - at), &used);
        size_t n = start ? utf8_upper(changed, at, used) : utf8_lower(changed, at, used);
        int one = utf8_count(changed, n) == 1; // "ß" stays: it has no capital of one letter
        memcpy(out, one ? changed : at, one ? n : used);
        out += one ? n : used;
        start = !is_ascii_word(*at);
        at += used;
    }
    return (size_t)(out - (uint8_t *)to);
}

static int row_initcap(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                       union leat_cell *out, uint8_t *state)
{
    return change_case(ev, args[0]->bytes, out, initcap);
}

// --- lengths and codes ---

static int row_char_length(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                           union leat_cell *out, uint8_t *state)
{
    out->i64 = (int64_t)utf8_count(args[0]->bytes.ptr, args[0]->bytes.len);
    return 0;
}

// The first byte, signed as Java's bytes are.
static int row_ascii(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    out->i64 = args[0]->bytes.len ? (int8_t)args[0]->bytes.ptr[0] : 0;
    return 0;
}

static int row_chr(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                   union leat_cell *out, uint8_t *state)
{
    uint8_t text[UTF8_CHAR_MAX];
    size_t n = args[0]->i64 < 0 ? 0 : utf8_encode(text, (uint32_t)(args[0]->i64 & 0xFF));
    return sql_bytes_copy(ev, text, n, out);
}

// --- repeating, padding, turning round ---

static int row_repeat(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes;
    uint64_t times = args[1]->i64 < 0 ? 0 : (uint64_t)args[1]->i64, len = 0;
    if (__builtin_mul_overflow(times, (uint64_t)s.len, &len) || sql_text_limit(ev, e, len))
        return sql_text_limit(ev, e, UINT64_MAX);
    uint8_t *p = sql_eval_alloc(ev, len);
    if (!p)
        return -1;
    for (uint64_t at = 0; at < len; at += s.len)
        memcpy(p + at, s.ptr, s.len);
    out->bytes = (struct leat_bytes){p, (uint32_t)len};
    return 0;
}

static int row_reverse(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                       union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes;
    uint8_t *p = sql_eval_alloc(ev, s.len);
    if (!p)
        return -1;
    for (uint32_t at = 0; at < s.len;) {
        unsigned used;
        utf8_decode(s.ptr + at, s.len - at, &used);
        at += used;
        memcpy(p + s.len - at, s.ptr + at - used, used);
    }
    out->bytes = (struct leat_bytes){p, s.len};
    return 0;
}

// `count` characters of `pad`, over and over.
static void put_padding(struct sql_text *t, struct leat_bytes pad, uint64_t count)
{
    uint64_t whole = utf8_count(pad.ptr, pad.len);
    for (; count >= whole && !t->failed; count -= whole)
        sql_text_put(t, pad.ptr, pad.len);
    sql_text_put(t, pad.ptr, utf8_offset(pad.ptr, pad.len, count));
}

static int pad(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
               union leat_cell *out, uint8_t *state, int left)
{
    struct leat_bytes s = args[0]->bytes, with = args[2]->bytes;
    int64_t want = args[1]->i64;
    uint64_t count = utf8_count(s.ptr, s.len);
    struct sql_text t;
    if (want < 0 || !with.len) {
        *state = LEAT_NULL;
        return 0;
    }
    if ((uint64_t)want <= count) {
        out->bytes = (struct leat_bytes){s.ptr, (uint32_t)utf8_offset(s.ptr, s.len, (size_t)want)};
        return 0;
    }
    if (sql_text_limit(ev, e, (uint64_t)want))
        return -1;
    sql_text_init(&t, ev);
    if (!left)
        sql_text_put(&t, s.ptr, s.len);
    put_padding(&t, with, (uint64_t)want - count);
    if (left)
        sql_text_put(&t, s.ptr, s.len);
    return sql_text_done(&t, &out->bytes);
}

static int row_lpad(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                    union leat_cell *out, uint8_t *state)
{
    return pad(ev, e, args, out, state, 1);
}

static int row_rpad(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                    union leat_cell *out, uint8_t *state)
{
    return pad(ev, e, args, out, state, 0);
}

// --- trimming: any of the characters of a set ---

static int in_set(struct leat_bytes set, const uint8_t *character, unsigned used)
{
    if (set.len == 1)
        return used == 1 && *set.ptr == *character;
    return set.len && memmem(set.ptr, set.len, character, used) != NULL;
}

static struct leat_bytes trim(struct leat_bytes s, struct leat_bytes set, int left, int right)
{
    unsigned used;
    while (left && s.len) {
        utf8_decode(s.ptr, s.len, &used);
        if (!in_set(set, s.ptr, used))
            break;
        s.ptr += used;
        s.len -= used;
    }
    while (right && s.len) {
        used = 1;
        while (used < s.len && used < UTF8_CHAR_MAX && (s.ptr[s.len - used] & 0xC0) == 0x80)
            used++;
        if (!in_set(set, s.ptr + s.len - used, used))
            break;
        s.len -= used;
    }
    return s;
}

static int row_trim(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                    union leat_cell *out, uint8_t *state)
{
    uint16_t side = e->args[0]->symbol;
    out->bytes = trim(args[2]->bytes, args[1]->bytes, side != SQL_SYM_TRAILING, side != SQL_SYM_LEADING);
    return 0;
}

static struct leat_bytes set_of(const struct sql_expr *e, const union leat_cell *const *args)
{
    return e->arg_count > 1 ? args[1]->bytes : (struct leat_bytes){(const uint8_t *)" ", 1};
}

static int row_ltrim(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    out->bytes = trim(args[0]->bytes, set_of(e, args), 1, 0);
    return 0;
}

static int row_rtrim(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    out->bytes = trim(args[0]->bytes, set_of(e, args), 0, 1);
    return 0;
}

// --- joining ---

static int row_concat(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    uint64_t len = 0;
    for (uint32_t i = 0; i < e->arg_count; i++)
        len += args[i]->bytes.len;
    if (sql_text_limit(ev, e, len))
        return -1;
    uint8_t *p = sql_eval_alloc(ev, len);
    if (!p)
        return -1;
    out->bytes = (struct leat_bytes){p, (uint32_t)len};
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (args[i]->bytes.len)
            memcpy(p, args[i]->bytes.ptr, args[i]->bytes.len);
        p += args[i]->bytes.len;
    }
    return 0;
}

// CONCAT_WS(separator, …): NULLs are left out.
static int row_concat_ws(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                         union leat_cell *out, uint8_t *state)
{
    struct sql_text t;
    int some = 0;
    if (!args[0]) {
        *state = LEAT_NULL;
        return 0;
    }
    sql_text_init(&t, ev);
    for (uint32_t i = 1; i < e->arg_count; i++) {
        if (!args[i])
            continue;
        if (some)
            sql_text_put(&t, args[0]->bytes.ptr, args[0]->bytes.len);
        sql_text_put(&t, args[i]->bytes.ptr, args[i]->bytes.len);
        some = 1;
        if (sql_text_limit(ev, e, t.len))
            return -1;
    }
    return sql_text_done(&t, &out->bytes);
}

// CHAR(a) || CHAR(b) is CHAR(a + b), others VARCHAR; the same for bytes.
static int derive_join(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *x = e->args[0]->type, *y = e->args[1]->type;
    int binary = x && y && sql_type_is_binary(x->kind) && sql_type_is_binary(y->kind);
    if (!x || !y || (!binary && (!leat_type_is_string(x->kind) || !leat_type_is_string(y->kind))))
        return sql_bind_mismatch(b, e);
    uint8_t fixed = binary ? LEAT_TYPE_BINARY : LEAT_TYPE_CHAR;
    uint8_t varying = binary ? LEAT_TYPE_VARBINARY : LEAT_TYPE_VARCHAR;
    e->type = sql_bind_sized(b, x->kind == fixed && y->kind == fixed ? fixed : varying, sql_length_both(e),
                             sql_args_nullable(e));
    return e->type ? 0 : -1;
}

static const struct sql_func rows[] = {
    SQL_FUNC_ROW("UPPER", 1, 1, derive_same, row_upper, "UPPER(<string>)"),
    SQL_FUNC_ROW("LOWER", 1, 1, derive_same, row_lower, "LOWER(<string>)"),
    SQL_FUNC_ROW("INITCAP", 1, 1, derive_same, row_initcap, "INITCAP(<string>)"),
    SQL_FUNC_ROW("CHAR_LENGTH", 1, 1, derive_length, row_char_length, "CHAR_LENGTH(<string>)"),
    SQL_FUNC_ROW("CHARACTER_LENGTH", 1, 1, derive_length, row_char_length, "CHARACTER_LENGTH(<string>)"),
    SQL_FUNC_ROW("ASCII", 1, 1, derive_length, row_ascii, "ASCII(<string>)"),
    SQL_FUNC_ROW("CHR", 1, 1, derive_chr, row_chr, "CHR(<integer>)"),
    SQL_FUNC_ROW("REPEAT", 2, 2, derive_repeat, row_repeat, "REPEAT(<string>, <integer>)"),
    SQL_FUNC_ROW("REVERSE", 1, 1, derive_string_null, row_reverse, "REVERSE(<string>)"),
    SQL_FUNC_ROW("LPAD", 3, 3, derive_pad, row_lpad, "LPAD(<string>, <integer>, <string>)"),
    SQL_FUNC_ROW("RPAD", 3, 3, derive_pad, row_rpad, "RPAD(<string>, <integer>, <string>)"),
    SQL_FUNC_ROW("TRIM", 3, 3, derive_trim, row_trim, "TRIM([BOTH | LEADING | TRAILING] [<string> FROM] <string>)"),
    SQL_FUNC_ROW("LTRIM", 1, 2, derive_trim_side, row_ltrim, "LTRIM(<string>[, <string>])"),
    SQL_FUNC_ROW("RTRIM", 1, 2, derive_trim_side, row_rtrim, "RTRIM(<string>[, <string>])"),
    SQL_FUNC_ROW("CONCAT", 1, 255, derive_string, row_concat, "CONCAT(<string>, …)"),
    {.name = "CONCAT_WS",
     .min_args = 1,
     .max_args = 255,
     .flags = SQL_FUNC_NULLS,
     .derive = derive_string,
     .row = row_concat_ws,
     .form = "CONCAT_WS(<separator>, <string>, …)"},
    {.name = "||",
     .min_args = 2,
     .max_args = 2,
     .flags = SQL_FUNC_OPERATOR,
     .derive = derive_join,
     .row = row_concat,
     .form = "<string> || <string>; other values take CAST(value AS STRING), conditions OR"},
};
const struct sql_func_table sql_string_funcs = SQL_FUNC_TABLE(rows);
