// SPDX-License-Identifier: Apache-2.0
// What must hold for any text, jansson being the oracle:
//
//   syntax   a text is taken exactly when jansson takes it, where nobody asks for its fields and where values that do
//            not fit are ignored
//   values   an object or array read as STRING is, read by jansson, the value that jansson reads in the text itself
//   rounds   a row that was read, written and read again is the same row: it is written as the same bytes
//
// Texts on which the two differ by intention are left out of the first two: control characters in strings (taken, as
// in Flink), halves of surrogate pairs ('?', as in Flink), UTF-16 and byte order marks, numbers beyond jansson's range,
// and depths beyond its bound. The codec is linked in, on a small host and the server's batches.
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "data/batch.h"
#include "json.h"

#define NAME(s)                                                                                                        \
    {                                                                                                                  \
        (const uint8_t *)s, sizeof(s) - 1                                                                              \
    }
#define STRING                                                                                                         \
    {                                                                                                                  \
        .kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX                                            \
    }

static const struct leat_type string_type = STRING, int_type = {.kind = LEAT_TYPE_INT, .nullable = 1};
static const struct leat_type pair_types[] = {STRING, STRING}, row_types[] = {{.kind = LEAT_TYPE_INT}, STRING};
static const struct leat_bytes row_names[] = {NAME("x"), NAME("y")};

static const struct leat_field typed_fields[] = {
    {NAME("s"), STRING},
    {NAME("i"), {.kind = LEAT_TYPE_BIGINT, .nullable = 1}},
    {NAME("t"), {.kind = LEAT_TYPE_TINYINT, .nullable = 1}},
    {NAME("d"), {.kind = LEAT_TYPE_DOUBLE, .nullable = 1}},
    {NAME("f"), {.kind = LEAT_TYPE_FLOAT, .nullable = 1}},
    {NAME("n"), {.kind = LEAT_TYPE_DECIMAL, .nullable = 1, .precision = 30, .scale = 5}},
    {NAME("b"), {.kind = LEAT_TYPE_BOOLEAN, .nullable = 1}},
    {NAME("y"), {.kind = LEAT_TYPE_VARBINARY, .nullable = 1, .length = LEAT_LENGTH_MAX}},
    {NAME("day"), {.kind = LEAT_TYPE_DATE, .nullable = 1}},
    {NAME("time"), {.kind = LEAT_TYPE_TIME, .nullable = 1, .precision = 6}},
    {NAME("at"), {.kind = LEAT_TYPE_TIMESTAMP, .nullable = 1, .precision = 6}},
    {NAME("utc"), {.kind = LEAT_TYPE_TIMESTAMP_LTZ, .nullable = 1, .precision = 6}},
    {NAME("a"), {.kind = LEAT_TYPE_ARRAY, .nullable = 1, .child_count = 1, .children = &int_type}},
    {NAME("l"), {.kind = LEAT_TYPE_ARRAY, .nullable = 1, .child_count = 1, .children = &string_type}},
    {NAME("m"), {.kind = LEAT_TYPE_MAP, .nullable = 1, .child_count = 2, .children = pair_types}},
    {NAME("r"), {.kind = LEAT_TYPE_ROW, .nullable = 1, .child_count = 2, .children = row_types, .names = row_names}},
};

static const struct leat_field nobody_fields[] = {{NAME("\x01 nobody asks"), STRING}};

// --- the host

static void *h_alloc(struct leat_ctx *ctx, size_t size)
{
    return malloc(size);
}

static void h_free(struct leat_ctx *ctx, void *ptr)
{
    free(ptr);
}

__attribute__((format(printf, 4, 0))) static leat_status h_fail(struct leat_ctx *ctx, leat_status failure,
                                                                const char *code, const char *fmt, va_list ap)
{
    char message[1024];
    int n = vsnprintf(message, sizeof message, fmt, ap);
    if (n < 0 || (size_t)n >= sizeof message)
        abort(); // messages are bounded, whatever the text
    return failure;
}

static const struct leat_host host = {
    .struct_size = sizeof host,
    .abi_major = 1,
    .alloc = h_alloc,
    .free = h_free,
    .fail = h_fail,
    .batch_grow = data_batch_grow,
    .batch_ref = data_batch_ref,
    .batch_unref = data_batch_unref,
};

// --- the codec

struct codec {
    struct leat_ctx ctx;
    struct leat_schema schema;
    void *self;
};

static void codec_open(struct codec *c, const struct leat_field *fields, uint32_t count, uint8_t ignore)
{
    static const uint32_t columns[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct fjson_config config = {.plain_decimals = 1, .ignore_parse_errors = ignore};
    *c = (struct codec){.ctx.host = &host,
                        .schema = {.struct_size = sizeof c->schema, .column_count = count, .columns = fields}};
    struct leat_format_request rq = {
        .struct_size = sizeof rq, .config = &config, .schema = &c->schema, .columns = columns, .column_count = count};
    if (fjson_create(&c->ctx, &rq, &c->self) != LEAT_OK)
        abort();
}

// The row of one text, or NULL when there is none.
static struct leat_batch *codec_read(struct codec *c, const uint8_t *text, size_t len, uint8_t lasting)
{
    uint32_t count = 0, done = 0;
    struct leat_bytes record = {text, (uint32_t)len};
    struct leat_batch *b = data_batch_create(&host, &c->schema, 1, 0, 0);
    if (!b)
        abort();
    leat_status st = fjson_decode(&c->ctx, c->self, &record, 1, lasting, b, 0, 0, &count, &done);
    if (st == LEAT_OK && count == 1)
        return b;
    if (b->rows != 0)
        abort();
    data_batch_unref(b);
    return NULL;
}

static size_t codec_write(struct codec *c, const struct leat_batch *b, struct leat_buffer *out)
{
    size_t end = 0;
    uint32_t done = 0;
    *out = (struct leat_buffer){.max = 1 << 28};
    if (fjson_encode(&c->ctx, c->self, b, 0, 1, out, &end, &done) != LEAT_OK)
        abort();
    return end;
}

// --- what must hold

static void broken(const char *what, const uint8_t *text, size_t len)
{
    fprintf(stderr, "%s: ", what);
    fwrite(text, 1, len, stderr);
    fputc('\n', stderr);
    abort();
}

static int has(const uint8_t *text, size_t len, const char *part)
{
    return memmem(text, len, part, strlen(part)) != NULL;
}

// How often: of a name that repeats jansson takes the last value, which is not always ours.
static unsigned counted(const uint8_t *text, size_t len, const char *part)
{
    unsigned n = 0;
    for (const uint8_t *at = text; (at = memmem(at, len - (size_t)(at - text), part, strlen(part))) != NULL; at++)
        n++;
    return n;
}

// May the two be compared on this text?
static int comparable(const uint8_t *text, size_t len)
{
    if (len == 0 || text[0] >= 0xEF)
        return 0;
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] == 0xED)
            return 0;
    return !has(text, len, "\\u");
}

static json_t *oracle(const uint8_t *text, size_t len, int *usable)
{
    json_error_t error;
    json_t *tree = json_loadb((const char *)text, len, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &error);
    enum json_error_code code = json_error_code(&error);
    *usable = tree || (code != json_error_numeric_overflow && code != json_error_stack_overflow);
    if (json_is_array(tree)) { // records are objects
        json_decref(tree);
        tree = NULL;
    }
    return tree;
}

static void check_taken(const uint8_t *text, size_t len, int taken, const json_t *tree)
{
    if (taken && !tree)
        broken("taken, but not by jansson", text, len);
    if (!taken && tree && len < JSON_TEXT_DEPTH)
        broken("taken by jansson only", text, len);
}

static void check_syntax(const uint8_t *text, size_t len, const json_t *tree)
{
    struct codec c;
    codec_open(&c, nobody_fields, 1, 0);
    struct leat_batch *b = codec_read(&c, text, len, 1);
    check_taken(text, len, b != NULL, tree);
    leat_batch_unref(b);
    fjson_destroy(&c.ctx, c.self);
}

// Column "s" holds the value that jansson sees.
static void check_string(const uint8_t *text, size_t len, const json_t *tree, const struct leat_batch *b)
{
    const json_t *value = json_object_get(tree, "s");
    struct leat_bytes got = b->columns[0].cells[0].bytes;
    if (!value || b->columns[0].states[0] != LEAT_VALUE)
        return;
    if (json_is_string(value)) {
        if (json_string_length(value) != got.len || memcmp(json_string_value(value), got.ptr, got.len) != 0)
            broken("another string", text, len);
    } else if (json_is_object(value) || json_is_array(value)) {
        json_t *again = json_loadb((const char *)got.ptr, got.len, JSON_ALLOW_NUL, NULL);
        if (!again || !json_equal(again, value))
            broken("another value as text", text, len);
        json_decref(again);
    }
}

static void check_round(struct codec *c, const struct leat_batch *b, const uint8_t *text, size_t len)
{
    struct leat_buffer first, second;
    size_t n = codec_write(c, b, &first);
    struct leat_batch *again = codec_read(c, first.ptr, n, 0);
    if (!again)
        broken("what was written is not read", text, len);
    size_t m = codec_write(c, again, &second);
    if (n != m || memcmp(first.ptr, second.ptr, n) != 0)
        broken("another row the second time", text, len);
    leat_batch_unref(again);
    free(first.ptr);
    free(second.ptr);
}

static void check_typed(const uint8_t *text, size_t len, const json_t *tree, uint8_t ignore, int usable)
{
    struct codec c;
    codec_open(&c, typed_fields, sizeof typed_fields / sizeof typed_fields[0], ignore);
    struct leat_batch *b = codec_read(&c, text, len, 1);
    if (usable && ignore)
        check_taken(text, len, b != NULL, tree);
    if (b && tree && counted(text, len, "\"s\"") == 1)
        check_string(text, len, tree, b);
    if (b)
        check_round(&c, b, text, len);
    leat_batch_unref(b);
    fjson_destroy(&c.ctx, c.self);
}

void json_check_text(const uint8_t *text, size_t len)
{
    int usable = comparable(text, len);
    json_t *tree = usable ? oracle(text, len, &usable) : NULL;
    if (usable)
        check_syntax(text, len, tree);
    check_typed(text, len, tree, 0, usable);
    check_typed(text, len, tree, 1, usable);
    json_decref(tree);
}
