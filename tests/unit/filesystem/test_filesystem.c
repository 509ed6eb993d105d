// SPDX-License-Identifier: Apache-2.0
// filesystem through the plugin host, on a temporary folder: lines and their ends, folders, positions, files that grow,
// bad and long lines.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testhost.h"

#include <cmocka.h>

struct fixture {
    struct testhost *h;
    struct testhost_node *node;
    const struct leat_schema *schema;
    char folder[64];
};

static void init(struct fixture *x)
{
    x->h = testhost_create();
    x->schema = testhost_schema(x->h, "a INT", NULL);
    x->node = NULL;
    snprintf(x->folder, sizeof x->folder, "/tmp/leat-files-XXXXXX");
    assert_non_null(mkdtemp(x->folder));
}

static void fini(struct fixture *x)
{
    char command[128];
    testhost_node_destroy(x->node);
    assert_int_equal(atomic_load(&x->h->live_batches), 0);
    testhost_destroy(x->h);
    snprintf(command, sizeof command, "rm -r '%s'", x->folder);
    assert_int_equal(system(command), 0);
}

static const char *path(const struct fixture *x, const char *name)
{
    static char text[256];
    snprintf(text, sizeof text, "%s%s%s", x->folder, *name ? "/" : "", name);
    return text;
}

static void append(const struct fixture *x, const char *name, const char *text)
{
    FILE *f = fopen(path(x, name), "a");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    fclose(f);
}

// A new node over the folder, or a file of it; option and value may be NULL.
static void make(struct fixture *x, const char *name, const char *option, const char *value)
{
    testhost_node_destroy(x->node);
    x->node = testhost_node(x->h, testhost_component(x->h, "filesystem", LEAT_SOURCE, "filesystem"),
                            (const char *[]){"path", path(x, name), "format", "json", option, value, NULL});
}

static void start(struct fixture *x, const struct testhost_state *state)
{
    if (testhost_source_resume(x->node, x->schema, state) != LEAT_OK)
        fail_msg("%s", testhost_faults(x->node));
}

// Two lines in the file `name`, a run of `over` (the file, or its folder) to their end, and what it saved.
static void read_two_lines(struct fixture *x, const char *name, const char *over, struct testhost_state *saved)
{
    append(x, name, "{\"a\":1}\n{\"a\":2}\n");
    make(x, over, NULL, NULL);
    start(x, NULL);
    assert_int_equal(testhost_poll_rows(x->node, 3, 5000), LEAT_END);
    assert_int_equal(testhost_save_state(x->node, saved), LEAT_OK);
}

// The file that it knew is not the one that is there.
static void assert_does_not_go_on(struct fixture *x, const struct testhost_state *saved)
{
    make(x, "f", NULL, NULL);
    assert_int_equal(testhost_source_resume(x->node, x->schema, saved), LEAT_FATAL);
    assert_string_equal(x->node->error.code, "LEAT-D0304");
}

// A run that watches the folder and has read the two lines of "log".
static void watch_two_lines(struct fixture *x)
{
    append(x, "log", "{\"a\":1}\n{\"a\":2}\n");
    make(x, "", "source.monitor-interval", "20ms");
    start(x, NULL);
    assert_int_equal(testhost_poll_rows(x->node, 2, 5000), LEAT_OK);
}

static void test_lines_of_a_file(void **state)
{
    (void)state;
    struct fixture x;
    init(&x);
    append(&x, "f", "{\"a\":1}\n\n{\"a\":2}\r\n{\"a\":3}"); // an empty line, \r\n, no end
    make(&x, "f", NULL, NULL);
    start(&x, NULL);
    assert_int_equal(x.node->source_plan.bounded, 1);
    assert_int_equal(testhost_poll_rows(x.node, 4, 5000), LEAT_END);
    assert_string_equal(testhost_rows(x.node), "+I[1]\n+I[2]\n+I[3]\n");
    assert_int_equal(testhost_metric(x.node, "leat_filesystem_read_bytes_total"), 25);
    fini(&x);
}

static void test_a_folder_in_the_order_of_names(void **state)
{
    (void)state;
    struct fixture x;
    init(&x);
    append(&x, "b", "{\"a\":2}\n");
    append(&x, "a", "{\"a\":1}\n");
    append(&x, ".hidden", "{\"a\":8}\n");
    append(&x, "_temporary", "{\"a\":9}\n");
    append(&x, "empty", "");
    assert_int_equal(mkdir(path(&x, "c"), 0700), 0);
    append(&x, "c/x", "{\"a\":3}\n");
    make(&x, "", NULL, NULL);
    start(&x, NULL);
    assert_int_equal(testhost_poll_rows(x.node, 4, 5000), LEAT_END);
    assert_string_equal(testhost_rows(x.node), "+I[1]\n+I[2]\n+I[3]\n");
    fini(&x);
}

// 3000 lines are more than two batches; the second run begins behind the first's checkpoint.
static void test_goes_on_from_a_checkpoint(void **state)
{
    (void)state;
    struct fixture x;
    struct testhost_state saved = {0};
    char line[32];
    init(&x);
    FILE *f = fopen(path(&x, "f"), "w");
    for (int i = 0; i < 3000; i++)
        fputs((snprintf(line, sizeof line, "{\"a\":%d}\n", i), line), f);
    fclose(f);
    make(&x, "", NULL, NULL);
    start(&x, NULL);
    assert_int_equal(testhost_poll_rows(x.node, 1, 5000), LEAT_OK);
    uint64_t first = x.node->rows;
    assert_int_equal(testhost_save_state(x.node, &saved), LEAT_OK);
    assert_true(first > 0 && first < 3000);
    make(&x, "", NULL, NULL);
    start(&x, &saved);
    assert_int_equal(testhost_poll_rows(x.node, 3001, 5000), LEAT_END);
    assert_int_equal(first + x.node->rows, 3000);
    snprintf(line, sizeof line, "+I[%llu]\n", (unsigned long long)first);
    assert_memory_equal(testhost_rows(x.node), line, strlen(line));
    testhost_state_fini(&saved);
    fini(&x);
}

static void test_files_that_grow_and_new_ones(void **state)
{
    (void)state;
    struct fixture x;
    init(&x);
    append(&x, "b", "{\"a\":1}\n{\"a\"");
    make(&x, "", "source.monitor-interval", "20ms");
    x.node->open.catch_up = 1;
    start(&x, NULL);
    assert_int_equal(x.node->source_plan.bounded, 0);
    assert_int_equal(testhost_poll_rows(x.node, 1, 5000), LEAT_OK);
    append(&x, "b", ":2}\n");
    append(&x, "a", "{\"a\":3}\n");
    assert_int_equal(testhost_poll_rows(x.node, 3, 5000), LEAT_OK);
    assert_int_equal(x.node->caught_up, 1);
    append(&x, "b", "{\"a\":4}"); // taken once it does not grow any more
    assert_int_equal(testhost_poll_rows(x.node, 4, 5000), LEAT_OK);
    assert_non_null(strstr(testhost_rows(x.node), "+I[4]\n"));
    fini(&x);
}

static void test_a_file_that_was_cut(void **state)
{
    (void)state;
    struct fixture x;
    struct testhost_state saved = {0};
    init(&x);
    read_two_lines(&x, "f", "f", &saved);
    assert_int_equal(truncate(path(&x, "f"), 8), 0);
    assert_does_not_go_on(&x, &saved);
    testhost_state_fini(&saved);
    fini(&x);
}

static void rename_to(const struct fixture *x, const char *from, const char *to)
{
    char old[256];
    snprintf(old, sizeof old, "%s", path(x, from));
    assert_int_equal(rename(old, path(x, to)), 0);
}

static void test_logs_rotated_by_renaming(void **state)
{
    (void)state;
    struct fixture x;
    init(&x);
    watch_two_lines(&x);
    append(&x, "log", "{\"a\":3}\n"); // perhaps not read yet
    rename_to(&x, "log", "log.1");
    append(&x, "log", "{\"a\":4}\n"); // shorter
    assert_int_equal(testhost_poll_rows(x.node, 4, 5000), LEAT_OK);
    rename_to(&x, "log.1", "log.2");
    rename_to(&x, "log", "log.1");
    append(&x, "log", "{\"a\":5}\n{\"a\":6}\n{\"a\":7}\n"); // longer
    assert_int_equal(testhost_poll_rows(x.node, 7, 5000), LEAT_OK);
    assert_int_equal(x.node->rows, 7);
    for (int i = 1; i <= 7; i++) {
        char row[32];
        snprintf(row, sizeof row, "+I[%d]\n", i);
        assert_non_null(strstr(testhost_rows(x.node), row));
    }
    fini(&x);
}

static void test_logs_rotated_while_nobody_looked(void **state)
{
    (void)state;
    struct fixture x;
    struct testhost_state saved = {0};
    init(&x);
    read_two_lines(&x, "log", "", &saved);
    append(&x, "log", "{\"a\":3}\n");
    rename_to(&x, "log", "log.1");
    append(&x, "log", "{\"a\":4}\n{\"a\":5}\n{\"a\":6}\n{\"a\":7}\n");
    make(&x, "", NULL, NULL);
    start(&x, &saved);
    assert_int_equal(testhost_poll_rows(x.node, 6, 5000), LEAT_END);
    assert_string_equal(testhost_rows(x.node), "+I[4]\n+I[5]\n+I[6]\n+I[7]\n+I[3]\n");
    testhost_state_fini(&saved);
    fini(&x);
}

// Longer than what was read, so that its size says nothing.
static void test_a_file_that_was_replaced(void **state)
{
    (void)state;
    struct fixture x;
    struct testhost_state saved = {0};
    init(&x);
    read_two_lines(&x, "f", "f", &saved);
    assert_int_equal(unlink(path(&x, "f")), 0);
    append(&x, "f", "{\"a\":7}\n{\"a\":8}\n{\"a\":9}\n");
    assert_does_not_go_on(&x, &saved);
    testhost_state_fini(&saved);
    fini(&x);
}

static void test_a_log_that_is_copied_and_cut(void **state)
{
    (void)state;
    struct fixture x;
    init(&x);
    watch_two_lines(&x);
    assert_int_equal(truncate(path(&x, "log"), 0), 0); // and no copy in the folder
    leat_status st;
    for (int i = 0; (st = testhost_poll_rows(x.node, 3, 100)) >= 0 && i < 50; i++)
        ;
    assert_int_equal(st, LEAT_FATAL);
    assert_string_equal(x.node->error.code, "LEAT-D0304");
    assert_non_null(strstr(x.node->error.hint, "copytruncate"));
    fini(&x);
}

static void test_a_link_that_leads_back(void **state)
{
    (void)state;
    struct fixture x;
    init(&x);
    append(&x, "a", "{\"a\":1}\n");
    assert_int_equal(mkdir(path(&x, "deep"), 0700), 0);
    assert_int_equal(symlink(x.folder, path(&x, "deep/back")), 0);
    make(&x, "", NULL, NULL);
    assert_int_equal(testhost_source_resume(x.node, x.schema, NULL), LEAT_FATAL);
    assert_string_equal(x.node->error.code, "LEAT-D0303");
    assert_non_null(strstr(x.node->error.message, "leads back into itself"));
    fini(&x);
}

static void test_a_bad_line(void **state)
{
    (void)state;
    for (uint8_t skip = 0; skip < 2; skip++) {
        struct fixture x;
        init(&x);
        append(&x, "f", "{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":3}\n");
        make(&x, "f", NULL, NULL);
        x.node->skip_bad_rows = skip;
        start(&x, NULL);
        assert_int_equal(testhost_poll_rows(x.node, 3, 5000), skip ? LEAT_END : LEAT_DATA);
        assert_string_equal(testhost_rows(x.node), skip ? "+I[1]\n+I[3]\n" : "");
        assert_non_null(x.node->bad_rows);
        assert_non_null(strstr(x.node->bad_rows->where, "/f, byte 8"));
        assert_string_equal(x.node->bad_rows->raw, "{\"a\":\"x\"}");
        fini(&x);
    }
}

// Long and short of the limit, within what is read at once and far beyond it, with lines behind it.
static void test_long_lines(void **state)
{
    (void)state;
    static const size_t lengths[] = {65, 5000, 300000, 2000000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct fixture x;
        init(&x);
        char *text = malloc(lengths[i] + 64);
        assert_non_null(text);
        size_t n = (size_t)snprintf(text, 32, "{\"a\":1}\n");
        memset(text + n, ' ', lengths[i]);
        memcpy(text + n + lengths[i], "\n{\"a\":2}\n", 10);
        append(&x, "f", text);
        free(text);
        make(&x, "f", "source.max-line-size", "64");
        x.node->skip_bad_rows = 1;
        start(&x, NULL);
        assert_int_equal(testhost_poll_rows(x.node, 3, 5000), LEAT_END);
        assert_string_equal(testhost_rows(x.node), "+I[1]\n+I[2]\n");
        assert_non_null(x.node->bad_rows);
        assert_null(x.node->bad_rows->next);
        assert_non_null(strstr(x.node->bad_rows->message, "longer than 64 bytes"));
        fini(&x);
    }
}

static void test_what_is_refused(void **state)
{
    (void)state;
    struct fixture x;
    init(&x);
    make(&x, "nothing", NULL, NULL);
    assert_int_equal(testhost_source_resume(x.node, x.schema, NULL), LEAT_TRANSIENT);
    assert_int_equal(testhost_describe(x.node, NULL), LEAT_CONFIG);
    make(&x, "f", "source.path.regex-pattern", "x");
    assert_null(x.node->config);
    testhost_node_destroy(x.node);
    x.node = testhost_node(x.h, testhost_component(x.h, "filesystem", LEAT_SOURCE, "filesystem"),
                           (const char *[]){"path", "s3://bucket/x", "format", "json", NULL});
    assert_int_equal(testhost_describe(x.node, x.schema), LEAT_CONFIG);
    assert_non_null(testhost_diag(x.node, "scheme \"s3\""));
    fini(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_of_a_file),
        cmocka_unit_test(test_a_folder_in_the_order_of_names),
        cmocka_unit_test(test_goes_on_from_a_checkpoint),
        cmocka_unit_test(test_files_that_grow_and_new_ones),
        cmocka_unit_test(test_a_file_that_was_cut),
        cmocka_unit_test(test_logs_rotated_by_renaming),
        cmocka_unit_test(test_logs_rotated_while_nobody_looked),
        cmocka_unit_test(test_a_file_that_was_replaced),
        cmocka_unit_test(test_a_log_that_is_copied_and_cut),
        cmocka_unit_test(test_a_link_that_leads_back),
        cmocka_unit_test(test_a_bad_line),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
