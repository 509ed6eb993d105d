// SPDX-License-Identifier: Apache-2.0
// The fields.… options against the schema. Each column becomes a generator that asks the map for its own options by
// their full names; names that nobody asked for are faults. All faults of one run are reported.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "datagen.h"
#include "decimal.h"
#include "hash.h"
#include "number.h"

struct fields {
    struct leat_ctx *ctx;
    const struct leat_pairs *pairs;
    const struct leat_schema *schema;
    uint8_t *used; // of each pair
    int bad;
};

static const char *const words[] = {"kind", "min", "max", "start", "end", "length", "var-len", "null-rate", "max-past"};

// The value of fields.PATH.WORD, or NULL.
static const char *take(struct fields *f, const char *path, const char *word)
{
    size_t len = strlen(path);
    for (uint32_t i = 0; i < f->pairs->count; i++) {
        const char *key = f->pairs->items[i].key;
        if (strncmp(key, path, len) == 0 && key[len] == '.' && strcmp(key + len + 1, word) == 0) {
            f->used[i] = 1;
            return f->pairs->items[i].value;
        }
    }
    return NULL;
}

LEAT_PRINTF(6, 7)
static void fault(struct fields *f, const char *code, const char *path, const char *word, const char *hint,
                  const char *fmt, ...)
{
    char option[DATAGEN_PATH_MAX + 32], message[DATAGEN_PATH_MAX + 256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    snprintf(option, sizeof option, "fields.%s%s%s", path, word ? "." : "", word ? word : "");
    leat_diag(f->ctx, LEAT_DIAG_ERROR, code, option, 0, hint, "%s", message);
    f->bad = 1;
}

// --- numbers

static int is_real(uint8_t kind)
{
    return kind == LEAT_TYPE_FLOAT || kind == LEAT_TYPE_DOUBLE;
}

static int is_exact(uint8_t kind)
{
    return leat_type_is_integer(kind) || kind == LEAT_TYPE_DECIMAL || kind == LEAT_TYPE_INTERVAL_YM ||
           kind == LEAT_TYPE_INTERVAL_DS;
}

static leat_i128 largest(const struct leat_type *t)
{
    switch (t->kind) {
    case LEAT_TYPE_TINYINT:
        return INT8_MAX;
    case LEAT_TYPE_SMALLINT:
        return INT16_MAX;
    case LEAT_TYPE_INT:
    case LEAT_TYPE_INTERVAL_YM:
        return INT32_MAX;
    case LEAT_TYPE_DECIMAL:
        return (leat_i128)decimal_pow10[t->precision] - 1;
    default:
        return INT64_MAX;
    }
}

static int parse_exact(const struct leat_type *t, const char *text, leat_i128 *out)
{
    int64_t v;
    if (t->kind == LEAT_TYPE_DECIMAL)
        return decimal_parse(text, strlen(text), t->precision, t->scale, out) == DECIMAL_OK;
    if (number_i64_parse(text, strlen(text), &v) != NUMBER_OK || v > largest(t) || v < -largest(t) - 1)
        return 0;
    *out = v;
    return 1;
}

// 0 = what is given cannot be read.
static int take_exact(struct fields *f, const char *path, const char *word, const struct leat_type *t, leat_i128 *out)
{
    const char *text = take(f, path, word);
    int good = !text || parse_exact(t, text, out);
    if (!good)
        fault(f, "LEAT-D0103", path, word, NULL, "\"%s\" is no value of the type of field \"%s\"", text, path);
    return good;
}

static void take_real(struct fields *f, const char *path, const char *word, double *out)
{
    const char *text = take(f, path, word);
    if (text && (number_f64_parse(text, strlen(text), out) != NUMBER_OK || !isfinite(*out)))
        fault(f, "LEAT-D0103", path, word, NULL, "\"%s\" is no number", text);
}

static void take_range(struct fields *f, const char *path, struct datagen_gen *g)
{
    if (is_real(g->type->kind)) {
        g->real_max = g->type->kind == LEAT_TYPE_FLOAT ? 3.4028234663852886e38 : 1.7976931348623157e308;
        take_real(f, path, "min", &g->real_min);
        take_real(f, path, "max", &g->real_max);
        if (g->real_min > g->real_max)
            fault(f, "LEAT-D0103", path, "min", NULL, "min of field \"%s\" is above its max", path);
    } else if (is_exact(g->type->kind)) {
        g->max = largest(g->type);
        g->min = leat_type_is_integer(g->type->kind) ? -g->max - 1 : 0;
        int min = take_exact(f, path, "min", g->type, &g->min), max = take_exact(f, path, "max", g->type, &g->max);
        if (min && max && g->min > g->max)
            fault(f, "LEAT-D0103", path, "min", NULL, "min of field \"%s\" is above its max", path);
    }
}

// --- the other options

#define NO_LENGTH "Remove it: strings, binaries and collections have one."

static void take_length(struct fields *f, const char *path, struct datagen_gen *g)
{
    const char *text = take(f, path, "length"), *any = take(f, path, "var-len");
    uint8_t kind = g->type->kind;
    int collection = kind == LEAT_TYPE_ARRAY || kind == LEAT_TYPE_MAP;
    int64_t v;
    g->length = collection ? DATAGEN_COUNT : DATAGEN_LENGTH;
    if (leat_type_is_bytes(kind) && g->type->length != LEAT_LENGTH_MAX)
        g->length = g->type->length < DATAGEN_LENGTH_MAX ? g->type->length : DATAGEN_LENGTH_MAX;
    if (text && (!leat_type_is_bytes(kind) && !collection))
        fault(f, "LEAT-D0104", path, "length", NO_LENGTH, "field \"%s\" has no length", path);
    else if (text && (number_i64_parse(text, strlen(text), &v) != NUMBER_OK || v < 0 || v > DATAGEN_LENGTH_MAX ||
                      (leat_type_is_bytes(kind) && v > g->type->length)))
        fault(f, "LEAT-D0103", path, "length", NULL, "\"%s\" is no length that field \"%s\" can have", text, path);
    else if (text)
        g->length = (uint32_t)v;
    g->var_len = any && strcasecmp(any, "true") == 0;
    if (any && !g->var_len && strcasecmp(any, "false") != 0)
        fault(f, "LEAT-D0103", path, "var-len", "Write true or false.", "\"%s\" is neither true nor false", any);
    else if (any && !leat_type_is_bytes(kind) && !collection)
        fault(f, "LEAT-D0104", path, "var-len", NO_LENGTH, "field \"%s\" has no length", path);
}

static void take_null_rate(struct fields *f, const char *path, struct datagen_gen *g)
{
    double rate = 0;
    take_real(f, path, "null-rate", &rate);
    if (rate < 0 || rate > 1)
        fault(f, "LEAT-D0103", path, "null-rate", "Write a number from 0 to 1.",
              "the null-rate of field \"%s\" is out of range", path);
    else if (rate > 0 && !g->type->nullable)
        fault(f, "LEAT-D0103", path, "null-rate", "Remove it, or NOT NULL in the schema.",
              "field \"%s\" is NOT NULL and has a null-rate", path);
    else
        g->null_below = rate >= 1 ? UINT64_MAX : (uint64_t)(rate * 18446744073709551616.0);
}

// "10s", "5 min", "2 days"; a bare number is milliseconds, as in Flink.
static int parse_duration(const char *text, int64_t *out)
{
    static const struct {
        const char *word;
        int64_t usec;
    } units[] = {{"us", 1},         {"ms", 1000},      {"", 1000},         {"s", 1000000},       {"sec", 1000000},
                 {"min", 60000000}, {"h", 3600000000}, {"d", 86400000000}, {"day", 86400000000}, {"days", 86400000000}};
    char *end;
    long long v = strtoll(text, &end, 10);
    if (end == text || v < 0)
        return 0;
    while (*end == ' ')
        end++;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcasecmp(end, units[i].word) == 0)
            return !__builtin_mul_overflow(v, units[i].usec, out);
    return 0;
}

static void take_max_past(struct fields *f, const char *path, struct datagen_gen *g)
{
    const char *text = take(f, path, "max-past");
    if (!text)
        return;
    if (g->type->kind != LEAT_TYPE_TIMESTAMP && g->type->kind != LEAT_TYPE_TIMESTAMP_LTZ)
        fault(f, "LEAT-D0104", path, "max-past", "Remove it: it is for times.", "field \"%s\" is no TIMESTAMP", path);
    else if (!parse_duration(text, &g->max_past))
        fault(f, "LEAT-D0103", path, "max-past", "Write a number and a unit: \"1h\".", "\"%s\" is no duration", text);
}

static void take_sequence(struct fields *f, const char *path, struct datagen_gen *g)
{
    static const struct leat_type bigint = {.kind = LEAT_TYPE_BIGINT};
    const struct leat_type *t = is_exact(g->type->kind) ? g->type : &bigint;
    g->kind = DATAGEN_SEQUENCE;
    if (!is_exact(g->type->kind) && !is_real(g->type->kind) && !leat_type_is_string(g->type->kind)) {
        (void)take(f, path, "start"), (void)take(f, path, "end"); // they would be right
        fault(f, "LEAT-D0104", path, "kind", "Numbers and strings can be counted.",
              "field \"%s\" cannot be a sequence: its type has no order to count in", path);
        return;
    }
    const char *start = take(f, path, "start"), *end = take(f, path, "end");
    if (!start || !end) {
        fault(f, "LEAT-D0103", path, "kind", "Give start and end of the sequence.",
              "the sequence of field \"%s\" has no %s", path, start ? "end" : "start");
        return;
    }
    int min = take_exact(f, path, "start", t, &g->min), max = take_exact(f, path, "end", t, &g->max);
    if (min && max && g->min > g->max)
        fault(f, "LEAT-D0103", path, "start", NULL, "start of field \"%s\" is above its end", path);
}

// Of a field whose kind is not known, what goes with either may be right.
static void unknown_kind(struct fields *f, const char *path, const char *kind, const struct leat_type *t)
{
    static const char *const bounds[] = {"start", "end", "min", "max"};
    leat_i128 value;
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
        if (!is_exact(t->kind) || t->flags & LEAT_TYPE_IS_UNKNOWN)
            (void)take(f, path, bounds[i]);
        else
            (void)take_exact(f, path, bounds[i], t, &value);
    fault(f, "LEAT-D0103", path, "kind", "Write \"random\" or \"sequence\".", "there is no kind \"%s\"", kind);
}

static void take_kind(struct fields *f, const char *path, struct datagen_gen *g)
{
    const char *kind = take(f, path, "kind");
    int unknown = (g->type->flags & LEAT_TYPE_IS_UNKNOWN) != 0;
    if (unknown && (!kind || strcasecmp(kind, "sequence") == 0 || strcasecmp(kind, "random") == 0))
        return; // what else goes with it depends on the type
    if (kind && strcasecmp(kind, "sequence") == 0)
        take_sequence(f, path, g);
    else if (!kind || strcasecmp(kind, "random") == 0)
        take_range(f, path, g);
    else
        unknown_kind(f, path, kind, g->type);
}

// --- generators

static int init(struct fields *f, const char *path, const struct leat_type *type, struct datagen_gen *g);

static int init_child(struct fields *f, const char *path, const struct leat_type *type, uint32_t i,
                      struct datagen_gen *g)
{
    static const char *const parts[] = {"key", "value"};
    char child[DATAGEN_PATH_MAX];
    struct leat_bytes name = {(const uint8_t *)"element", 7};
    if (type->kind == LEAT_TYPE_MAP)
        name = (struct leat_bytes){(const uint8_t *)parts[i & 1], (uint32_t)strlen(parts[i & 1])};
    else if (type->kind == LEAT_TYPE_ROW)
        name = type->names[i];
    int n = snprintf(child, sizeof child, "%s.%.*s", path, (int)name.len, (const char *)name.ptr);
    if (n < 0 || (size_t)n >= sizeof child) {
        fault(f, "LEAT-D0102", path, NULL, NULL, "the names of its fields are too long");
        return 0;
    }
    return init(f, child, &type->children[i], g);
}

// A type that could not be read was reported; whatever its options are, they are not to blame.
static void skip_unknown(struct fields *f, const char *path)
{
    size_t len = strlen(path);
    for (uint32_t i = 0; i < f->pairs->count; i++) {
        const char *key = f->pairs->items[i].key;
        if (strncmp(key, path, len) == 0 && key[len] == '.')
            f->used[i] = 1;
    }
}

// 0 = no memory.
static int init(struct fields *f, const char *path, const struct leat_type *type, struct datagen_gen *g)
{
    g->type = type;
    g->salt = hash_bytes(path, strlen(path), 1);
    if (type->flags & LEAT_TYPE_IS_UNKNOWN) {
        take_kind(f, path, g);
        skip_unknown(f, path);
        return 1;
    }
    take_kind(f, path, g);
    take_length(f, path, g);
    take_null_rate(f, path, g);
    take_max_past(f, path, g);
    if (!type->child_count)
        return 1;
    g->children = f->ctx->host->alloc(f->ctx, type->child_count * sizeof *g->children);
    if (!g->children)
        return 0;
    memset(g->children, 0, type->child_count * sizeof *g->children);
    for (uint32_t i = 0; i < type->child_count; i++)
        if (!init_child(f, path, type, i, &g->children[i]))
            return 0;
    return 1;
}

// A word that is known, but not for this field.
static void misplaced(struct fields *f, const char *key, const char *dot)
{
    size_t len = strcspn(key, ".");
    int there = 0;
    for (uint32_t i = 0; i < f->schema->column_count && !there; i++)
        there = f->schema->columns[i].name.len == len && memcmp(f->schema->columns[i].name.ptr, key, len) == 0;
    if (!there)
        fault(f, "LEAT-D0102", key, NULL, "Write fields.NAME with a NAME of the schema.",
              "\"%.*s\" is no column of the schema", (int)len, key);
    else
        fault(f, "LEAT-D0102", key, NULL, "A sequence has start and end, a random number min and max.",
              "\"%s\" means nothing for field \"%.*s\"", dot + 1, (int)(dot - key), key);
}

static void check_unused(struct fields *f)
{
    for (uint32_t i = 0; i < f->pairs->count; i++) {
        const char *key = f->pairs->items[i].key, *dot = strrchr(key, '.');
        if (f->used[i])
            continue;
        int known = 0;
        for (size_t k = 0; dot && k < sizeof words / sizeof words[0]; k++)
            known |= strcmp(dot + 1, words[k]) == 0;
        if (!dot || !known)
            fault(f, "LEAT-D0102", key, NULL,
                  "Known are kind, min, max, start, end, length, var-len, null-rate and max-past.",
                  "datagen has no option \"fields.%s\"", key);
        else
            misplaced(f, key, dot);
    }
}

static int init_all(struct fields *f, const struct leat_schema *schema, struct datagen_gen *gens)
{
    for (uint32_t i = 0; i < schema->column_count; i++) {
        char path[DATAGEN_PATH_MAX];
        struct leat_bytes name = schema->columns[i].name;
        int n = snprintf(path, sizeof path, "%.*s", (int)name.len, (const char *)name.ptr);
        if (n < 0 || (size_t)n >= sizeof path)
            fault(f, "LEAT-D0102", "", NULL, NULL, "the name of column %u is too long", i + 1);
        else if (!init(f, path, &schema->columns[i].type, &gens[i]))
            return f->bad;
    }
    check_unused(f);
    return 1;
}

leat_status datagen_fields(struct leat_ctx *ctx, const struct datagen_config *config, const struct leat_schema *schema,
                           struct datagen_gen **out)
{
    struct fields f = {.ctx = ctx, .pairs = &config->fields, .schema = schema};
    size_t size = (schema->column_count + 1) * sizeof(struct datagen_gen);
    struct datagen_gen *gens = ctx->host->alloc(ctx, size);
    f.used = ctx->host->alloc(ctx, config->fields.count + 1);
    if (gens)
        memset(gens, 0, size);
    if (f.used)
        memset(f.used, 0, config->fields.count + 1);
    int memory = gens && f.used && init_all(&f, schema, gens);
    ctx->host->free(ctx, f.used);
    if (memory && !f.bad) {
        *out = gens;
        return LEAT_OK;
    }
    if (gens)
        datagen_fields_free(ctx, gens, schema->column_count);
    return memory
               ? leat_fail(ctx, LEAT_CONFIG, "LEAT-D0103", "the options \"fields.…\" of datagen do not fit the schema")
               : leat_no_memory(ctx);
}

static void free_children(struct leat_ctx *ctx, struct datagen_gen *g)
{
    if (!g->children)
        return;
    for (uint32_t i = 0; i < g->type->child_count; i++)
        free_children(ctx, &g->children[i]);
    ctx->host->free(ctx, g->children);
}

void datagen_fields_free(struct leat_ctx *ctx, struct datagen_gen *gens, uint32_t count)
{
    for (uint32_t i = 0; gens && i < count; i++)
        free_children(ctx, &gens[i]);
    ctx->host->free(ctx, gens);
}

int64_t datagen_rows(const struct datagen_gen *gens, uint32_t count)
{
    int64_t rows = INT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (gens[i].kind != DATAGEN_SEQUENCE)
            continue;
        leat_i128 one = gens[i].type->kind == LEAT_TYPE_DECIMAL ? (leat_i128)decimal_pow10[gens[i].type->scale] : 1;
        leat_i128 n = (gens[i].max - gens[i].min) / one + 1;
        rows = n < rows ? (int64_t)n : rows;
    }
    return rows;
}
