// SPDX-License-Identifier: Apache-2.0
// SQL literals as the recorded cases have them: numbers, sums of numbers, strings, x'…', TRUE, DATE '…', TIME '…',
// TIMESTAMP '…', TO_TIMESTAMP_LTZ(n, digits), CAST(NULL AS …), ARRAY[…], MAP[…], ROW(…). Each is converted to the type
// of its column as Flink's CAST does for such a literal.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "calendar.h"
#include "decimal.h"
#include "formats.h"
#include "number.h"
#include "utf8.h"

struct scan {
    struct pool *p;
    const char *at;
};

static int value(struct scan *s, const struct leat_type *type, struct leat_datum *out);

static void blanks(struct scan *s)
{
    while (*s->at == ' ')
        s->at++;
}

static int take(struct scan *s, const char *word)
{
    size_t len = strlen(word);
    blanks(s);
    if (strncasecmp(s->at, word, len) != 0)
        return 0;
    s->at += len;
    return 1;
}

// '…' with '' for a quote.
static int take_quoted(struct scan *s, struct leat_bytes *out)
{
    blanks(s);
    if (*s->at != '\'')
        return 0;
    char *copy = pool_copy(s->p, s->at, strlen(s->at));
    uint32_t len = 0;
    for (s->at++; *s->at; s->at++) {
        if (*s->at == '\'' && *++s->at != '\'') {
            *out = (struct leat_bytes){(uint8_t *)copy, len};
            return 1;
        }
        copy[len++] = *s->at;
    }
    return 0;
}

// --- text to a value, as CAST of a string

static struct leat_bytes fit_string(struct pool *p, struct leat_bytes s, const struct leat_type *type)
{
    size_t count = utf8_count(s.ptr, s.len);
    if (count > type->length)
        s.len = (uint32_t)utf8_offset(s.ptr, s.len, type->length);
    if (type->kind == LEAT_TYPE_CHAR && count < type->length) {
        size_t more = type->length - count;
        char *padded = pool_alloc(p, s.len + more + 1);
        memcpy(padded, s.ptr, s.len);
        memset(padded + s.len, ' ', more);
        s = (struct leat_bytes){(uint8_t *)padded, (uint32_t)(s.len + more)};
    }
    return s;
}

static int cut_time(int64_t micros, const struct leat_type *type, union leat_cell *cell)
{
    static const int64_t unit[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    cell->i64 = calendar_floor_div(micros, unit[type->precision]) * unit[type->precision];
    return 1;
}

static int from_text(struct pool *p, struct leat_bytes s, const struct leat_type *type, union leat_cell *cell)
{
    int64_t micros;
    switch (type->kind) {
    case LEAT_TYPE_CHAR:
    case LEAT_TYPE_VARCHAR:
        cell->bytes = fit_string(p, s, type);
        return 1;
    case LEAT_TYPE_FLOAT:
        return number_f32_parse(s.ptr, s.len, &cell->f32) == NUMBER_OK;
    case LEAT_TYPE_DOUBLE:
        return number_f64_parse(s.ptr, s.len, &cell->f64) == NUMBER_OK;
    case LEAT_TYPE_DECIMAL:
        return decimal_parse(s.ptr, s.len, type->precision, type->scale, &cell->i128) >= 0;
    case LEAT_TYPE_DATE:
        return calendar_cast_date(s.ptr, s.len, &cell->i64) >= 0;
    case LEAT_TYPE_TIME:
        return calendar_cast_time(s.ptr, s.len, &micros) >= 0 && cut_time(micros, type, cell);
    case LEAT_TYPE_TIMESTAMP:
    case LEAT_TYPE_TIMESTAMP_LTZ:
        return calendar_cast_timestamp(s.ptr, s.len, &micros) >= 0 && cut_time(micros, type, cell);
    default:
        return leat_type_is_integer(type->kind) && number_i64_parse(s.ptr, s.len, &cell->i64) == NUMBER_OK;
    }
}

static int from_double(double v, const struct leat_type *type, union leat_cell *cell)
{
    if (type->kind == LEAT_TYPE_DOUBLE)
        cell->f64 = v;
    else if (type->kind == LEAT_TYPE_FLOAT)
        cell->f32 = (float)v;
    return type->kind == LEAT_TYPE_DOUBLE || type->kind == LEAT_TYPE_FLOAT;
}

// --- literals

static size_t number_length(const char *at)
{
    size_t n = (size_t)(*at == '-');
    if ((unsigned)at[n] - '0' > 9 && at[n] != '.')
        return 0;
    n += strspn(at + n, "0123456789.");
    if ((at[n] == 'e' || at[n] == 'E') && strspn(at + n + 1 + (at[n + 1] == '-' || at[n + 1] == '+'), "0123456789"))
        n += 1 + (size_t)(at[n + 1] == '-' || at[n + 1] == '+') +
             strspn(at + n + 1 + (at[n + 1] == '-' || at[n + 1] == '+'), "0123456789");
    return n;
}

static int take_number(struct scan *s, const struct leat_type *type, union leat_cell *cell)
{
    blanks(s);
    struct leat_bytes text = {(const uint8_t *)s->at, (uint32_t)number_length(s->at)};
    if (!text.len)
        return 0;
    s->at += text.len;
    double sum = strtod((const char *)text.ptr, NULL);
    int added = 0;
    for (; take(s, "+"); added = 1) {
        size_t len = number_length(s->at);
        if (!len)
            return 0;
        sum += strtod(s->at, NULL);
        s->at += len;
    }
    return added ? from_double(sum, type, cell) : from_text(s->p, text, type, cell);
}

static int take_hex(struct scan *s, const struct leat_type *type, union leat_cell *cell)
{
    struct leat_bytes text;
    if ((type->kind != LEAT_TYPE_BINARY && type->kind != LEAT_TYPE_VARBINARY) || !take(s, "x") ||
        !take_quoted(s, &text))
        return 0;
    uint32_t len = text.len / 2 < type->length ? text.len / 2 : type->length;
    uint8_t *bytes = pool_alloc(s->p, (type->kind == LEAT_TYPE_BINARY ? type->length : len) + 1u);
    for (uint32_t i = 0; i < len; i++) {
        char digits[3] = {(char)text.ptr[2 * i], (char)text.ptr[2 * i + 1], 0};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    cell->bytes = (struct leat_bytes){bytes, type->kind == LEAT_TYPE_BINARY ? type->length : len};
    return 1;
}

// DATE '…', TIME '…', TIMESTAMP '…': the text decides, the column's type cuts.
static int take_temporal(struct scan *s, const struct leat_type *type, union leat_cell *cell)
{
    struct leat_bytes text;
    if (!take(s, "TIMESTAMP") && !take(s, "DATE") && !take(s, "TIME"))
        return 0;
    return take_quoted(s, &text) && from_text(s->p, text, type, cell);
}

static int take_instant(struct scan *s, const struct leat_type *type, union leat_cell *cell)
{
    char *end;
    if (type->kind != LEAT_TYPE_TIMESTAMP_LTZ || !take(s, "TO_TIMESTAMP_LTZ("))
        return 0;
    int64_t v = strtoll(s->at, &end, 10);
    s->at = end;
    if (!take(s, ","))
        return 0;
    v *= strtol(s->at, &end, 10) == 3 ? 1000 : 1000000;
    s->at = end;
    return take(s, ")") && cut_time(v, type, cell);
}

static int take_list(struct scan *s, const struct leat_type *type, union leat_cell *cell)
{
    static const struct {
        uint8_t kind;
        const char *open, *close;
    } forms[] = {{LEAT_TYPE_ARRAY, "ARRAY[", "]"}, {LEAT_TYPE_MAP, "MAP[", "]"}, {LEAT_TYPE_ROW, "ROW(", ")"}};
    size_t f = (size_t)(type->kind - LEAT_TYPE_ARRAY);
    if (!leat_type_is_list(type->kind) || !take(s, forms[f].open))
        return 0;
    struct leat_datum *items = pool_alloc(s->p, (strlen(s->at) + 1) * sizeof *items);
    uint32_t n = 0;
    while (!take(s, forms[f].close)) {
        const struct leat_type *child = &type->children[type->child_count > 1 ? n % type->child_count : 0];
        if ((n && !take(s, ",")) || !value(s, child, &items[n]))
            return 0;
        n++;
    }
    cell->list.items = items;
    cell->list.count = n;
    return 1;
}

static int take_null(struct scan *s)
{
    if (take(s, "NULL"))
        return 1;
    if (!take(s, "CAST(NULL AS"))
        return 0;
    s->at += strcspn(s->at, ")");
    return take(s, ")");
}

static int value(struct scan *s, const struct leat_type *type, struct leat_datum *out)
{
    struct leat_bytes text;
    out->state = LEAT_VALUE;
    if (take_null(s)) {
        out->state = LEAT_NULL;
        return 1;
    }
    if (type->kind == LEAT_TYPE_BOOLEAN) {
        out->cell.i64 = take(s, "TRUE");
        return out->cell.i64 || take(s, "FALSE");
    }
    if (take_quoted(s, &text))
        return from_text(s->p, text, type, &out->cell);
    return take_list(s, type, &out->cell) || take_hex(s, type, &out->cell) || take_instant(s, type, &out->cell) ||
           take_temporal(s, type, &out->cell) || take_number(s, type, &out->cell);
}

int literal_value(struct pool *p, const char *text, const struct leat_type *type, struct leat_datum *out)
{
    struct scan s = {p, text};
    if (!value(&s, type, out))
        return 0;
    blanks(&s);
    return *s.at == 0;
}
