// SPDX-License-Identifier: Apache-2.0
// leat-contract: holds one component of a plugin against the rules of its kind. For authors of plugins; installed.
//
// The command line becomes a fixture of the suites: options, columns, and shell commands where the outside world has to
// be emptied or looked at. The file is looked at first without running it, as the server does; everything after that
// happens in processes of their own (run.c), so that a crash is a sentence and not the end.
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/error.h"
#include "base/str.h"
#include "config/toml.h"
#include "contract.h"
#include "plugin/check.h"
#include "plugin/elf.h"
#include "plugin/loader.h"
#include "plugin/registry.h"

#define PAIRS_MAX 200
#define ROWS_MAX  4 // batches before and after a restart of an operator, as in contract.h

static const char usage[] =
    "usage: leat-contract FILE.so [OPTION...]\n"
    "Holds a component of a plugin against the rules of its kind and says in plain words what is wrong.\n"
    "\n"
    "which component\n"
    "  --component NAME    needed when the plugin has several\n"
    "  --kind KIND         source, sink, operator, lookup or format; needed when the name is not enough\n"
    "its configuration\n"
    "  --set NAME=VALUE    an option, as in the pipeline file; may be repeated\n"
    "  --options FILE      options as they stand in a section of the pipeline file (TOML)\n"
    "  --columns COLUMNS   \"id BIGINT NOT NULL, name STRING\": of a source the declared schema, else of its input;\n"
    "                      twice for an operator with two inputs. Of a sink the first two are a BIGINT and a STRING\n"
    "  --key COLUMNS       \"id\": the primary key of these columns\n"
    "  --mode MODE         insert-only (the default), upsert or all: what the input carries\n"
    "  --plugins DIR       where formats are found; default: the plugin folder of leat\n"
    "the outside world\n"
    "  --rows N            sources and lookups: how many rows are there. Their first column, of a lookup a BIGINT,\n"
    "                      counts 0, 1, 2 … N - 1\n"
    "  --repeats           sources: after a restart rows may come again, in order, from an earlier one\n"
    "  --fresh COMMAND     sources: forgets what an earlier start has left; sinks: empties the target\n"
    "  --content COMMAND   sinks: prints the target, a line \"id|value\" for each row, by id or in order of writing\n"
    "  --before ROWS, --after ROWS   operators: \"+I[1, ann];+I[2, bob]\", up to 4 batches before and after a "
    "restart;\n"
    "                      default: made up from the columns;\n"
    "                      of a format the first --before is what it is given\n"
    "the run\n"
    "  --only TEXT         cases with this in their name; --list shows the names\n"
    "  --wait SECONDS      for anything that the component waits for (20)\n"
    "  --timeout SECONDS   for one case (120)\n"
    "\n"
    "Exit code 0: all is well; 1: something is wrong; 2: usage. To see leaks and reads beyond the end too, build the\n"
    "plugin with -fsanitize=address and run: LD_PRELOAD=$(cc -print-file-name=libasan.so) leat-contract …\n";

// The fixture as the command line gives it. One for the whole program: the suites call its functions without argument.
static struct {
    const char *file, *component, *fresh, *content;
    uint8_t kind;
    const char *pairs[2 * PAIRS_MAX + 2];
    uint32_t pair_count;
    const char *columns[2], *key;
    uint32_t column_count;
    uint8_t mode, repeats;
    uint64_t rows;
    const char *before[ROWS_MAX], *after[ROWS_MAX];
    uint32_t before_count, after_count;
    struct leat_note note;
    char title[128];
} given = {.mode = LEAT_MODE_INSERT_ONLY};

__attribute__((noreturn, format(printf, 1, 2))) static void wrong_usage(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("leat-contract: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputs("; --help says more\n", stderr);
    va_end(ap);
    exit(2);
}

// --- options

static void add_pair(const char *name, const char *value)
{
    if (given.pair_count == PAIRS_MAX)
        wrong_usage("more than %d options", PAIRS_MAX);
    given.pairs[2 * given.pair_count] = name;
    given.pairs[2 * given.pair_count++ + 1] = value;
}

static void add_set(char *text)
{
    char *value = strchr(text, '=');
    if (!value)
        wrong_usage("--set \"%s\" has no '='", text);
    *value++ = 0;
    add_pair(text, value);
}

// A list as the user may also write it: one string cut at ';'.
static const char *joined(struct base_arena *arena, const struct toml_node *list)
{
    const char *text = "";
    for (const struct toml_node *n = list->first; n; n = n->next)
        text = base_arena_sprintf(arena, "%s%s%s", text, *text ? ";" : "", n->text ? n->text : "");
    return text;
}

static void add_table(struct base_arena *arena, const struct toml_node *table, const char *prefix)
{
    for (const struct toml_node *n = table->first; n; n = n->next) {
        const char *name = base_arena_sprintf(arena, "%s%s%s", prefix, *prefix ? "." : "", n->key);
        if (n->kind == TOML_TABLE)
            add_table(arena, n, name);
        else
            add_pair(name, n->kind == TOML_ARRAY ? joined(arena, n) : n->text);
    }
}

// The tree lives as long as the program.
static void add_file(const char *path)
{
    struct base_arena *arena = base_arena_create(0, 0);
    const struct base_source *source;
    struct base_error err;
    struct base_diags diags;
    if (!arena || !base_diags_init(&diags))
        abort();
    if (base_source_read(arena, path, &source, &err) != LEAT_OK)
        wrong_usage("%s", err.message);
    const struct toml_node *root = toml_parse(arena, source, &diags);
    if (!root) {
        struct base_str text;
        base_str_init(&text);
        base_diags_print(&diags, NULL, false, &text);
        fputs(text.ptr, stderr);
        exit(2);
    }
    add_table(arena, root, "");
}

// --- the command line

static uint8_t kind_of(const char *word)
{
    for (uint8_t kind = LEAT_SOURCE; kind <= LEAT_LOOKUP; kind++)
        if (strcmp(word, plugin_kind_name(kind)) == 0)
            return kind;
    return 0;
}

static uint8_t mode_of(const char *word)
{
    static const char *const words[] = {"insert-only", "upsert", "all"};
    for (uint8_t i = 0; i < 3; i++)
        if (strcmp(word, words[i]) == 0)
            return (uint8_t)(LEAT_MODE_INSERT_ONLY + i);
    wrong_usage("\"%s\" is no mode", word);
}

static uint64_t number_of(const char *word)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(word, &end, 10);
    if (*end || end == word || errno || n > INT_MAX / 1000)
        wrong_usage("\"%s\" is no number", word);
    return n;
}

static void push(const char **list, uint32_t *count, uint32_t max, const char *value)
{
    if (*count == max)
        wrong_usage("\"%s\" is one too many", value);
    list[(*count)++] = value;
}

static void take(int option, char *value)
{
    struct contract_options *o = contract_options();
    switch (option) {
    case 'c':
        given.component = value;
        break;
    case 'k':
        if (!(given.kind = kind_of(value)))
            wrong_usage("\"%s\" is no kind of component", value);
        break;
    case 's':
        add_set(value);
        break;
    case 'f':
        add_file(value);
        break;
    case 'C':
        push(given.columns, &given.column_count, 2, value);
        break;
    case 'K':
        given.key = value;
        break;
    case 'm':
        given.mode = mode_of(value);
        break;
    case 'p':
        setenv("TESTHOST_LIB", value, 1);
        break;
    case 'r':
        given.rows = number_of(value);
        break;
    case 'R':
        given.repeats = 1;
        break;
    case 'F':
        given.fresh = value;
        break;
    case 'x':
        given.content = value;
        break;
    case 'b':
        push(given.before, &given.before_count, ROWS_MAX, value);
        break;
    case 'a':
        push(given.after, &given.after_count, ROWS_MAX, value);
        break;
    case 'o':
        o->only = value;
        break;
    case 'l':
        o->list = 1;
        break;
    case 'w':
        o->wait_ms = (int)number_of(value) * 1000;
        break;
    case 't':
        o->case_ms = (int)number_of(value) * 1000;
        break;
    case 'h':
        fputs(usage, stdout);
        exit(0);
    default:
        fputs("--help says more\n", stderr);
        exit(2);
    }
}

static void read_command_line(int argc, char **argv)
{
    static const struct option options[] = {
        {"component", 1, NULL, 'c'}, {"kind", 1, NULL, 'k'},    {"set", 1, NULL, 's'},   {"options", 1, NULL, 'f'},
        {"columns", 1, NULL, 'C'},   {"key", 1, NULL, 'K'},     {"mode", 1, NULL, 'm'},  {"plugins", 1, NULL, 'p'},
        {"rows", 1, NULL, 'r'},      {"repeats", 0, NULL, 'R'}, {"fresh", 1, NULL, 'F'}, {"content", 1, NULL, 'x'},
        {"before", 1, NULL, 'b'},    {"after", 1, NULL, 'a'},   {"only", 1, NULL, 'o'},  {"list", 0, NULL, 'l'},
        {"wait", 1, NULL, 'w'},      {"timeout", 1, NULL, 't'}, {"help", 0, NULL, 'h'},  {NULL, 0, NULL, 0},
    };
    char folder[PATH_MAX + 16];
    plugin_folder(folder, sizeof folder);
    setenv("TESTHOST_LIB", folder, 0);
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;)
        take(option, optarg);
    if (optind + 1 != argc)
        wrong_usage(optind == argc ? "which file?" : "one file at a time");
    given.file = realpath(argv[optind], NULL);
    if (!given.file)
        wrong_usage("could not find \"%s\": %s", argv[optind], strerror(errno));
}

// --- which component: what the file's note says, without running it

static void look_at_file(void)
{
    struct base_error err;
    struct stat st;
    int fd = open(given.file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        wrong_usage("could not open \"%s\": %s", given.file, strerror(errno));
    if (plugin_elf_check(fd, (uint64_t)st.st_size, &given.note, &err) != LEAT_OK) {
        printf("\"%s\" is no plugin: %s. %s\n", given.file, err.message, err.hint);
        exit(1);
    }
    close(fd);
}

static void choose_component(void)
{
    char *text = strdup(given.note.components), *rest = text, *item;
    const char *wanted = given.component;
    uint8_t kind = given.kind;
    int found = 0;
    while (text && (item = strsep(&rest, ","))) {
        char *name = strchr(item, ':');
        if (!name)
            continue;
        *name++ = 0;
        if ((wanted && strcmp(wanted, name) != 0) || (kind && kind != kind_of(item)))
            continue;
        given.component = name;
        given.kind = kind_of(item);
        found++;
    }
    if (found != 1 || !given.kind)
        wrong_usage("\"%s\" has %s; its note lists \"%s\": say which by --component and --kind", given.file,
                    found ? "several such components" : "no such component", given.note.components);
    snprintf(given.title, sizeof given.title, "%s %s", plugin_kind_name(given.kind), given.component);
}

static void is_a_plugin(void **state)
{
    struct plugin_registry *registry = plugin_registry_create();
    struct base_error err;
    char said[LEAT_NOTE_TEXT * 2] = "";
    if (!registry)
        abort();
    if (plugin_load_file(registry, given.file, plugin_check_host(), &err) != LEAT_OK)
        contract_fail("leat refuses it: %s. %s", err.message, err.hint);
    const struct plugin_library *library = plugin_registry_at(registry, 0);
    for (uint32_t i = 0; i < library->component_count; i++) {
        const struct leat_component *c = &library->components[i];
        size_t len = strlen(said);
        snprintf(said + len, sizeof said - len, "%s%s:%s", len ? "," : "", plugin_kind_name(c->kind), c->name);
    }
    contract_check(strcmp(said, given.note.components) == 0,
                   "its note lists \"%s\", and the library offers \"%s\": LEAT_PLUGIN must name them in the same order",
                   given.note.components, said);
    plugin_registry_destroy(registry);
}

// --- the outside world

static const char *const *options(void)
{
    return given.pairs;
}

static void run_fresh(void)
{
    if (given.fresh && system(given.fresh) != 0)
        contract_fail("the command of --fresh failed: %s", given.fresh);
}

static void fresh_target(struct testhost *h)
{
    run_fresh();
}

static const char *content(struct testhost *h)
{
    static char *text;
    size_t size = 0;
    free(text);
    text = NULL;
    char piece[4096];
    FILE *pipe = popen(given.content, "r");
    FILE *out = open_memstream(&text, &size);
    if (!pipe || !out)
        contract_fail("could not run the command of --content: %s", strerror(errno));
    for (size_t n; (n = fread(piece, 1, sizeof piece, pipe)) > 0;)
        fwrite(piece, 1, n, out);
    fclose(out);
    if (pclose(pipe) != 0)
        contract_fail("the command of --content failed: %s", given.content);
    return text;
}

// --- rows for operators, made up from the columns

// A value of the column called `name` in row `number`.
static void add_value(struct base_str *out, const struct leat_field *column, unsigned number)
{
    switch (column->type.kind) {
    case LEAT_TYPE_BOOLEAN:
        base_str_addz(out, number % 2 ? "true" : "false");
        break;
    case LEAT_TYPE_DATE:
        base_str_addf(out, "2024-01-%02u", 1 + number);
        break;
    case LEAT_TYPE_TIME:
        base_str_addf(out, "00:00:%02u", number);
        break;
    case LEAT_TYPE_TIMESTAMP:
    case LEAT_TYPE_TIMESTAMP_LTZ:
        base_str_addf(out, "2024-01-01 00:00:%02u", number);
        break;
    default:
        if (leat_type_is_list(column->type.kind) || column->type.kind == LEAT_TYPE_BINARY ||
            column->type.kind == LEAT_TYPE_VARBINARY)
            base_str_addz(out, "NULL");
        else
            base_str_addf(out, "%u", number);
    }
}

static void add_row(struct base_str *out, const struct leat_schema *schema, const char *kind, unsigned number)
{
    base_str_addf(out, "%s%s[", out->len ? ";" : "", kind);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        base_str_addz(out, i ? ", " : "");
        add_value(out, &schema->columns[i], number);
    }
    base_str_addz(out, "]");
}

// `count` inserts from `first`, and with `change` the changes that the mode allows.
static const char *made_up(const struct leat_schema *schema, unsigned first, unsigned count, bool change)
{
    struct base_str text;
    base_str_init(&text);
    for (unsigned i = first; i < first + count; i++)
        add_row(&text, schema, "+I", i);
    if (change && given.mode == LEAT_MODE_ALL)
        add_row(&text, schema, "-U", 0);
    if (change && given.mode != LEAT_MODE_INSERT_ONLY) {
        add_row(&text, schema, "+U", 0);
        add_row(&text, schema, "-D", 1);
    }
    return text.ptr;
}

static void fill_rows(struct contract_operator *o)
{
    struct testhost *h = testhost_create();
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t input = i % o->input_count;
        const struct leat_schema *schema = testhost_schema(h, o->inputs[input].columns, o->inputs[input].key);
        if (!given.before_count && i < 3)
            o->before[i] = (struct contract_rows){input, made_up(schema, 3 * (i / o->input_count), 3, false)};
        if (!given.after_count && i < 2)
            o->after[i] = (struct contract_rows){input, made_up(schema, 20, 3, true)};
    }
    for (uint32_t i = 0; i < given.before_count; i++)
        o->before[i] = (struct contract_rows){i % o->input_count, given.before[i]};
    for (uint32_t i = 0; i < given.after_count; i++)
        o->after[i] = (struct contract_rows){i % o->input_count, given.after[i]};
    testhost_destroy(h);
}

// --- the suites

static int run_operator(void)
{
    static struct contract_operator o; // its rows live as long as the program
    o.title = given.title;
    o.name = given.component;
    o.plugin = given.file;
    o.options = given.pairs;
    o.input_count = given.column_count ? given.column_count : 1;
    for (uint32_t i = 0; i < o.input_count; i++)
        o.inputs[i] = (struct contract_input){given.columns[i] ? given.columns[i] : "id BIGINT NOT NULL, name STRING",
                                              given.key, given.mode};
    fill_rows(&o);
    return contract_run_operators(&o, 1);
}

// Options of a format carry its name in front, as beside a connector.
static int run_format(void)
{
    static const char *pairs[2 * PAIRS_MAX + 2];
    struct base_arena *arena = base_arena_create(0, 0);
    struct testhost *h = testhost_create();
    struct contract_format f = {.name = given.component, .plugin = given.file, .options = pairs};
    f.columns = given.columns[0] ? given.columns[0] : "id BIGINT NOT NULL, name STRING";
    f.rows = given.before_count ? given.before[0] : made_up(testhost_schema(h, f.columns, NULL), 0, 5, false);
    for (uint32_t i = 0; i < 2 * given.pair_count; i++)
        pairs[i] = i % 2 ? given.pairs[i] : base_arena_sprintf(arena, "%s.%s", given.component, given.pairs[i]);
    int failed = contract_run_formats(&f, 1);
    if (!given.before_count)
        free((void *)(uintptr_t)f.rows);
    testhost_destroy(h);
    base_arena_destroy(arena);
    return failed;
}

static int run_sink(void)
{
    struct contract_sink s = {.name = given.component,
                              .plugin = given.file,
                              .columns = given.columns[0] ? given.columns[0] : "id BIGINT NOT NULL, value STRING",
                              .key = given.key,
                              .mode = given.mode,
                              .options = options,
                              .fresh = fresh_target,
                              .content = given.content ? content : NULL};
    return contract_run_sinks(&s, 1);
}

static int run_source(void)
{
    struct contract_source s = {.name = given.component,
                                .plugin = given.file,
                                .columns = given.columns[0],
                                .key = given.key,
                                .rows = given.rows,
                                .fresh = run_fresh,
                                .options = options,
                                .repeats = given.repeats};
    if (!given.rows)
        wrong_usage("how many rows will the source give? --rows N");
    return contract_run_sources(&s, 1);
}

static int run_lookup(void)
{
    struct contract_lookup l = {.name = given.component,
                                .plugin = given.file,
                                .columns = given.columns[0],
                                .key = given.key,
                                .rows = given.rows,
                                .options = options};
    if (!given.rows)
        wrong_usage("how many rows has the lookup? --rows N");
    return contract_run_lookups(&l, 1);
}

static int run_all(void)
{
    static const struct contract_case load = {"is a plugin", is_a_plugin};
    const char *columns = given.columns[0], *title = given.title;
    if (!columns && (given.kind == LEAT_SINK || given.kind == LEAT_OPERATOR))
        columns = "id BIGINT NOT NULL, value STRING";
    struct contract_component c = {.title = given.title,
                                   .plugin = given.file,
                                   .name = given.component,
                                   .kind = given.kind,
                                   .options = options,
                                   .columns = columns,
                                   .key = given.key,
                                   .mode = given.mode};
    int failed = contract_run(&load, 1, &title, 1, sizeof title);
    if (failed)
        return failed; // the others would only say the same in worse words
    failed = contract_run_static(&c, 1);
    failed += given.kind == LEAT_SOURCE     ? run_source()
              : given.kind == LEAT_SINK     ? run_sink()
              : given.kind == LEAT_OPERATOR ? run_operator()
              : given.kind == LEAT_FORMAT   ? run_format()
                                            : run_lookup();
    return failed;
}

int main(int argc, char **argv)
{
    read_command_line(argc, argv);
    look_at_file();
    choose_component();
    int failed = run_all();
    if (contract_options()->list)
        return 0;
    if (failed)
        printf("\n%s of \"%s\" breaks the contract in %d case%s\n", given.title, given.file, failed,
               failed == 1 ? "" : "s");
    else
        printf("\n%s of \"%s\" keeps the contract\n", given.title, given.file);
    return failed != 0;
}
