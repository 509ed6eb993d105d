// SPDX-License-Identifier: Apache-2.0
// The format json through the plugin host: rows read and written, errors with their places, bounds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testhost.h"

#include <cmocka.h>

// --- support

struct fixture {
    struct testhost *h;
    struct testhost_node *node;
    const struct leat_schema *schema;
    struct leat_format *format;
    struct leat_buffer out;
};

static void open_format(struct fixture *x, uint8_t direction, const char *columns, const char *const *pairs)
{
    x->h = testhost_create();
    x->node = testhost_bare(x->h);
    x->schema = testhost_schema(x->h, columns, NULL);
    x->format = testhost_format(x->node, "json", pairs, direction, x->schema, NULL, 0, 0);
    x->out = (struct leat_buffer){.max = 1 << 20};
}

static void close_format(struct fixture *x)
{
    if (x->format)
        x->format->close(&x->node->ctx, x->format);
    x->node->ctx.host->free(&x->node->ctx, x->out.ptr);
    testhost_node_destroy(x->node);
    assert_int_equal(atomic_load(&x->h->live_batches), 0);
    testhost_destroy(x->h);
}

static struct leat_bytes bytes_of(const char *text)
{
    return (struct leat_bytes){(const uint8_t *)text, (uint32_t)strlen(text)};
}

// Decodes one record from memory of exactly its size, so that reading past its end is seen; the row as text, "" for
// none, the error's message when it failed.
static const char *decode(struct fixture *x, const char *text)
{
    static char row[65536];
    size_t len = strlen(text);
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    struct leat_bytes record = {copy, (uint32_t)len};
    struct leat_batch *b = leat_batch_new(&x->node->ctx, x->schema, 4);
    uint32_t count = 77, done = 77;
    leat_status st = x->format->ops->decode(&x->node->ctx, x->format->self, &record, 1, 1, b, 0, 0, &count, &done);
    row[0] = 0;
    if (st == LEAT_OK) {
        assert_int_equal(done, 1);
        assert_int_equal(count, b->rows);
        if (b->rows)
            testhost_row_text(b, 0, row, 0, sizeof row);
    } else {
        assert_int_equal(st, LEAT_DATA);
        assert_int_equal(done, 0);
        assert_int_equal(b->rows, 0);
        snprintf(row, sizeof row, "%s", x->node->error.message);
    }
    leat_batch_unref(b);
    free(copy);
    return row;
}

struct decode_case {
    const char *columns, *text, *expected;
    const char *pairs[5];
};

static void check_decode(const struct decode_case *c)
{
    struct fixture x;
    open_format(&x, LEAT_DECODE, c->columns, c->pairs);
    assert_non_null(x.format);
    const char *got = decode(&x, c->text);
    if (strcmp(got, c->expected) != 0)
        fail_msg("%s | %s: \"%s\" instead of \"%s\"", c->columns, c->text, got, c->expected);
    close_format(&x);
}

#define IGNORE                                                                                                         \
    {                                                                                                                  \
        "json.ignore-parse-errors", "true", NULL                                                                       \
    }
#define STRICT                                                                                                         \
    {                                                                                                                  \
        "json.fail-on-missing-field", "true", NULL                                                                     \
    }

// --- reading

static const struct decode_case reads[] = {
    {"a INT, b STRING", "{\"a\":1,\"b\":\"x\"}", "+I[1, x]", {NULL}},
    {"a INT, b STRING", " { \"b\" : \"x\" , \"a\" : -1 } ", "+I[-1, x]", {NULL}},
    {"a INT, b STRING", "{\"z\":[{\"y\":1},[]],\"a\":1,\"q\":null,\"b\":\"\"}", "+I[1, ]", {NULL}},
    {"a INT, b STRING", "{}", "+I[NULL, NULL]", {NULL}},
    {"a INT, b STRING", "", "", {NULL}},
    {"a INT", "{\"\\u0061\":1}", "+I[1]", {NULL}},
    {"a BIGINT", "{\"a\":9223372036854775807}", "+I[9223372036854775807]", {NULL}},
    {"a BIGINT", "{\"a\":-9223372036854775808}", "+I[-9223372036854775808]", {NULL}},
    {"a BIGINT", "{\"a\":\" -12 \"}", "+I[-12]", {NULL}},
    {"a INT", "{\"a\":1.9e1}", "+I[19]", {NULL}},
    {"a DECIMAL(10,2)", "{\"a\":-12345678.9}", "+I[-12345678.90]", {NULL}},
    {"a DECIMAL(38,4)",
     "{\"a\":1234567890123456789012345678901234.5678}",
     "+I[1234567890123456789012345678901234.5678]",
     {NULL}},
    {"a DECIMAL(10,2)", "{\"a\":\"1.005\"}", "+I[1.01]", {NULL}},
    {"a DOUBLE, b FLOAT", "{\"a\":0.1,\"b\":1e10}", "+I[0.1, 1e+10]", {NULL}},
    {"a BOOLEAN, b BOOLEAN", "{\"a\":true,\"b\":\"False\"}", "+I[true, false]", {NULL}},
    {"a DATE, b TIME(3)", "{\"a\":\"2024-02-29\",\"b\":\"12:34:56.7891\"}", "+I[2024-02-29, 12:34:56.789]", {NULL}},
    {"a TIMESTAMP(6)", "{\"a\":\"2024-02-29 12:34:56.000001\"}", "+I[2024-02-29 12:34:56.000001]", {NULL}},
    {"a TIMESTAMP_LTZ(3)", "{\"a\":\"2024-02-29 12:34:56.5Z\"}", "+I[2024-02-29 12:34:56.500Z]", {NULL}},
    {"a TIMESTAMP_LTZ(3)",
     "{\"a\":\"2024-02-29T12:34:56+02:00\"}",
     "+I[2024-02-29 10:34:56.000Z]",
     {"json.timestamp-format.standard", "ISO-8601-WITH-OFFSET", NULL}},
    {"a BYTES", "{\"a\":\"AQID\"}", "+I[x'010203']", {NULL}},
    {"a STRING", "{\"a\":\"\\u00e9\\n\\ud83d\\ude00/\\/\"}", "+I[é\n😀//]", {NULL}},
    {"a STRING", "{\"a\":\"héllo wörld, ça va\"}", "+I[héllo wörld, ça va]", {NULL}},
    {"a STRING", "{\"a\": {\"x\" : [1.50, 1E400, \"\\u00e9\"], \"y\":1, \"x\": 2 }}", "+I[{\"x\":2,\"y\":1}]", {NULL}},
    {"a STRING", "{\"a\":[1.50,1E400,123456789.123456789123,-0]}", "+I[[1.5,1E400,123456789.123456789123,0]]", {NULL}},
    {"a ARRAY<INT>, b ARRAY<ARRAY<STRING>>",
     "{\"a\":[1,null,3],\"b\":[[],[\"x\",\"y\"]]}",
     "+I[[1, NULL, 3], [[], [x, y]]]",
     {NULL}},
    {"a MAP<STRING, INT>", "{\"a\":{\"x\":1,\"y\":2,\"x\":3}}", "+I[{x=3, y=2}]", {NULL}},
    {"a ROW<x INT, y ROW<z STRING>>, b INT",
     "{\"a\":{\"y\":{\"z\":\"q\"},\"x\":1},\"b\":2}",
     "+I[[1, [q]], 2]",
     {NULL}},
    {"a INT, b STRING", "{\"a\":1,\"b\":\"x\",\"b\":\"y\"}", "+I[1, x]", {NULL}},
    {"a INT, b STRING", "{\"a\":null,\"a\":1,\"b\":\"x\"}", "+I[1, x]", {NULL}},
    {"a INT, b STRING", "{\"a\":{\"q\":1},\"b\":\"ok\"}", "+I[NULL, ok]", IGNORE},
    {"a INT, b STRING", "{\"a\":[1,[2]],\"b\":\"ok\"}", "+I[NULL, ok]", IGNORE},
    {"a INT, b STRING", "{\"a\":1,\"b\":tru}", "", IGNORE},
    {"a ARRAY<INT>", "{\"a\":[1,\"x\",3]}", "+I[[1, NULL, 3]]", IGNORE},
    {"a DECIMAL(4,2)", "{\"a\":100}", "+I[NULL]", IGNORE},
    {"a INT, b STRING", "{\"a\":1,\"b\":null}", "+I[1, NULL]", STRICT},
};

static void test_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++)
        check_decode(&reads[i]);
}

static const struct decode_case refusals[] = {
    {"a INT", "{\"a\":\"x\"}", "could not read json: field \"a\" at byte 5: expected INT, found \"x\"}", {NULL}},
    {"a DECIMAL(4,2)",
     "{\"a\":100}",
     "could not read json: field \"a\" at byte 5: expected DECIMAL(4, 2), found 100}",
     {NULL}},
    {"a BOOLEAN",
     "{\"a\":\"yes\"}",
     "could not read json: field \"a\" at byte 5: expected BOOLEAN, found \"yes\"}",
     {NULL}},
    {"r ROW<l ARRAY<ROW<x INT>>>",
     "{\"r\":{\"l\":[{},{\"x\":{}}]}}",
     "could not read json: field \"r.l[1].x\" at byte 19: expected INT, found {}}]}}",
     {NULL}},
    {"m MAP<STRING, INT>",
     "{\"m\":{\"k\":[]}}",
     "could not read json: field \"m.k\" at byte 10: expected INT, found []}}",
     {NULL}},
    {"a INT, b INT", "{\"a\":1}", "could not read json: field \"b\" is missing at byte 6", STRICT},
    {"a INT", "[{\"a\":1}]", "could not read json: byte 0: expected an object, found [{\"a\":1}]", {NULL}},
    {"a INT", " ", "could not read json: byte 1: expected an object, found the end of the record", {NULL}},
    {"a INT", "{\"a\":1,}", "could not read json: byte 7: expected a name in quotes, found }", {NULL}},
    {"a INT", "{\"a\":01}", "could not read json: field \"a\" at byte 5: expected a value, found 01}", {NULL}},
    {"a INT", "{\"a\":1", "could not read json: byte 6: expected ',' or '}', found the end of the record", {NULL}},
    {"a STRING",
     "{\"a\":\"x",
     "could not read json: field \"a\" at byte 5: expected a closing quote, found \"x",
     {NULL}},
    {"a STRING",
     "{\"a\":\"\xff\"}",
     "could not read json: field \"a\" at byte 6: expected valid UTF-8, found byte 0xff",
     {NULL}},
    {"a INT", "{\"\xff\":1}", "could not read json: byte 2: expected valid UTF-8, found byte 0xff", {NULL}},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        check_decode(&refusals[i]);
}

// --- writing

struct encode_case {
    const char *columns, *row, *expected;
    const char *pairs[5];
};

static const struct encode_case writes[] = {
    {"a INT, b STRING", "+I[1, x]", "{\"a\":1,\"b\":\"x\"}", {NULL}},
    {"a INT, b STRING", "+I[NULL, NULL]", "{\"a\":null,\"b\":null}", {NULL}},
    {"a INT, b STRING, c INT", "+I[NULL, y, NULL]", "{\"b\":\"y\"}", {"json.encode.ignore-null-fields", "true", NULL}},
    {"`say \"hi\"` INT", "+I[1]", "{\"say \\\"hi\\\"\":1}", {NULL}},
    {"a STRING",
     "+I[tab\there \"q\" \\\\ \x01 é 😀 and a tail]",
     "{\"a\":\"tab\\there \\\"q\\\" \\\\ \\u0001 é \\uD83D\\uDE00 and a tail\"}",
     {NULL}},
    {"a DECIMAL(10,2)", "+I[100.00]", "{\"a\":100}", {NULL}},
    {"a DECIMAL(10,2)", "+I[100.00]", "{\"a\":1E+2}", {"json.encode.decimal-as-plain-number", "false", NULL}},
    {"a DECIMAL(10,2)", "+I[-0.50]", "{\"a\":-0.5}", {NULL}},
    {"a DOUBLE, b FLOAT", "+I[100, 0.1]", "{\"a\":100.0,\"b\":0.1}", {NULL}},
    {"a DOUBLE", "+I[nan]", "{\"a\":\"NaN\"}", {NULL}},
    {"a BOOLEAN", "+I[true]", "{\"a\":true}", {NULL}},
    {"a DATE, b TIME(6)", "+I[2024-02-29, 12:00:00.120]", "{\"a\":\"2024-02-29\",\"b\":\"12:00:00.12\"}", {NULL}},
    {"a TIMESTAMP(6)", "+I[1969-12-31 23:59:59.999999]", "{\"a\":\"1969-12-31 23:59:59.999999\"}", {NULL}},
    {"a TIMESTAMP_LTZ(3)",
     "+I[2024-02-29 12:00:00]",
     "{\"a\":\"2024-02-29T12:00:00Z\"}",
     {"json.timestamp-format.standard", "ISO-8601", NULL}},
    {"a BYTES", "+I[x'fbff00']", "{\"a\":\"+/8A\"}", {NULL}},
};

static void test_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        const struct encode_case *c = &writes[i];
        struct fixture x;
        size_t end;
        uint32_t done;
        open_format(&x, LEAT_ENCODE, c->columns, c->pairs);
        assert_non_null(x.format);
        struct leat_batch *b = testhost_batch(x.node, x.schema, c->row);
        assert_int_equal(x.format->ops->encode(&x.node->ctx, x.format->self, b, 0, 1, &x.out, &end, &done), LEAT_OK);
        if (end != strlen(c->expected) || memcmp(x.out.ptr, c->expected, end) != 0)
            fail_msg("%s: %.*s instead of %s", c->row, (int)end, (const char *)x.out.ptr, c->expected);
        leat_batch_unref(b);
        close_format(&x);
    }
}

// Containers have no text for testhost_batch: what was read is written again.
static void test_containers_come_back(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,null],\"m\":{\"x\":[],\"y\":null},\"r\":{\"d\":1.5,\"s\":null}}";
    struct fixture x;
    open_format(&x, LEAT_DECODE, "a ARRAY<INT>, m MAP<STRING, ARRAY<INT>>, r ROW<d DECIMAL(5,2), s STRING>", NULL);
    struct leat_batch *b = leat_batch_new(&x.node->ctx, x.schema, 1);
    struct leat_bytes record = bytes_of(text);
    uint32_t count, done;
    size_t end;
    assert_int_equal(x.format->ops->decode(&x.node->ctx, x.format->self, &record, 1, 0, b, 0, 0, &count, &done),
                     LEAT_OK);
    assert_int_equal(x.format->ops->encode(&x.node->ctx, x.format->self, b, 0, 1, &x.out, &end, &done), LEAT_OK);
    assert_int_equal(end, strlen(text));
    assert_memory_equal(x.out.ptr, text, end);
    leat_batch_unref(b);
    close_format(&x);
}

// --- many records

static void test_batches(void **state)
{
    (void)state;
    struct fixture x;
    open_format(&x, LEAT_DECODE, "a INT, b STRING", NULL);
    struct leat_batch *b = leat_batch_new(&x.node->ctx, x.schema, 2);
    struct leat_bytes records[] = {bytes_of("{\"a\":1,\"b\":\"one\"}"), bytes_of(""), bytes_of("{\"a\":2}"),
                                   bytes_of("{\"a\":3}")};
    uint32_t counts[4], done;
    char text[128];
    assert_int_equal(x.format->ops->decode(&x.node->ctx, x.format->self, records, 4, 0, b, 0, 0, counts, &done),
                     LEAT_OK);
    assert_int_equal(done, 3); // full
    assert_int_equal(counts[0] + counts[1] * 10 + counts[2] * 100, 101);
    // the same rows' columns again, as a key format does it
    struct leat_bytes keys[] = {bytes_of("{\"b\":\"uno\"}"), bytes_of("{\"a\":7}")};
    assert_int_equal(x.format->ops->decode(&x.node->ctx, x.format->self, keys, 2, 0, b, 1, 0, counts, &done), LEAT_OK);
    assert_int_equal(b->rows, 2);
    testhost_row_text(b, 0, text, 0, sizeof text);
    assert_string_equal(text, "+I[NULL, uno]");
    leat_batch_unref(b);
    close_format(&x);
}

static void test_a_bad_record_between_good_ones(void **state)
{
    (void)state;
    struct fixture x;
    open_format(&x, LEAT_DECODE, "a INT", NULL);
    struct leat_batch *b = leat_batch_new(&x.node->ctx, x.schema, 8);
    struct leat_bytes records[] = {bytes_of("{\"a\":1}"), bytes_of("{\"a\":\"x\"}"), bytes_of("{\"a\":3}")};
    uint32_t counts[3], done;
    const struct leat_format_ops *ops = x.format->ops;
    assert_int_equal(ops->decode(&x.node->ctx, x.format->self, records, 3, 1, b, 0, 0, counts, &done), LEAT_DATA);
    assert_int_equal(done, 1);
    assert_int_equal(b->rows, 1);
    assert_string_equal(x.node->error.code, "LEAT-F0104");
    assert_int_equal(ops->decode(&x.node->ctx, x.format->self, records + 2, 1, 1, b, 0, 0, counts, &done), LEAT_OK);
    assert_int_equal(b->rows, 2);
    leat_batch_unref(b);
    close_format(&x);
}

static void test_a_record_longer_than_allowed(void **state)
{
    (void)state;
    struct fixture x;
    size_t ends[2];
    uint32_t done;
    open_format(&x, LEAT_ENCODE, "a STRING", NULL);
    x.out.max = 64;
    struct leat_batch *b =
        testhost_batch(x.node, x.schema,
                       "+I[short]\n+I[this text is much too long for an output of sixty-four bytes and so it fails]");
    assert_int_equal(x.format->ops->encode(&x.node->ctx, x.format->self, b, 0, 2, &x.out, ends, &done), LEAT_DATA);
    assert_int_equal(done, 1);
    assert_int_equal(x.out.len, ends[0]);
    leat_batch_unref(b);
    close_format(&x);
}

static void test_depth_is_bounded(void **state)
{
    (void)state;
    enum { DEPTH = 5000 };
    static char text[2 * DEPTH + 32];
    for (int passed_by = 0; passed_by < 2; passed_by++) {
        struct fixture x;
        char *to = text + snprintf(text, sizeof text, "%s", passed_by ? "{\"z\":" : "{\"a\":");
        memset(to, '[', DEPTH);
        memset(to + DEPTH, ']', DEPTH);
        memcpy(to + 2 * DEPTH, "}", 2);
        open_format(&x, LEAT_DECODE, "a STRING", NULL);
        assert_non_null(strstr(decode(&x, text), "expected fewer objects and arrays within each other"));
        close_format(&x);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\":[\"\\u0041\",\"b\"],\"m\":{\"x\":1,\"y\":2},\"s\":{\"k\":[1,2]},\"r\":{\"q\":\"z\"}}";
    for (int n = 1; n < 64; n++) {
        struct fixture x;
        open_format(&x, LEAT_DECODE, "a ARRAY<STRING>, m MAP<STRING, INT>, s STRING, r ROW<q STRING>", NULL);
        struct leat_batch *b = leat_batch_new(&x.node->ctx, x.schema, 2);
        struct leat_bytes record = bytes_of(text);
        uint32_t count, done;
        atomic_store(&x.h->fail_alloc, n);
        leat_status st = x.format->ops->decode(&x.node->ctx, x.format->self, &record, 1, 0, b, 0, 0, &count, &done);
        int used = atomic_load(&x.h->fail_alloc) <= 0;
        atomic_store(&x.h->fail_alloc, 0);
        assert_int_equal(st, used ? LEAT_RESOURCE : LEAT_OK);
        leat_batch_unref(b);
        close_format(&x);
        if (!used)
            return;
    }
    fail_msg("allocations without end");
}

static void test_options_are_checked(void **state)
{
    (void)state;
    struct fixture x;
    open_format(&x, LEAT_DECODE, "a INT",
                (const char *[]){"json.ignore-parse-errors", "true", "json.fail-on-missing-field", "true", NULL});
    assert_null(x.format);
    assert_non_null(testhost_diag(x.node, "cannot both be true"));
    close_format(&x);
    open_format(&x, LEAT_DECODE, "a MAP<INT, STRING>", NULL);
    assert_null(x.format);
    assert_non_null(testhost_diag(x.node, "keys of type STRING only"));
    close_format(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_writes),
        cmocka_unit_test(test_containers_come_back),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_a_bad_record_between_good_ones),
        cmocka_unit_test(test_a_record_longer_than_allowed),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
