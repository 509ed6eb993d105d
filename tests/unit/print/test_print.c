// SPDX-License-Identifier: Apache-2.0
// print through the plugin host, with standard output turned into a pipe: the text of rows, and a pipe that is full.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "testhost.h"

#include <cmocka.h>

struct fixture {
    struct testhost *h;
    struct testhost_node *node;
    const struct leat_schema *schema;
    int read_end, kept; // the pipe that descriptor 1 now is, and what descriptor 1 was
};

static void init(struct fixture *x, const char *columns, const char *const *pairs)
{
    int ends[2];
    x->h = testhost_create();
    x->h->local_time_zone = "Asia/Shanghai";
    x->node = testhost_node(x->h, testhost_component(x->h, "print", LEAT_SINK, "print"), pairs);
    x->node->open.local_time_zone = "Asia/Shanghai";
    x->schema = testhost_schema(x->h, columns, NULL);
    fflush(stdout);
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    x->read_end = ends[0];
    x->kept = dup(1);
    dup2(ends[1], 1);
    close(ends[1]);
}

static void fini(struct fixture *x)
{
    dup2(x->kept, 1);
    close(x->kept);
    close(x->read_end);
    testhost_node_destroy(x->node);
    assert_int_equal(atomic_load(&x->h->live_batches), 0);
    testhost_destroy(x->h);
}

static const char *printed(struct fixture *x)
{
    static char text[4096];
    ssize_t n = read(x->read_end, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    return text;
}

static void check(const char *columns, const char *const *pairs, const char *rows, const char *expected)
{
    struct fixture x;
    init(&x, columns, pairs);
    leat_status st = testhost_sink_start(x.node, x.schema, LEAT_MODE_ALL, NULL);
    struct leat_batch *b = testhost_batch(x.node, x.schema, rows);
    if (st == LEAT_OK)
        st = testhost_write(x.node, b, 1000);
    leat_batch_unref(b);
    char got[4096];
    snprintf(got, sizeof got, "%s", printed(&x));
    fini(&x); // before any assertion, so that its message is seen
    assert_int_equal(st, LEAT_OK);
    assert_string_equal(got, expected);
}

static void test_lines(void **state)
{
    (void)state;
    check("a INT, b STRING", NULL, "+I[1, abc]\n-U[1, abc]\n+U[1, é]\n-D[NULL, UNCHANGED]",
          "+I[1, abc]\n-U[1, abc]\n+U[1, é]\n-D[null, <unchanged>]\n");
    check("a INT", (const char *[]){"print-identifier", "warm", NULL}, "+I[1]", "warm> +I[1]\n");
}

static void test_values(void **state)
{
    (void)state;
    check("a BOOLEAN, b DOUBLE, c DECIMAL(10,2), d BYTES, e DATE, f TIME(3)", NULL,
          "+I[true, 100, 1.50, x'00ff', 2024-02-29, 12:34:56.7]",
          "+I[TRUE, 100.0, 1.50, x'00ff', 2024-02-29, 12:34:56.700]\n");
    check("a TIMESTAMP(3), b TIMESTAMP_LTZ(3)", NULL, "+I[2024-02-29 12:00:00, 2024-02-29 12:00:00]",
          "+I[2024-02-29 12:00:00.000, 2024-02-29 20:00:00.000]\n");
}

static void test_control_characters_are_escaped(void **state)
{
    (void)state;
    check("a STRING", NULL, "+I[x\x1b\\[31mred\ttab\x7f\xc2\x9b end]", "+I[x\\x1b[31mred\\ttab\\x7f\\x9b end]\n");
}

// Nobody reads: the batch is not taken, nothing blocks, and no line is lost once somebody does.
static void test_a_full_pipe_pushes_back(void **state)
{
    (void)state;
    struct fixture x;
    char long_row[1200] = "+I[";
    memset(long_row + 3, 'x', 1000);
    memcpy(long_row + 1003, "]", 2);
    init(&x, "a STRING", NULL);
    leat_status started = testhost_sink_start(x.node, x.schema, LEAT_MODE_ALL, NULL), st = LEAT_OK;
    struct leat_batch *b = testhost_batch(x.node, x.schema, long_row);
    unsigned written = 0;
    size_t seen = 0;
    while (written < 1000 && st == LEAT_OK) {
        st = testhost_write(x.node, b, 50);
        written += st == LEAT_OK;
    }
    int pushed_back = st == LEAT_AGAIN;
    do {
        seen += strlen(printed(&x));
        st = testhost_write(x.node, b, 20);
    } while (st == LEAT_AGAIN);
    for (size_t more; (more = strlen(printed(&x))) > 0;)
        seen += more;
    leat_batch_unref(b);
    fini(&x);
    assert_int_equal(started, LEAT_OK);
    assert_true(pushed_back);
    assert_int_equal(seen, (written + 1) * strlen(long_row) + written + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_control_characters_are_escaped),
        cmocka_unit_test(test_a_full_pipe_pushes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
