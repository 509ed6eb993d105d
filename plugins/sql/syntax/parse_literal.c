// SPDX-License-Identifier: Apache-2.0
// Literals: numbers, strings with their escapes and continuation lines, binary strings, times, intervals.
#include "syntax/parser_int.h"
#include "syntax/symbol.h"

#include <string.h>

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint32_t put_utf8(uint8_t *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (uint8_t)c;
        return 1;
    }
    uint32_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (uint32_t i = n - 1; i > 0; i--, c >>= 6)
        to[i] = (uint8_t)(0x80 | (c & 0x3F));
    to[0] = (uint8_t)((n == 2 ? 0xC0 : n == 3 ? 0xE0 : 0xF0) | c);
    return n;
}

// Four hex digits behind an escape, or -1.
static int hex4(const uint8_t *s, uint32_t left)
{
    int v = 0;
    for (uint32_t i = 0; i < 4; i++) {
        int h = i < left ? hex_digit(s[i]) : -1;
        if (h < 0)
            return -1;
        v = v * 16 + h;
    }
    return v;
}

// Undoes \XXXX of a U&'…' in place of `text`; pairs of surrogates become one character.
static int unescape(struct sql_parser *p, const struct sql_token *t, uint8_t escape, struct leat_bytes *text)
{
    uint8_t *to = sql_arena_alloc(p->arena, text->len + 4u), *start = to;
    if (!to)
        return sql_diag_memory(p->diag);
    const uint8_t *s = text->ptr, *end = s + text->len;
    while (s < end) {
        if (*s != escape) {
            *to++ = *s++;
            continue;
        }
        if (s + 1 < end && s[1] == escape) {
            *to++ = escape;
            s += 2;
            continue;
        }
        int c = hex4(s + 1, (uint32_t)(end - s - 1));
        if (c < 0)
            return sql_diag_set(p->diag, SQL_DIAG_SYNTAX, t->offset, t->length,
                                "unicode escape at character %d is not exactly four hex digits", (int)(s - text->ptr));
        s += 5;
        if (c >= 0xD800 && c < 0xDC00 && end - s >= 5 && *s == escape) {
            int low = hex4(s + 1, (uint32_t)(end - s - 1));
            if (low >= 0xDC00 && low < 0xE000) {
                c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
                s += 5;
            }
        }
        if (c >= 0xD800 && c < 0xE000)
            return sql_diag_set(p->diag, SQL_DIAG_SYNTAX, t->offset, t->length,
                                "unicode escape \\%04X is half of a surrogate pair", (unsigned)c);
        to += put_utf8(to, (uint32_t)c);
    }
    *text = (struct leat_bytes){start, (uint32_t)(to - start)};
    return 0;
}

static int append(struct sql_parser *p, struct leat_bytes *text, struct leat_bytes more)
{
    uint8_t *both = sql_arena_alloc(p->arena, (size_t)text->len + more.len + 1);
    if (!both)
        return sql_diag_memory(p->diag);
    memcpy(both, text->ptr, text->len);
    memcpy(both + text->len, more.ptr, more.len);
    *text = (struct leat_bytes){both, text->len + more.len};
    return 0;
}

// A string with the parts that go on in later lines; the cursor is on it.
int parse_string_text(struct sql_parser *p, struct leat_bytes *out)
{
    const struct sql_token *t = parse_peek(p), *first = t;
    if (t->kind != SQL_TOKEN_STRING && t->kind != SQL_TOKEN_USTRING && t->kind != SQL_TOKEN_BINARY)
        return parse_fail(p, "a string in '…'");
    *out = t->text;
    parse_next(p);
    for (; parse_peek(p)->kind == SQL_TOKEN_STRING; parse_next(p)) {
        if (!parse_peek(p)->after_line)
            return sql_diag_set(p->diag, SQL_DIAG_SYNTAX, parse_peek(p)->offset, parse_peek(p)->length,
                                "a string is continued on the same line; use || to join strings");
        if (append(p, out, parse_peek(p)->text))
            return -1;
    }
    if (first->kind != SQL_TOKEN_USTRING)
        return 0;
    uint8_t escape = '\\';
    if (parse_accept(p, "UESCAPE")) {
        t = parse_peek(p);
        if (t->kind != SQL_TOKEN_STRING || t->text.len != 1)
            return parse_fail(p, "one character in '…'");
        escape = t->text.ptr[0];
        parse_next(p);
    }
    return unescape(p, first, escape, out);
}

static struct sql_node *string(struct sql_parser *p)
{
    struct sql_node *n = parse_node(p, SQL_NODE_STRING, parse_peek(p)->offset);
    if (!n || parse_string_text(p, &n->text))
        return NULL;
    n->length = parse_length_since(p, n->offset);
    return n;
}

static struct sql_node *binary(struct sql_parser *p)
{
    const struct sql_token *t = parse_peek(p);
    struct leat_bytes hex = {NULL, 0};
    struct sql_node *n = parse_node(p, SQL_NODE_BINARY, t->offset);
    if (!n || parse_string_text(p, &hex))
        return NULL;
    uint8_t *to = sql_arena_alloc(p->arena, hex.len / 2 + 1);
    if (!to) {
        sql_diag_memory(p->diag);
        return NULL;
    }
    n->length = parse_length_since(p, n->offset);
    n->text = (struct leat_bytes){to, hex.len / 2};
    for (uint32_t i = 0; i < hex.len; i++) {
        int h = hex_digit(hex.ptr[i]);
        if (h < 0) {
            sql_diag_set(p->diag, SQL_DIAG_SYNTAX, n->offset, n->length,
                         "a binary string has only the characters 0-9 and A-F");
            return NULL;
        }
        if (i & 1)
            to[i / 2] = (uint8_t)(to[i / 2] | h);
        else if (i / 2 < n->text.len)
            to[i / 2] = (uint8_t)(h << 4);
    }
    if (hex.len & 1) {
        sql_diag_set(p->diag, SQL_DIAG_SYNTAX, n->offset, n->length, "a binary string has an even number of digits");
        return NULL;
    }
    return n;
}

static struct sql_node *token_literal(struct sql_parser *p, uint8_t kind)
{
    const struct sql_token *t = parse_peek(p);
    struct sql_node *n = parse_node(p, kind, t->offset);
    if (!n)
        return NULL;
    n->text = t->text;
    n->length = t->length;
    parse_next(p);
    return n;
}

// DATE '…' and its kin; the cursor is on the word.
static struct sql_node *time_literal(struct sql_parser *p, uint8_t kind)
{
    struct sql_node *n = parse_node(p, kind, parse_peek(p)->offset);
    parse_next(p);
    if (!n || parse_string_text(p, &n->text))
        return NULL;
    n->length = parse_length_since(p, n->offset);
    return n;
}

// INTERVAL '1 day' of PostgreSQL and INTERVAL 1 DAY of MySQL; the number and the unit may be in one string.
static void hint_interval(struct sql_parser *p, struct leat_bytes text, const struct sql_token *behind)
{
    uint32_t digits = 0, at;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    for (at = digits; at < text.len && text.ptr[at] == ' '; at++)
        ;
    struct sql_token unit = {.kind = SQL_TOKEN_WORD, .text = {text.ptr + at, text.len - at}};
    const char *name = sql_symbol_name(parse_unit_word(at < text.len ? &unit : behind));
    if (digits && *name)
        sql_diag_hint(p->diag, "Write INTERVAL '%.*s' %s.", (int)digits, (const char *)text.ptr, name);
    else
        sql_diag_hint(p->diag,
                      "An interval has one unit behind its string: INTERVAL '1' DAY, INTERVAL '1 02' DAY TO HOUR.");
}

static int bad_unit(struct sql_parser *p)
{
    const struct sql_token *t = parse_peek(p), *last = &t[-1];
    parse_fail(p, "YEAR, MONTH, DAY, HOUR, MINUTE or SECOND");
    if (p->at && last->kind == SQL_TOKEN_STRING)
        hint_interval(p, last->text, t);
    return -1;
}

static int interval_unit(struct sql_parser *p, uint16_t *unit, uint8_t *has, uint32_t *precision,
                         struct sql_interval *i)
{
    static const uint16_t allowed[] = {SQL_SYM_YEAR, SQL_SYM_MONTH,  SQL_SYM_DAY,
                                       SQL_SYM_HOUR, SQL_SYM_MINUTE, SQL_SYM_SECOND};
    uint16_t found = parse_unit_word(parse_peek(p));
    *unit = SQL_SYM_NONE;
    for (size_t k = 0; k < sizeof allowed / sizeof *allowed; k++)
        if (found == allowed[k])
            *unit = found;
    if (!*unit)
        return bad_unit(p);
    parse_next(p);
    if (!parse_accept(p, "("))
        return 0;
    *has = 1;
    if (parse_uint(p, 10, precision))
        return -1;
    if (*unit == SQL_SYM_SECOND && parse_accept(p, ",")) {
        i->has_fraction = 1;
        if (parse_uint(p, 9, &i->fraction))
            return -1;
    }
    return parse_expect(p, ")");
}

static struct sql_node *interval(struct sql_parser *p)
{
    struct sql_node *n = parse_node(p, SQL_NODE_INTERVAL, parse_peek(p)->offset);
    struct sql_interval *i = sql_arena_calloc(p->arena, 1, sizeof *i);
    if (!n || !i) {
        sql_diag_memory(p->diag);
        return NULL;
    }
    parse_next(p);
    n->interval = i;
    if (parse_is(p, "+") || parse_is(p, "-")) {
        i->negative = (uint8_t)parse_is(p, "-");
        parse_next(p);
    }
    if (parse_peek(p)->kind == SQL_TOKEN_INTEGER) {
        parse_fail(p, "a string in '…'");
        hint_interval(p, parse_peek(p)->text, parse_ahead(p, 1));
        return NULL;
    }
    if (parse_string_text(p, &n->text) || interval_unit(p, &i->from, &i->has_precision, &i->precision, i))
        return NULL;
    if (parse_accept(p, "TO") && interval_unit(p, &i->to, &i->has_fraction, &i->fraction, i))
        return NULL;
    if (i->to && (i->to >= i->from || (i->from >= SQL_SYM_MONTH) != (i->to >= SQL_SYM_MONTH))) {
        sql_diag_set(p->diag, SQL_DIAG_SYNTAX, n->offset, parse_length_since(p, n->offset),
                     "there is no interval %s TO %s", sql_symbol_name(i->from), sql_symbol_name(i->to));
        return NULL;
    }
    n->length = parse_length_since(p, n->offset);
    return n;
}

struct sql_node *parse_literal(struct sql_parser *p)
{
    const struct sql_token *t = parse_peek(p), *next = parse_ahead(p, 1);
    switch (t->kind) {
    case SQL_TOKEN_INTEGER:
        return token_literal(p, SQL_NODE_INTEGER);
    case SQL_TOKEN_DECIMAL:
        return token_literal(p, SQL_NODE_DECIMAL);
    case SQL_TOKEN_DOUBLE:
        return token_literal(p, SQL_NODE_DOUBLE);
    case SQL_TOKEN_STRING:
    case SQL_TOKEN_USTRING:
        return string(p);
    case SQL_TOKEN_BINARY:
        return binary(p);
    case SQL_TOKEN_WORD:
        break;
    default:
        return NULL;
    }
    if (parse_is(p, "TRUE"))
        return token_literal(p, SQL_NODE_TRUE);
    if (parse_is(p, "FALSE"))
        return token_literal(p, SQL_NODE_FALSE);
    if (parse_is(p, "UNKNOWN"))
        return token_literal(p, SQL_NODE_UNKNOWN);
    if (parse_is(p, "NULL"))
        return token_literal(p, SQL_NODE_NULL);
    if (parse_is(p, "INTERVAL"))
        return interval(p);
    if (next->kind != SQL_TOKEN_STRING && next->kind != SQL_TOKEN_USTRING)
        return NULL;
    if (parse_is(p, "DATE"))
        return time_literal(p, SQL_NODE_DATE);
    if (parse_is(p, "TIME"))
        return time_literal(p, SQL_NODE_TIME);
    if (parse_is(p, "TIMESTAMP"))
        return time_literal(p, SQL_NODE_TIMESTAMP);
    return NULL;
}
