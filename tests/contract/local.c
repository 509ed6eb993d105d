// SPDX-License-Identifier: Apache-2.0
// Fixtures of the components that need no server.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include "contract.h"

#include <cmocka.h>

// --- datagen

static const char *const *datagen_options(void)
{
    static const char *const options[] = {"fields.id.kind", "sequence",        "fields.id.start", "0", "fields.id.end",
                                          "2999",           "rows-per-second", "1000000",         NULL};
    return options;
}

// --- filesystem

static char file_path[64];

static void make_file(struct testhost *h)
{
    strcpy(file_path, "/tmp/leat-contract-XXXXXX");
    int fd = mkstemp(file_path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    for (int i = 0; i < 3000; i++)
        fprintf(f, "{\"id\": %d, \"name\": \"a name\"}\n", i);
    fclose(f);
}

static void remove_file(void)
{
    unlink(file_path);
}

static const char *const *filesystem_options(void)
{
    static const char *options[] = {"path", file_path, "format", "json", NULL};
    return options;
}

#define VALUES_ROWS 700

// SELECT CAST(n AS BIGINT) AS id FROM (VALUES (0), (1), …) AS t(n)
static const char *const *values_options(void)
{
    static char query[16 * VALUES_ROWS];
    static const char *const options[] = {"query", query, NULL};
    size_t len = (size_t)snprintf(query, sizeof query, "SELECT CAST(n AS BIGINT) AS id FROM (VALUES ");
    for (int i = 0; i < VALUES_ROWS; i++)
        len += (size_t)snprintf(query + len, sizeof query - len, "%s(%d)", i ? ", " : "", i);
    snprintf(query + len, sizeof query - len, ") AS t(n)");
    return options;
}

static const struct contract_source sources[] = {
    {.name = "datagen", .columns = "id BIGINT, name STRING", .rows = 3000, .options = datagen_options},
    {.name = "filesystem",
     .columns = "id BIGINT, name STRING",
     .rows = 3000,
     .prepare = make_file,
     .clean = remove_file,
     .options = filesystem_options},
    {.name = "values", .plugin = "sql", .rows = VALUES_ROWS, .port_count = 1, .options = values_options},
};

// --- print: descriptor 1 becomes a file while a case runs

static int print_file = -1, real_output = -1;
static char *print_text;

static void catch_output(struct testhost *h)
{
    char path[] = "/tmp/leat-contract-print-XXXXXX";
    fflush(stdout);
    print_file = mkstemp(path);
    assert_true(print_file >= 0);
    unlink(path);
    real_output = dup(1);
    dup2(print_file, 1);
}

static void give_output_back(void)
{
    if (real_output < 0)
        return;
    dup2(real_output, 1);
    close(real_output);
    close(print_file);
    real_output = print_file = -1;
    free(print_text);
    print_text = NULL;
}

// "+I[17, text]" becomes "17|text".
static const char *printed(struct testhost *h)
{
    off_t len = lseek(print_file, 0, SEEK_END);
    free(print_text);
    print_text = calloc(1, (size_t)len + 1);
    assert_int_equal(pread(print_file, print_text, (size_t)len, 0), len);
    char *to = print_text;
    for (const char *line = print_text; *line;) {
        const char *next = strchr(line, '\n') + 1, *open = strchr(line, '['), *comma = strchr(open, ',');
        size_t id = (size_t)(comma - open - 1), value = (size_t)(next - comma - 4);
        memmove(to, open + 1, id);
        to[id] = '|';
        memmove(to + id + 1, comma + 2, value);
        to[id + 1 + value] = '\n';
        to += id + value + 2;
        line = next;
    }
    *to = 0;
    return print_text;
}

static const char *const *no_options(void)
{
    static const char *const options[] = {NULL};
    return options;
}

static const struct contract_sink sinks[] = {
    {.name = "print",
     .columns = "id BIGINT, value STRING",
     .mode = LEAT_MODE_ALL,
     .options = no_options,
     .fresh = catch_output,
     .clean = give_output_back,
     .content = printed},
    {.name = "blackhole", .columns = "id BIGINT, value STRING", .mode = LEAT_MODE_ALL, .options = no_options},
};

// --- operators

static const char *const filter[] = {"query", "SELECT id, name || '!' AS name FROM t WHERE id > 1", NULL};
static const char *const join[] = {"query", "SELECT o.oid, o.uid, u.name FROM o LEFT JOIN u ON o.uid = u.uid", NULL};
static const char *const nothing[] = {NULL};

static const struct contract_operator operators[] = {
    {.title = "normalize",
     .name = "normalize",
     .options = nothing,
     .inputs = {{"id BIGINT NOT NULL, name STRING", "id", LEAT_MODE_UPSERT}},
     .input_count = 1,
     .before = {{0, "+I[1, a];+I[2, b];+I[3, c]"}, {0, "+U[1, A];-D[2, ABSENT]"}, {0, "+I[4, d]"}},
     .after = {{0, "+U[1, AA];-D[2, ABSENT];-D[3, ABSENT]"}, {0, "+U[4, D];+I[2, bb]"}}},
    {.title = "sql filter",
     .name = "sql",
     .options = filter,
     .inputs = {{"id BIGINT, name STRING", NULL, LEAT_MODE_INSERT_ONLY}},
     .input_count = 1,
     .before = {{0, "+I[1, a];+I[2, b]"}, {0, "+I[3, c]"}},
     .after = {{0, "+I[0, x]"}, {0, "+I[5, e]"}}},
    {.title = "sql join",
     .name = "sql",
     .options = join,
     .inputs = {{"oid BIGINT NOT NULL, uid BIGINT", "oid", LEAT_MODE_ALL},
                {"uid BIGINT NOT NULL, name STRING", "uid", LEAT_MODE_ALL}},
     .input_count = 2,
     .before = {{0, "+I[1, 10];+I[2, 20]"}, {1, "+I[10, ann]"}, {1, "+I[20, bob]"}, {0, "+I[3, 40];+I[4, 30]"}},
     .after = {{1, "-U[10, ann];+U[10, anna]"}, {0, "-D[2, 20]"}, {1, "+I[30, cat]"}, {1, "-D[20, bob]"}}},
};

// --- formats

static const struct contract_format formats[] = {
    {.name = "json",
     .options = nothing,
     .columns = "id BIGINT NOT NULL, name STRING, amount DECIMAL(10,2), at TIMESTAMP(3), good BOOLEAN, d DOUBLE",
     .rows = "+I[1, ann, 1.50, 2024-01-01 00:00:00.000, true, 0.5];+I[2, NULL, NULL, NULL, NULL, NULL];"
             "+I[-9223372036854775808, \xc3\xa4\"\xe2\x82\xac, -99999999.99, 1969-12-31 23:59:59.999, false, -1.5]"},
};

// --- all of them, before anything runs

static const char *const *filter_options(void)
{
    return filter;
}

static const char *const *plain_file(void)
{
    static const char *const options[] = {"path", "/tmp/rows.json", "format", "json", NULL};
    return options;
}

static const struct contract_component components[] = {
    {"datagen", "datagen", "datagen", LEAT_SOURCE, datagen_options, "id BIGINT, name STRING", NULL, 0},
    {"filesystem", "filesystem", "filesystem", LEAT_SOURCE, plain_file, "id BIGINT, name STRING", NULL, 0},
    {"print", "print", "print", LEAT_SINK, no_options, "id BIGINT, value STRING", NULL, LEAT_MODE_ALL},
    {"blackhole", "blackhole", "blackhole", LEAT_SINK, no_options, "id BIGINT", NULL, LEAT_MODE_ALL},
    {"normalize", "normalize", "normalize", LEAT_OPERATOR, no_options, "id BIGINT NOT NULL, name STRING", "id",
     LEAT_MODE_UPSERT},
    {"values", "sql", "values", LEAT_SOURCE, values_options, NULL, NULL, 0},
    {"sql", "sql", "sql", LEAT_OPERATOR, filter_options, "id BIGINT, name STRING", NULL, LEAT_MODE_INSERT_ONLY},
    {"format-json", "format-json", "json", LEAT_FORMAT, no_options, NULL, NULL, 0},
};

int main(void)
{
    return contract_run_static(components, sizeof components / sizeof components[0]) +
           contract_run_sources(sources, sizeof sources / sizeof sources[0]) +
           contract_run_sinks(sinks, sizeof sinks / sizeof sinks[0]) +
           contract_run_operators(operators, sizeof operators / sizeof operators[0]) +
           contract_run_formats(formats, sizeof formats / sizeof formats[0]);
}
