// SPDX-License-Identifier: Apache-2.0
// See typetext.h. A recursive-descent reader over one cursor; every production fills a type or leaves the first error.
#include "typetext.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct reader {
    const char *text, *at, *end;
    typetext_alloc_fn alloc;
    void *arg;
    struct typetext_error *error;
    int depth;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct reader *r, const char *fmt, ...)
{
    if (r->error->message[0])
        return 0;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->error->message, sizeof r->error->message, fmt, ap);
    va_end(ap);
    r->error->offset = (uint32_t)(r->at - r->text);
    return 0;
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static int is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t peek_word(struct reader *r)
{
    skip_blanks(r);
    const char *p = r->at;
    while (p < r->end && is_word_char(*p))
        p++;
    return (size_t)(p - r->at);
}

static int take_word(struct reader *r, const char *word)
{
    size_t n = peek_word(r);
    if (n != strlen(word) || strncasecmp(r->at, word, n) != 0)
        return 0;
    r->at += n;
    return 1;
}

static int take_char(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != c)
        return 0;
    r->at++;
    return 1;
}

static int read_number(struct reader *r, uint32_t min, uint32_t max, const char *what, uint32_t *out)
{
    skip_blanks(r);
    uint64_t n = 0;
    const char *start = r->at;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9' && n <= LEAT_LENGTH_MAX; r->at++)
        n = n * 10 + (uint64_t)(*r->at - '0');
    int found = r->at > start;
    if (!found || n < min || n > max) {
        r->at = start;
        return refuse(r, "%s must be a number from %u to %u", what, min, max);
    }
    *out = (uint32_t)n;
    return 1;
}

// "(n)" or nothing.
static int read_optional(struct reader *r, uint32_t min, uint32_t max, const char *what, uint32_t *out)
{
    if (!take_char(r, '('))
        return 1;
    if (!read_number(r, min, max, what, out))
        return 0;
    return take_char(r, ')') || refuse(r, "expected \")\"");
}

static int read_type(struct reader *r, struct leat_type *type);

static int read_decimal(struct reader *r, struct leat_type *type)
{
    uint32_t precision = 10, scale = 0;
    if (take_char(r, '(')) {
        if (!read_number(r, 1, LEAT_DECIMAL_MAX, "the precision of a DECIMAL", &precision))
            return 0;
        if (take_char(r, ',') && !read_number(r, 0, precision, "the scale of a DECIMAL", &scale))
            return 0;
        if (!take_char(r, ')'))
            return refuse(r, "expected \")\"");
    }
    type->precision = (uint8_t)precision;
    type->scale = (uint8_t)scale;
    return 1;
}

static int read_precision(struct reader *r, struct leat_type *type, uint32_t usual)
{
    uint32_t precision = usual;
    const char *start = r->at;
    if (!read_optional(r, 0, 9, "the precision of a time", &precision))
        return 0;
    if (precision > LEAT_TIME_PRECISION) {
        r->at = start;
        return refuse(r, "times have at most 6 digits of fraction here (microseconds), not %u", precision);
    }
    type->precision = (uint8_t)precision;
    return 1;
}

static int read_timestamp(struct reader *r, struct leat_type *type)
{
    if (!read_precision(r, type, 6))
        return 0;
    if (take_word(r, "WITHOUT"))
        return (take_word(r, "TIME") && take_word(r, "ZONE")) || refuse(r, "expected TIME ZONE");
    if (!take_word(r, "WITH"))
        return 1;
    if (!take_word(r, "LOCAL"))
        return refuse(r, "TIMESTAMP WITH TIME ZONE is not a type of Flink SQL; write TIMESTAMP_LTZ");
    type->kind = LEAT_TYPE_TIMESTAMP_LTZ;
    return (take_word(r, "TIME") && take_word(r, "ZONE")) || refuse(r, "expected TIME ZONE");
}

static int read_interval(struct reader *r, struct leat_type *type)
{
    static const char *const months[] = {"YEAR", "MONTH"};
    static const char *const seconds[] = {"DAY", "HOUR", "MINUTE", "SECOND"};
    uint32_t digits = 0;
    type->kind = 0;
    for (int part = 0; part < 2; part++) {
        uint8_t kind = 0;
        for (size_t i = 0; i < 2 && !kind; i++)
            kind = take_word(r, months[i]) ? LEAT_TYPE_INTERVAL_YM : 0;
        for (size_t i = 0; i < 4 && !kind; i++)
            kind = take_word(r, seconds[i]) ? LEAT_TYPE_INTERVAL_DS : 0;
        if (!kind || (type->kind && type->kind != kind))
            return refuse(r, "expected YEAR TO MONTH or DAY TO SECOND");
        type->kind = kind;
        if (!read_optional(r, 0, 9, "the precision of an INTERVAL", &digits))
            return 0;
        if (!take_word(r, "TO"))
            break;
    }
    return 1;
}

static int read_children(struct reader *r, struct leat_type *type, uint32_t n)
{
    struct leat_type *children = r->alloc(r->arg, n * sizeof *children);
    if (!children)
        return refuse(r, "out of memory");
    if (!take_char(r, '<'))
        return refuse(r, "expected \"<\"");
    for (uint32_t i = 0; i < n; i++) {
        if (i && !take_char(r, ','))
            return refuse(r, "expected \",\"");
        if (!read_type(r, &children[i]))
            return 0;
    }
    type->children = children;
    type->child_count = n;
    return take_char(r, '>') || refuse(r, "expected \">\"");
}

static int read_name(struct reader *r, struct leat_bytes *name)
{
    skip_blanks(r);
    if (take_char(r, '`')) {
        const char *start = r->at;
        while (r->at < r->end && *r->at != '`')
            r->at++;
        *name = (struct leat_bytes){(const uint8_t *)start, (uint32_t)(r->at - start)};
        return take_char(r, '`') || refuse(r, "expected \"`\"");
    }
    size_t n = peek_word(r);
    if (n == 0)
        return refuse(r, "expected the name of a field");
    *name = (struct leat_bytes){(const uint8_t *)r->at, (uint32_t)n};
    r->at += n;
    return 1;
}

#define ROW_FIELDS_MAX 256

static int read_row(struct reader *r, struct leat_type *type)
{
    char close = take_char(r, '(') ? ')' : '>';
    if (close == '>' && !take_char(r, '<'))
        return refuse(r, "expected \"<\"");
    struct leat_type *children = r->alloc(r->arg, ROW_FIELDS_MAX * sizeof *children);
    struct leat_bytes *names = r->alloc(r->arg, ROW_FIELDS_MAX * sizeof *names);
    if (!children || !names)
        return refuse(r, "out of memory");
    uint32_t n = 0;
    do {
        if (n == ROW_FIELDS_MAX)
            return refuse(r, "a ROW has at most %d fields", ROW_FIELDS_MAX);
        if (!read_name(r, &names[n]) || !read_type(r, &children[n]))
            return 0;
        n++;
    } while (take_char(r, ','));
    type->children = children;
    type->names = names;
    type->child_count = n;
    return take_char(r, close) || refuse(r, "expected \"%c\"", close);
}

static const struct {
    const char *name;
    uint8_t kind;
} plain[] = {
    {"BOOLEAN", LEAT_TYPE_BOOLEAN}, {"TINYINT", LEAT_TYPE_TINYINT}, {"SMALLINT", LEAT_TYPE_SMALLINT},
    {"INT", LEAT_TYPE_INT},         {"INTEGER", LEAT_TYPE_INT},     {"BIGINT", LEAT_TYPE_BIGINT},
    {"FLOAT", LEAT_TYPE_FLOAT},     {"DATE", LEAT_TYPE_DATE},
};

static int read_string(struct reader *r, struct leat_type *type, uint8_t kind, uint32_t usual)
{
    type->kind = kind;
    type->length = usual;
    return read_optional(r, 1, LEAT_LENGTH_MAX, "a length", &type->length);
}

static int read_bare(struct reader *r, struct leat_type *type)
{
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (take_word(r, plain[i].name)) {
            type->kind = plain[i].kind;
            return 1;
        }
    }
    if (take_word(r, "DOUBLE")) {
        take_word(r, "PRECISION");
        type->kind = LEAT_TYPE_DOUBLE;
        return 1;
    }
    if (take_word(r, "STRING"))
        return type->kind = LEAT_TYPE_VARCHAR, type->length = LEAT_LENGTH_MAX, 1;
    if (take_word(r, "BYTES"))
        return type->kind = LEAT_TYPE_VARBINARY, type->length = LEAT_LENGTH_MAX, 1;
    if (take_word(r, "VARCHAR"))
        return read_string(r, type, LEAT_TYPE_VARCHAR, 1);
    if (take_word(r, "CHAR"))
        return read_string(r, type, LEAT_TYPE_CHAR, 1);
    if (take_word(r, "VARBINARY"))
        return read_string(r, type, LEAT_TYPE_VARBINARY, 1);
    if (take_word(r, "BINARY"))
        return read_string(r, type, LEAT_TYPE_BINARY, 1);
    if (take_word(r, "DECIMAL") || take_word(r, "DEC") || take_word(r, "NUMERIC"))
        return type->kind = LEAT_TYPE_DECIMAL, read_decimal(r, type);
    if (take_word(r, "TIMESTAMP_LTZ"))
        return type->kind = LEAT_TYPE_TIMESTAMP_LTZ, read_precision(r, type, 6);
    if (take_word(r, "TIMESTAMP"))
        return type->kind = LEAT_TYPE_TIMESTAMP, read_timestamp(r, type);
    if (take_word(r, "TIME"))
        return type->kind = LEAT_TYPE_TIME, read_precision(r, type, 0);
    if (take_word(r, "INTERVAL"))
        return read_interval(r, type);
    if (take_word(r, "ARRAY"))
        return type->kind = LEAT_TYPE_ARRAY, read_children(r, type, 1);
    if (take_word(r, "MAP"))
        return type->kind = LEAT_TYPE_MAP, read_children(r, type, 2);
    if (take_word(r, "ROW"))
        return type->kind = LEAT_TYPE_ROW, read_row(r, type);
    size_t n = peek_word(r);
    if (n == 0)
        return refuse(r, "expected the name of a type");
    return refuse(r, "unknown type \"%.*s\"", n > 64 ? 64 : (int)n, r->at);
}

static int read_type(struct reader *r, struct leat_type *type)
{
    *type = (struct leat_type){.nullable = 1};
    if (++r->depth > LEAT_NEST_MAX)
        return refuse(r, "types are nested too deeply (more than %d)", LEAT_NEST_MAX);
    if (!read_bare(r, type))
        return 0;
    r->depth--;
    if (take_word(r, "NOT")) {
        if (!take_word(r, "NULL"))
            return refuse(r, "expected NULL");
        type->nullable = 0;
    } else {
        take_word(r, "NULL");
    }
    return 1;
}

int typetext_parse(const char *text, size_t len, typetext_alloc_fn alloc, void *arg, struct leat_type *type,
                   struct typetext_error *error)
{
    struct reader r = {text, text, text + len, alloc, arg, error, 0};
    error->message[0] = 0;
    error->offset = 0;
    if (!read_type(&r, type))
        return 0;
    skip_blanks(&r);
    return r.at == r.end ||
           refuse(&r, "unexpected \"%.*s\" after the type", (int)(r.end - r.at > 32 ? 32 : r.end - r.at), r.at);
}

struct writer {
    char *out;
    size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    size_t room = w->len < w->size ? w->size - w->len : 0;
    int n = vsnprintf(room ? w->out + w->len : NULL, room, fmt, ap);
    va_end(ap);
    if (n > 0)
        w->len += (size_t)n;
}

static void write_type(struct writer *w, const struct leat_type *t);

static void write_length(struct writer *w, const struct leat_type *t, const char *fixed, const char *unbounded)
{
    if (unbounded && t->length == LEAT_LENGTH_MAX)
        put(w, "%s", unbounded);
    else
        put(w, "%s(%u)", fixed, t->length);
}

static void write_row(struct writer *w, const struct leat_type *t)
{
    put(w, "ROW<");
    for (uint32_t i = 0; i < t->child_count; i++) {
        put(w, "%s`%.*s` ", i ? ", " : "", t->names ? (int)t->names[i].len : 0,
            t->names ? (const char *)t->names[i].ptr : "");
        write_type(w, &t->children[i]);
    }
    put(w, ">");
}

static void write_bare(struct writer *w, const struct leat_type *t)
{
    static const char *const names[] = {
        [LEAT_TYPE_BOOLEAN] = "BOOLEAN",
        [LEAT_TYPE_TINYINT] = "TINYINT",
        [LEAT_TYPE_SMALLINT] = "SMALLINT",
        [LEAT_TYPE_INT] = "INT",
        [LEAT_TYPE_BIGINT] = "BIGINT",
        [LEAT_TYPE_FLOAT] = "FLOAT",
        [LEAT_TYPE_DOUBLE] = "DOUBLE",
        [LEAT_TYPE_DATE] = "DATE",
        [LEAT_TYPE_INTERVAL_YM] = "INTERVAL MONTH",
        [LEAT_TYPE_NULL] = "NULL",
        [LEAT_TYPE_INTERVAL_DS] = "INTERVAL SECOND(3)",
    };
    switch (t->kind) {
    case LEAT_TYPE_DECIMAL:
        put(w, "DECIMAL(%u, %u)", t->precision, t->scale);
        break;
    case LEAT_TYPE_CHAR:
        write_length(w, t, "CHAR", NULL);
        break;
    case LEAT_TYPE_VARCHAR:
        write_length(w, t, "VARCHAR", "STRING");
        break;
    case LEAT_TYPE_BINARY:
        write_length(w, t, "BINARY", NULL);
        break;
    case LEAT_TYPE_VARBINARY:
        write_length(w, t, "VARBINARY", "BYTES");
        break;
    case LEAT_TYPE_TIME:
        put(w, "TIME(%u)", t->precision);
        break;
    case LEAT_TYPE_TIMESTAMP:
        put(w, "TIMESTAMP(%u)", t->precision);
        break;
    case LEAT_TYPE_TIMESTAMP_LTZ:
        put(w, "TIMESTAMP_LTZ(%u)", t->precision);
        break;
    case LEAT_TYPE_ARRAY:
        put(w, "ARRAY<");
        write_type(w, &t->children[0]);
        put(w, ">");
        break;
    case LEAT_TYPE_MAP:
        put(w, "MAP<");
        write_type(w, &t->children[0]);
        put(w, ", ");
        write_type(w, &t->children[1]);
        put(w, ">");
        break;
    case LEAT_TYPE_ROW:
        write_row(w, t);
        break;
    default:
        put(w, "%s", t->kind < sizeof names / sizeof names[0] && names[t->kind] ? names[t->kind] : "?");
    }
}

static void write_type(struct writer *w, const struct leat_type *t)
{
    write_bare(w, t);
    if (!t->nullable && t->kind != LEAT_TYPE_NULL)
        put(w, " NOT NULL");
}

size_t typetext_print(const struct leat_type *type, char *out, size_t size)
{
    struct writer w = {out, size, 0};
    if (size)
        out[0] = 0;
    write_type(&w, type);
    return w.len;
}

int typetext_same(const struct leat_type *a, const struct leat_type *b)
{
    if (a->kind != b->kind || a->precision != b->precision || a->scale != b->scale || a->length != b->length ||
        a->child_count != b->child_count)
        return 0;
    for (uint32_t i = 0; i < a->child_count; i++)
        if (!typetext_same(&a->children[i], &b->children[i]))
            return 0;
    return 1;
}
