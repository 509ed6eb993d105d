// SPDX-License-Identifier: Apache-2.0
// Literals get their types and values, as Calcite gives them: 1 is INT, 2147483648 BIGINT, 00.10 DECIMAL(4, 2), 1e3
// DOUBLE, 'ab' CHAR(2), TIMESTAMP '… .7' TIMESTAMP(1).
#include "expr/bind.h"

#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "expr/types.h"

static struct sql_expr *value(struct sql_bind *b, const struct sql_node *n, const struct leat_type *t,
                              union leat_cell cell)
{
    struct sql_expr *e = bind_new(b, SQL_EXPR_LITERAL, n);
    if (!e || !t)
        return NULL;
    e->flags = SQL_EXPR_CONSTANT;
    e->type = t;
    e->literal.cell = cell;
    return e;
}

static struct sql_expr *null(struct sql_bind *b, const struct sql_node *n, uint8_t kind)
{
    struct sql_expr *e = value(b, n, sql_bind_type(b, kind, 1), (union leat_cell){.i64 = 0});
    if (e)
        e->literal.state = LEAT_NULL;
    return e;
}

static struct sql_expr *bad(struct sql_bind *b, const struct sql_node *n, const char *what)
{
    sql_diag_set(b->diag, SQL_DIAG_TYPE, n->offset, n->length, "%s", what);
    return NULL;
}

static struct sql_expr *bad_format(struct sql_bind *b, const struct sql_node *n, const char *kind, const char *format)
{
    sql_diag_set(b->diag, SQL_DIAG_TYPE, n->offset, n->length, "'%.*s' is no %s, expected '%s'",
                 (int)(n->text.len > 60 ? 60 : n->text.len), (const char *)n->text.ptr, kind, format);
    return NULL;
}

// --- numbers ---

// n is the literal, or its negation: -9223372036854775808 has no positive counterpart.
// Flink's literals hold what 64 bits hold.
static struct sql_expr *too_large(struct sql_bind *b, const struct sql_node *n, const char *what, uint32_t scale)
{
    sql_diag_set(b->diag, SQL_DIAG_TYPE, n->offset, n->length, "%s", what);
    sql_diag_hint(b->diag, "A DECIMAL of up to 38 digits is written CAST('…' AS DECIMAL(38, %u)).", scale);
    return NULL;
}

static struct sql_expr *integer(struct sql_bind *b, const struct sql_node *n)
{
    int negative = n->kind == SQL_NODE_OPERATOR;
    struct leat_bytes digits = negative ? n->items[0]->text : n->text;
    leat_u128 v = 0;
    for (uint32_t i = 0; i < digits.len; i++) {
        v = v * 10 + (leat_u128)(digits.ptr[i] - '0');
        if (v > (leat_u128)INT64_MAX + (leat_u128)negative) {
            return too_large(b, n, "this number is out of the range of BIGINT", 0);
        }
    }
    uint8_t kind = v <= INT32_MAX ? LEAT_TYPE_INT : LEAT_TYPE_BIGINT;
    leat_i128 with_sign = negative ? -(leat_i128)v : (leat_i128)v;
    return value(b, n, sql_bind_type(b, kind, 0), (union leat_cell){.i64 = (int64_t)with_sign});
}

static struct sql_expr *decimal(struct sql_bind *b, const struct sql_node *n)
{
    const uint8_t *point = memchr(n->text.ptr, '.', n->text.len);
    uint32_t scale = (uint32_t)(n->text.ptr + n->text.len - point - 1), precision = n->text.len - 1;
    if (scale > LEAT_DECIMAL_MAX)
        return bad(b, n, "a DECIMAL has at most 38 digits behind the point");
    if (precision > LEAT_DECIMAL_MAX)
        precision = LEAT_DECIMAL_MAX;
    leat_i128 v;
    if (decimal_parse(n->text.ptr, n->text.len, LEAT_DECIMAL_MAX, scale, &v) != DECIMAL_OK || v > INT64_MAX)
        return too_large(b, n, "the digits of this number are out of the range of BIGINT", scale);
    return value(b, n, sql_bind_decimal(b, (uint8_t)precision, (uint8_t)scale, 0), (union leat_cell){.i128 = v});
}

static struct sql_expr *floating(struct sql_bind *b, const struct sql_node *n)
{
    char text[512];
    if (n->text.len >= sizeof text)
        return bad(b, n, "this number has more digits than a literal may have");
    memcpy(text, n->text.ptr, n->text.len);
    text[n->text.len] = '\0';
    return value(b, n, sql_bind_type(b, LEAT_TYPE_DOUBLE, 0), (union leat_cell){.f64 = strtod(text, NULL)});
}

// --- strings ---

// Java's length: a character beyond the first plane counts twice, and so do Flink's CHAR(n) of literals.
static uint32_t utf16_length(struct leat_bytes s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s.len; i++)
        n += ((s.ptr[i] & 0xC0) != 0x80) + (s.ptr[i] >= 0xF0);
    return n;
}

static struct sql_expr *string(struct sql_bind *b, const struct sql_node *n)
{
    return value(b, n, sql_bind_sized(b, LEAT_TYPE_CHAR, utf16_length(n->text), 0),
                 (union leat_cell){.bytes = n->text});
}

static struct sql_expr *binary(struct sql_bind *b, const struct sql_node *n)
{
    return value(b, n, sql_bind_sized(b, LEAT_TYPE_BINARY, n->text.len, 0), (union leat_cell){.bytes = n->text});
}

// --- times ---

struct cursor {
    const uint8_t *at, *end;
    int failed;
};

// Exactly `digits` digits (or 1..-digits when negative) of at most `max`.
static int64_t number(struct cursor *c, int digits, int64_t max)
{
    int64_t v = 0;
    int least = digits < 0 ? 1 : digits, most = digits < 0 ? -digits : digits, k = 0;
    for (; k < most && c->at < c->end && *c->at >= '0' && *c->at <= '9'; k++)
        v = v * 10 + (*c->at++ - '0');
    c->failed |= k < least || v > max;
    return v;
}

static int take(struct cursor *c, uint8_t mark)
{
    if (c->at == c->end || *c->at != mark)
        return 0;
    c->at++;
    return 1;
}

static void want(struct cursor *c, uint8_t mark)
{
    c->failed |= !take(c, mark);
}

// Days since 1970 of a date of the proleptic Gregorian calendar; Howard Hinnant's arithmetic over eras of 400 years.
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int64_t date_part(struct cursor *c)
{
    static const uint8_t length[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t y = number(c, 4, 9999);
    want(c, '-');
    int64_t m = number(c, 2, 12);
    want(c, '-');
    int64_t d = number(c, 2, 31);
    if (c->failed || m < 1 || d < 1 || d > length[m - 1] ||
        (m == 2 && d == 29 && !(y % 4 == 0 && (y % 100 != 0 || y % 400 == 0)))) {
        c->failed = 1;
        return 0;
    }
    return days_of(y, m, d);
}

// Up to nine digits of fraction as microseconds; *digits = how many were written.
static int64_t fraction_part(struct cursor *c, uint32_t *digits)
{
    int64_t v = 0;
    *digits = 0;
    if (!take(c, '.'))
        return 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9' && *digits < 9; c->at++, (*digits)++)
        v = *digits < 6 ? v * 10 + (*c->at - '0') : v;
    for (uint32_t i = *digits; i < 6; i++)
        v *= 10;
    return v;
}

static int64_t time_part(struct cursor *c, uint32_t *digits)
{
    int64_t h = number(c, -2, 23);
    want(c, ':');
    int64_t m = number(c, 2, 59);
    want(c, ':');
    int64_t s = number(c, 2, 59);
    return ((h * 60 + m) * 60 + s) * 1000000 + fraction_part(c, digits);
}

static struct sql_expr *date(struct sql_bind *b, const struct sql_node *n)
{
    struct cursor c = {n->text.ptr, n->text.ptr + n->text.len, 0};
    int64_t days = date_part(&c);
    if (c.failed || c.at != c.end)
        return bad_format(b, n, "DATE", "yyyy-MM-dd");
    return value(b, n, sql_bind_type(b, LEAT_TYPE_DATE, 0), (union leat_cell){.i64 = days});
}

static struct sql_expr *time(struct sql_bind *b, const struct sql_node *n)
{
    struct cursor c = {n->text.ptr, n->text.ptr + n->text.len, 0};
    uint32_t digits;
    int64_t t = time_part(&c, &digits);
    if (c.failed || c.at != c.end)
        return bad_format(b, n, "TIME", "HH:mm:ss");
    t -= t % 1000; // Flink keeps milliseconds
    return value(b, n, sql_bind_time(b, LEAT_TYPE_TIME, 0, 0), (union leat_cell){.i64 = t});
}

static struct sql_expr *timestamp(struct sql_bind *b, const struct sql_node *n)
{
    struct cursor c = {n->text.ptr, n->text.ptr + n->text.len, 0};
    uint32_t digits = 0;
    int64_t t = date_part(&c) * 86400000000;
    if (!c.failed && c.at != c.end) {
        want(&c, ' ');
        t += time_part(&c, &digits);
    }
    if (c.failed || c.at != c.end)
        return bad_format(b, n, "TIMESTAMP", "yyyy-MM-dd HH:mm:ss");
    if (digits > LEAT_TIME_PRECISION) {
        sql_diag_set(b->diag, SQL_DIAG_UNSUPPORTED, n->offset, n->length,
                     "times have at most 6 digits of fraction, found %u", digits);
        return NULL;
    }
    return value(b, n, sql_bind_time(b, LEAT_TYPE_TIMESTAMP, (uint8_t)digits, 0), (union leat_cell){.i64 = t});
}

// --- intervals ---

static const int64_t unit_micros[SQL_SYM_COUNT] = {
    [SQL_SYM_SECOND] = 1000000,
    [SQL_SYM_MINUTE] = 60000000,
    [SQL_SYM_HOUR] = 3600000000,
    [SQL_SYM_DAY] = 86400000000,
};

// '1-2' YEAR TO MONTH
static int64_t months(struct cursor *c, const struct sql_interval *i, int64_t largest)
{
    int64_t first = number(c, -10, largest);
    if (i->from == SQL_SYM_MONTH)
        return first;
    if (!i->to)
        return first * 12;
    want(c, '-');
    return first * 12 + number(c, -2, 11);
}

// '1 02:03:04.567' DAY TO SECOND: the fields from the first to the last unit.
static int64_t micros(struct cursor *c, const struct sql_interval *i, int64_t largest)
{
    static const int64_t limit[SQL_SYM_COUNT] = {[SQL_SYM_SECOND] = 59, [SQL_SYM_MINUTE] = 59, [SQL_SYM_HOUR] = 23};
    uint16_t last = i->to ? i->to : i->from;
    int64_t total = number(c, -10, largest) * unit_micros[i->from];
    for (uint16_t unit = i->from; unit > last;) {
        want(c, unit == SQL_SYM_DAY ? ' ' : ':');
        unit--;
        total += number(c, -2, limit[unit]) * unit_micros[unit];
    }
    uint32_t digits;
    return last == SQL_SYM_SECOND ? total + fraction_part(c, &digits) : total;
}

static struct sql_expr *interval(struct sql_bind *b, const struct sql_node *n)
{
    const struct sql_interval *i = n->interval;
    struct cursor c = {n->text.ptr, n->text.ptr + n->text.len, 0};
    int negative = i->negative;
    if (take(&c, '-'))
        negative = !negative;
    else
        take(&c, '+');
    int by_months = i->from == SQL_SYM_YEAR || i->from == SQL_SYM_MONTH;
    int64_t v = by_months ? months(&c, i, INT32_MAX / 12) : micros(&c, i, INT32_MAX);
    if (c.failed || c.at != c.end) {
        sql_diag_set(b->diag, SQL_DIAG_TYPE, n->offset, n->length, "'%.*s' is no INTERVAL %s%s%s",
                     (int)(n->text.len > 60 ? 60 : n->text.len), (const char *)n->text.ptr, sql_symbol_name(i->from),
                     i->to ? " TO " : "", sql_symbol_name(i->to));
        return NULL;
    }
    // the leading field has two digits unless a precision is given
    uint32_t digits = 0;
    for (const uint8_t *s = n->text.ptr; s < c.end; s++) {
        if (*s == '-' || *s == '+') {
            if (digits)
                break;
            continue;
        }
        if (*s < '0' || *s > '9')
            break;
        digits += *s != '0' || digits;
    }
    if (digits > (i->has_precision ? i->precision : 2)) {
        sql_diag_set(b->diag, SQL_DIAG_TYPE, n->offset, n->length,
                     "the first field of the interval has more than %u digits", i->has_precision ? i->precision : 2);
        sql_diag_hint(b->diag, "Write %s(%u).", sql_symbol_name(i->from), digits);
        return NULL;
    }
    return value(b, n, sql_bind_type(b, by_months ? LEAT_TYPE_INTERVAL_YM : LEAT_TYPE_INTERVAL_DS, 0),
                 (union leat_cell){.i64 = negative ? -v : v});
}

struct sql_expr *bind_literal(struct sql_bind *b, const struct sql_node *n)
{
    switch (n->kind) {
    case SQL_NODE_OPERATOR:
    case SQL_NODE_INTEGER:
        return integer(b, n);
    case SQL_NODE_DECIMAL:
        return decimal(b, n);
    case SQL_NODE_DOUBLE:
        return floating(b, n);
    case SQL_NODE_STRING:
        return string(b, n);
    case SQL_NODE_BINARY:
        return binary(b, n);
    case SQL_NODE_TRUE:
    case SQL_NODE_FALSE:
        return value(b, n, sql_bind_type(b, LEAT_TYPE_BOOLEAN, 0), (union leat_cell){.i64 = n->kind == SQL_NODE_TRUE});
    case SQL_NODE_UNKNOWN:
        return null(b, n, LEAT_TYPE_BOOLEAN);
    case SQL_NODE_DATE:
        return date(b, n);
    case SQL_NODE_TIME:
        return time(b, n);
    case SQL_NODE_TIMESTAMP:
        return timestamp(b, n);
    case SQL_NODE_INTERVAL:
        return interval(b, n);
    default:
        return null(b, n, LEAT_TYPE_NULL);
    }
}
