// SPDX-License-Identifier: Apache-2.0
// The model: what comes out of right files, and every fault of wrong ones, each once and at its place.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/str.h"
#include "config/config.h"
#include "plugin/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above, and defines a macro fail that host.h must not see
#include <cmocka.h>

// --- a plugin

struct gen_config {
    const char *path;
    int64_t rate, size, wait;
    double ratio;
    uint8_t on;
    int32_t mode;
    struct leat_strings topics;
    struct leat_pairs properties;
    const char *format, *password, *query;
};

#define AT(member) offsetof(struct gen_config, member)
static const struct leat_option gen_options[] = {
    {.name = "path",
     .type = LEAT_OPT_STRING,
     .flags = LEAT_OPT_REQUIRED,
     .offset = AT(path),
     .doc = "Path.",
     .example = "\"/tmp/x\""},
    {.name = "rate", .type = LEAT_OPT_INT, .offset = AT(rate), .def = "7", .min = "1", .max = "100", .doc = "Rate."},
    {.name = "buffer.size", .type = LEAT_OPT_BYTES, .offset = AT(size), .def = "1MiB", .min = "1kb", .doc = "Size."},
    {.name = "wait", .type = LEAT_OPT_DURATION, .offset = AT(wait), .max = "1h", .doc = "Wait."},
    {.name = "ratio", .type = LEAT_OPT_FLOAT, .offset = AT(ratio), .doc = "Ratio."},
    {.name = "on", .type = LEAT_OPT_BOOL, .offset = AT(on), .def = "true", .doc = "On."},
    {.name = "scan.startup.mode",
     .type = LEAT_OPT_ENUM,
     .offset = AT(mode),
     .words = "earliest-offset|latest-offset",
     .doc = "Mode."},
    {.name = "topic", .type = LEAT_OPT_LIST, .offset = AT(topics), .doc = "Topics."},
    {.name = "properties.", .type = LEAT_OPT_MAP, .flags = LEAT_OPT_SECRET, .offset = AT(properties), .doc = "Client."},
    {.name = "value.format", .type = LEAT_OPT_FORMAT, .offset = AT(format), .doc = "Format."},
    {.name = "password", .type = LEAT_OPT_STRING, .flags = LEAT_OPT_SECRET, .offset = AT(password), .doc = "Secret."},
    {.name = "old.wait",
     .type = LEAT_OPT_DURATION,
     .flags = LEAT_OPT_DEPRECATED,
     .offset = AT(wait),
     .doc = "Old.",
     .successor = "wait"},
    {.name = "scan.bounded.mode", .flags = LEAT_OPT_UNSUPPORTED, .doc = "Not yet."},
    {.name = "debezium.", .flags = LEAT_OPT_SENSELESS, .doc = "There is no Debezium here."},
};

struct sink_config {
    const char *table, *query;
};

static const struct leat_option sink_options[] = {
    {.name = "table", .type = LEAT_OPT_STRING, .offset = offsetof(struct sink_config, table), .doc = "Table."},
    {.name = "query",
     .type = LEAT_OPT_STRING,
     .flags = LEAT_OPT_VERBATIM,
     .offset = offsetof(struct sink_config, query),
     .doc = "Query."},
};

struct json_config {
    uint8_t lenient;
};

static const struct leat_option json_options[] = {
    {.name = "ignore-parse-errors",
     .type = LEAT_OPT_BOOL,
     .offset = offsetof(struct json_config, lenient),
     .def = "false",
     .doc = "Lenient."},
};

static leat_status check_gen(struct leat_ctx *ctx, const void *config)
{
    const struct gen_config *c = config;
    if (c->rate != 13)
        return LEAT_OK;
    leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-G0001", "rate", 1, "Take 12.", "rate %d brings bad luck", 13);
    return LEAT_CONFIG;
}

// The functions are never called; the registry only wants them to be there.
static void nothing(void) {}
#define FN (void *)nothing

static struct leat_source_ops source_ops = {.struct_size = sizeof source_ops};
static struct leat_sink_ops sink_ops = {.struct_size = sizeof sink_ops};
static struct leat_operator_ops operator_ops = {.struct_size = sizeof operator_ops};
static struct leat_format_ops format_ops = {.struct_size = sizeof format_ops};

static void fill_ops(void)
{
    void (*fn)(void) = nothing;
    void *all[] = {&source_ops, &sink_ops, &operator_ops, &format_ops};
    size_t sizes[] = {sizeof source_ops, sizeof sink_ops, sizeof operator_ops, sizeof format_ops};
    for (size_t i = 0; i < 4; i++) {
        for (size_t at = sizeof fn; at < sizes[i]; at += sizeof fn)
            memcpy((char *)all[i] + at, &fn, sizeof fn);
    }
}

#define OPTIONS(table)                                                                                                 \
    .options = table, .option_count = sizeof table / sizeof table[0], .option_stride = sizeof table[0]
static const struct leat_component components[] = {
    {.struct_size = sizeof components[0],
     .kind = LEAT_SOURCE,
     .name = "gen",
     .summary = "s",
     OPTIONS(gen_options),
     .config_size = sizeof(struct gen_config),
     .check = check_gen,
     .source = &source_ops},
    {.struct_size = sizeof components[0],
     .kind = LEAT_SINK,
     .name = "gen",
     .summary = "s",
     OPTIONS(sink_options),
     .config_size = sizeof(struct sink_config),
     .sink = &sink_ops},
    {.struct_size = sizeof components[0],
     .kind = LEAT_OPERATOR,
     .name = "sql",
     .summary = "s",
     OPTIONS(sink_options),
     .config_size = sizeof(struct sink_config),
     .op = &operator_ops},
    {.struct_size = sizeof components[0],
     .kind = LEAT_FORMAT,
     .name = "json",
     .summary = "s",
     OPTIONS(json_options),
     .config_size = sizeof(struct json_config),
     .format = &format_ops},
};
static const struct leat_plugin plugin = {.magic = LEAT_MAGIC,
                                          .abi_major = LEAT_ABI_MAJOR,
                                          .struct_size = sizeof plugin,
                                          .name = "test",
                                          .version = "1",
                                          .vcs_id = "",
                                          .components = components,
                                          .component_count = 4,
                                          .component_stride = sizeof components[0]};

// --- the fixture

struct fixture {
    struct base_diags diags;
    struct base_secrets *secrets;
    struct plugin_registry *registry;
    struct config *config;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct base_error err;
    fill_ops();
    assert_true(base_diags_init(&f->diags));
    f->secrets = base_secrets_create();
    f->registry = plugin_registry_create();
    if (plugin_registry_add(f->registry, "(test)", &plugin, &err) != LEAT_OK)
        fail_msg("%s", err.message);
    f->config = config_create(&f->diags, f->secrets, &err);
    assert_non_null(f->config);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    config_destroy(f->config);
    plugin_registry_destroy(f->registry);
    base_secrets_destroy(f->secrets);
    base_diags_fini(&f->diags);
    free(f);
    return 0;
}

// All diagnostics as "line:column+len word: message\n" with the hint behind " | ".
static char *faults(struct fixture *f)
{
    struct base_str s;
    base_str_init(&s);
    base_diags_sort(&f->diags);
    for (uint32_t i = 0; i < f->diags.count; i++) {
        const struct base_diag *d = &f->diags.items[i];
        base_str_addf(&s, "%u:%u %c %s%s%s\n", d->place.line, d->place.column,
                      d->severity == LEAT_DIAG_ERROR ? 'E' : 'W', d->message, d->hint ? " | " : "",
                      d->hint ? d->hint : "");
    }
    return base_str_take(&s);
}

static void test_right_file(void **state)
{
    struct fixture *f = *state;
    setenv("LEAT_TEST_RATE", "42", 1);
    static const char text[] = "[server]\n"
                               "http.listen = \"127.0.0.1:0\"\n"
                               "[pipeline]\n"
                               "name = \"orders\"\n"
                               "checkpoint.interval = \"2s\"\n"
                               "[sinks.out]\n"
                               "input = [\"a\", \"b.c\"]\n"
                               "connector = \"gen\"\n"
                               "primary-key = [\"id\"]\n"
                               "[sources.a]\n"
                               "connector = \"gen\"\n"
                               "path = '/tmp/$$HOME/${LEAT_TEST_NONE:-x}'\n"
                               "rate = \"${LEAT_TEST_RATE}\"\n"
                               "buffer.size = \"2kb\"\n"
                               "wait = \"1 min\"\n"
                               "ratio = 1\n"
                               "on = \"false\"\n"
                               "scan.startup.mode = \"LATEST_OFFSET\"\n"
                               "topic = \"x; y\"\n"
                               "properties.a.b = \"c\"\n"
                               "properties.n = 5\n"
                               "value.format = \"json\"\n"
                               "value.json.ignore-parse-errors = true\n"
                               "watermark = { column = \"t\", delay = \"5s\" }\n"
                               "[sources.a.schema]\n"
                               "z = \"BIGINT NOT NULL\"\n"
                               "a = \"STRING\"\n"
                               "[operators.q]\n"
                               "operator = \"sql\"\n"
                               "query = \"\"\"\n"
                               "SELECT '${x}' \\\n"
                               "   FROM a\"\"\"\n";
    bool ok = config_load_text(f->config, "t.toml", text) && config_resolve(f->config, f->registry);
    char *all = faults(f);
    assert_string_equal(all, "24:15 W watermarks have no effect yet: nothing that reads them is available\n");
    free(all);
    assert_true(ok);
    assert_string_equal(f->config->server.http_listen, "127.0.0.1:0");
    assert_int_equal(f->config->server.stall_warning, 1000000);
    const struct config_pipeline *p = &f->config->pipelines[0];
    assert_string_equal(p->options.name, "orders");
    assert_int_equal(p->options.checkpoint_interval, 2000000);
    assert_string_equal(p->options.time_zone, "UTC");
    assert_int_equal(p->node_count, 3);
    const struct config_node *out = &p->nodes[0], *a = &p->nodes[1], *q = &p->nodes[2];
    assert_string_equal(out->name, "out");
    assert_int_equal(out->options.input.count, 2);
    assert_string_equal(out->options.input.items[1], "b.c");
    assert_string_equal(out->options.primary_key.items[0], "id");
    assert_true(out->options.parallelism == LEAT_UNSET);
    const struct gen_config *c = a->config;
    assert_string_equal(c->path, "/tmp/$HOME/x");
    assert_int_equal(c->rate, 42);
    assert_int_equal(c->size, 2048);
    assert_int_equal(c->wait, 60000000);
    assert_true(c->ratio == 1.0);
    assert_int_equal(c->on, 0);
    assert_int_equal(c->mode, 1);
    assert_int_equal(c->topics.count, 2);
    assert_string_equal(c->topics.items[1], "y");
    assert_int_equal(c->properties.count, 2);
    assert_string_equal(c->properties.items[0].key, "a.b");
    assert_string_equal(c->properties.items[1].value, "5");
    assert_int_equal(a->format_count, 1);
    assert_int_equal(((const struct json_config *)a->formats[0].config)->lenient, 1);
    assert_string_equal(a->options.watermark_column, "t");
    assert_int_equal(a->column_count, 2);
    assert_string_equal(a->columns[0].name, "z");
    assert_string_equal(a->columns[1].type, "STRING");
    assert_string_equal(((const struct sink_config *)q->config)->query, "SELECT '${x}' FROM a");
    struct base_place at = config_option_place(q, "query", 14); // FROM
    assert_int_equal(at.line, 32);
    assert_int_equal(at.column, 4);
    at = config_option_place(q, "query", 8);
    assert_int_equal(at.line, 31);
    assert_int_equal(at.column, 9);
}

struct bad {
    const char *text, *want;
};

#define NODE "[sources.a]\nconnector = \"gen\"\npath = \"p\"\n" // three lines

static const struct bad cases[] = {
    {"", ""},
    {"[sorces.a]\nx = 1\n", "1:2 E unknown section \"sorces\" | Did you mean \"sources\"?\n"
                            "1:9 E source \"a\" needs the option \"connector\" | For example: connector = \"kafka\"\n"},
    {"x = 1\n",
     "1:1 E option \"x\" stands outside of every section | Options stand below the section that they belong to.\n"},
    {"sources = 1\n", "1:1 E \"sources\" must be a section, written as [sources.NAME]\n"},
    {"[sources]\na = 1\n", "2:5 E source \"a\" must be a table of options\n"},
    {"[server]\nhttp.listn = \"x\"\nworkers = 1000\n[pipeline]\nname = \"a b\"\ncheckpoint.interval = \"1ms\"\n",
     "2:1 E unknown option \"http.listn\" of [server] | Did you mean \"http.listen\"?\n"
     "3:11 E option \"workers\" must be between 0 and 256\n"
     "5:8 E \"a b\" is no name for a pipeline | Names consist of letters, digits, '_' and '-', and have at most 64 "
     "characters.\n"
     "6:23 E option \"checkpoint.interval\" must be between 10ms and 1d\n"},
    {"[pipeline]\ndelivery = \"exactly-once\"\nstate.backend.type = \"lmdb\"\n",
     "2:12 E delivery \"exactly-once\" is not available yet | Write \"at-least-once\"; upsert sinks are effectively "
     "once "
     "with it.\n3:22 E state backend \"lmdb\" is not available yet | Write \"hashmap\".\n"},
    {"[sources.a]\n", "1:10 E source \"a\" needs the option \"connector\" | For example: connector = \"kafka\"\n"},
    {"[sources.a]\nconnector = \"gem\"\nwhatever = 1\n",
     "1:10 E connector \"gen\" needs the option \"path\" | For example: path = \"/tmp/x\"\n"
     "2:13 E unknown connector \"gem\" | Did you mean \"gen\"?\n"
     "3:1 E unknown option \"whatever\" of connector \"gen\"\n"},
    {"[sources.a]\nconnector = \"mysql-cdc\"\n",
     "2:13 E connector \"mysql-cdc\" is known in Flink, not supported yet | As a source there are: gen.\n"},
    {"[lookups.a]\nconnector = \"gen\"\n", "2:13 E \"gen\" is known as a source, not as a lookup\n"},
    {"[sources.a]\nconnector = 5\n", "2:13 E option \"connector\" must be a string in quotes\n"},
    {"[sources.a]\nconnector = \"gen\"\n",
     "1:10 E connector \"gen\" needs the option \"path\" | For example: path = \"/tmp/x\"\n"},
    {NODE "rate = 0\nbuffer.size = \"1 parsec\"\nwait = \"2h\"\nratio = \"x\"\non = 1\n",
     "4:8 E option \"rate\" must be between 1 and 100\n"
     "5:15 E option \"buffer.size\" must be a size such as \"64MiB\", but \"1 parsec\" has an unknown unit\n"
     "6:8 E option \"wait\" must be at most 1h\n"
     "7:9 E option \"ratio\" must be a number, not the string \"x\"\n"
     "8:6 E option \"on\" must be true or false, not the number 1\n"},
    {NODE "scan.startup.mode = \"latest-ofset\"\n",
     "4:21 E option \"scan.startup.mode\" must be \"earliest-offset\" or \"latest-offset\", not the string "
     "\"latest-ofset\" | Did you mean \"latest-offset\"?\n"},
    {"[sources.a]\nconnector = \"gen\"\npath = 5\n",
     "3:8 E option \"path\" must be a string in quotes, not the number 5 | For example: path = \"/tmp/x\"\n"},
    {NODE "topic = [1]\n", "4:9 E option \"topic\" must be a list of strings\n"},
    {NODE "topic = [[\"x\"]]\n", "4:10 E option \"topic\" must be a list of plain values, without lists in it\n"},
    {NODE "topic = \"a;;b\"\n", "4:9 E option \"topic\" must not hold an empty item\n"},
    {NODE "properties.x = [1]\n", "4:16 E option \"properties.x\" must be a string, not a list of values\n"},
    {NODE "properties = { a = 2026-01-01 }\n",
     "4:20 E option \"properties.a\" must be a string, not the date or time 2026-01-01\n"},
    {NODE "value.format = \"jsn\"\nvalue.jsn.x = 1\n", "4:16 E unknown format \"jsn\" | Did you mean \"json\"?\n"
                                                       "5:1 E unknown option \"x\" of format \"json\"\n"},
    {NODE "value.format = \"json\"\nvalue.json.ignore-parse-error = 1\nvalue.json.ignore-parse-errors = 2\n",
     "5:1 E unknown option \"ignore-parse-error\" of format \"json\" | Did you mean \"ignore-parse-errors\"?\n"
     "6:34 E option \"ignore-parse-errors\" must be true or false, not the number 2\n"},
    {NODE "table = \"x\"\n",
     "4:1 E option \"table\" of connector \"gen\" is for sinks and does nothing here | Remove it here.\n"},
    {NODE "scan.bounded.mode = \"x\"\ndebezium.a.b = 1\n",
     "4:1 E option \"scan.bounded.mode\" of connector \"gen\" is known in Flink, not supported yet | Not yet.\n"
     "5:1 E option \"debezium.a.b\" of connector \"gen\" is known in Flink and makes no sense here | There is no "
     "Debezium here.\n"},
    {NODE "old.wait = \"1s\"\n", "4:1 W option \"old.wait\" is deprecated | Write \"wait\".\n"},
    {NODE "old.wait = \"1s\"\nwait = \"1s\"\n",
     "4:1 W option \"old.wait\" is deprecated | Write \"wait\".\n"
     "4:1 E options \"wait\" and \"old.wait\" mean the same: give one of them | The other one is in line 5.\n"},
    {NODE "password = \"geheim\"\n", "4:12 W secret option \"password\" is written in clear | Write \"${VARIABLE}\" or "
                                     "\"${file:/path}\" and keep the secret out of the file.\n"},
    {NODE "rate = 13\n", "4:8 E rate 13 brings bad luck | Take 12.\n"},
    {NODE "slot.name = \"a\"\n\"slot.name\" = \"b\"\n", "4:1 E unknown option \"slot.name\" of connector \"gen\"\n"
                                                        "5:1 E option \"slot.name\" is given twice | A dotted key and "
                                                        "the quoted key mean the same; it is first given in line 4.\n"},
    {NODE "rate = \"${LEAT_TEST_NONE}\"\nwait = \"${a b}\"\nratio = \"${\"\ntopic = [\"x\", \"${file:/nowhere}\"]\n",
     "4:9 E environment variable \"LEAT_TEST_NONE\" is not set | Set it, or give a default: "
     "${LEAT_TEST_NONE:-default}.\n"
     "5:9 E \"${a b}\" names no variable | Write ${NAME}, ${NAME:-default} or ${file:/path}; $$ stands for a dollar "
     "sign.\n"
     "6:10 E \"${\" is not closed by \"}\" | Write $$ where a dollar sign is meant.\n"
     "7:16 E could not read file \"/nowhere\": No such file or directory\n"},
    {"[sources.a]\nconnector = \"gen\"\npath = \"${LEAT_TEST_NONE}\"\n",
     "3:9 E environment variable \"LEAT_TEST_NONE\" is not set | Set it, or give a default: "
     "${LEAT_TEST_NONE:-default}.\n"},
    {NODE "[sinks.a]\nconnector = \"gen\"\ninput = \"a\"\n[sources.1x]\nconnector = \"gen\"\npath = \"\"\n",
     "4:8 E there is another node called \"a\" | The other one is a source in line 1; sources, lookups, operators and "
     "sinks share their names.\n"
     "7:10 E \"1x\" is no name for a source | Names consist of letters, digits and '_', do not begin with a digit, and "
     "have at most 64 characters.\n"
     "9:8 E option \"path\" must not be empty | For example: path = \"/tmp/x\"\n"},
    {"[sinks.a]\nconnector = \"gen\"\n",
     "1:8 E sink \"a\" needs the option \"input\" | For example: input = \"pg.business.orders\"\n"},
    {"[sinks.a]\nconnector = \"gen\"\ninput = \"x\"\non-error = \"dead-letter\"\n[sinks.b]\nconnector = \"gen\"\ninput "
     "= \"x\"\n"
     "dead-letter.sink = \"a\"\nschema = 1\n",
     "4:12 E on-error \"dead-letter\" is not available yet | Write \"fail\" or \"skip\".\n"
     "8:1 E dead-letter sinks are not available yet | Remove it; on-error = \"skip\" goes on without bad rows.\n"
     "9:1 E a sink has no schema of its own | Only sources and lookups declare one. Remove it here.\n"},
    {NODE "[sources.a.schema]\nx = 1\n\"\" = \"INT\"\na.b = \"INT\"\n",
     "5:5 E column \"x\" needs an SQL type in quotes | For example: order_id = \"BIGINT NOT NULL\"\n"
     "6:1 E the name of a column must not be empty or hold a NUL character\n"
     "7:1 E column \"a\" has no type | Put the name in quotes if it holds a dot.\n"},
    {NODE "schema = 5\n",
     "4:10 E schema of \"a\" must be a table | For example: [sources.orders.schema] with one column a line.\n"},
    {NODE "path2 = \"a\\u0000b\"\n[operators.o]\noperator = \"sql\"\ntable = \"a\\u0000b\"\n",
     "4:1 E unknown option \"path2\" of connector \"gen\" | Did you mean \"path\"?\n"
     "7:9 E option \"table\" must not hold a NUL character\n"},
};

static void test_wrong_files(void **state)
{
    int wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        void *own;
        setup(&own);
        struct fixture *f = own;
        bool loaded = config_load_text(f->config, "t.toml", cases[i].text);
        bool resolved = config_resolve(f->config, f->registry);
        char *got = faults(f);
        if (strcmp(got, cases[i].want) != 0 || (loaded && resolved) != (strstr(got, " E ") == NULL)) {
            printf("--- case %zu:\n%s--- gave\n%s--- wanted\n%s", i, cases[i].text, got, cases[i].want);
            wrong++;
        }
        free(got);
        teardown(&own);
    }
    assert_int_equal(wrong, 0);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_several_files(void **state)
{
    struct fixture *f = *state;
    char dir[] = "/tmp/leat-config-XXXXXX", a[64], b[64], leat[64], secret[64], text[256];
    assert_non_null(mkdtemp(dir));
    snprintf(a, sizeof a, "%s/one.toml", dir);
    snprintf(b, sizeof b, "%s/two.toml", dir);
    snprintf(leat, sizeof leat, "%s/leat.toml", dir);
    snprintf(secret, sizeof secret, "%s/secret", dir);
    write_file(secret, "hunter2x\n");
    write_file(leat, "[server]\nworkers = 3\n");
    snprintf(text, sizeof text, NODE "password = \"${file:%s}\"\n", secret);
    write_file(a, text);
    write_file(b, "[server]\nworkers = 4\n[pipeline]\nname = \"one\"\n");
    assert_false(config_load(f->config, (const char *const[]){a, b, "/nowhere.toml"}, 3));
    struct base_str s;
    base_str_init(&s);
    base_diags_sort(&f->diags);
    for (uint32_t i = 0; i < f->diags.count; i++)
        base_str_addf(&s, "%u:%s\n", f->diags.items[i].place.line, f->diags.items[i].code);
    assert_string_equal(s.ptr, "0:LEAT-C0001\n1:LEAT-C0021\n4:LEAT-C0013\n");
    base_str_fini(&s);
    assert_int_equal(f->config->server.workers, 3);
    assert_int_equal(f->config->pipeline_count, 2);
    assert_string_equal(f->config->pipelines[0].options.name, "one");
    config_resolve(f->config, f->registry);
    assert_string_equal(((const struct gen_config *)f->config->pipelines[0].nodes[0].config)->password, "hunter2x");
    base_str_init(&s);
    base_secrets_mask(f->secrets, "a hunter2x b", 12, &s);
    assert_string_equal(s.ptr, "a ****** b");
    base_str_fini(&s);
    unlink(a);
    unlink(b);
    unlink(leat);
    unlink(secret);
    rmdir(dir);
}

static void test_secrets_never_show(void **state)
{
    struct fixture *f = *state;
    setenv("LEAT_TEST_PW", "planted-one", 1);
    config_load_text(
        f->config, "t.toml",
        NODE "password = \"${LEAT_TEST_PW}\"\npath2 = \"jdbc:x://u:planted-two@h/d?password=planted-three\"\n"
             "properties.sasl.jaas.config = 'x required password=\"planted-four\";'\npaswort = \"planted-five\"\n"
             "[sources.b]\nconnector = \"gen\"\npath = \"jdbc:x://u:planted-two@h/d?password=planted-three\"\n"
             "username = \"same-word\"\npassword = \"same-word\"\n");
    config_resolve(f->config, f->registry);
    struct base_str s;
    base_str_init(&s);
    base_diags_sort(&f->diags);
    base_diags_print(&f->diags, f->secrets, false, &s);
    base_diags_json(&f->diags, f->secrets, &s);
    if (strstr(s.ptr, "planted"))
        fail_msg("%s", s.ptr);
    base_str_clear(&s);
    base_secrets_mask(f->secrets, "same-word planted-one planted-two planted-three planted-four", 60, &s);
    assert_string_equal(s.ptr, "same-word ****** ****** ****** ******");
    base_str_fini(&s);
}

static void test_sample_files(void **state)
{
    struct fixture *f = *state;
    assert_true(config_load(f->config, (const char *const[]){"etc/orders.toml"}, 1));
    assert_int_equal(f->config->pipelines[0].node_count, 13);
}

static void test_quickstart_file(void **state)
{
    struct fixture *f = *state;
    assert_true(config_load(f->config, (const char *const[]){"etc/pipeline.toml"}, 1));
    assert_string_equal(f->config->pipelines[0].nodes[2].name, "out");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_right_file),         TEST(test_wrong_files),  TEST(test_several_files),
        TEST(test_secrets_never_show), TEST(test_sample_files), TEST(test_quickstart_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
