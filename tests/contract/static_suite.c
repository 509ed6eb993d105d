// SPDX-License-Identifier: Apache-2.0
// What every component must do before anything runs: a table of options that says what it means, and static calls that
// answer whatever they are given, in no time, with reasons that point at the file and not at the network.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

#define PAIRS_MAX 256

struct run {
    const struct contract_component *fixture;
    const struct leat_component *component;
    struct testhost *h;
    struct testhost_node *n;
};

static void begin(struct run *r, void **state)
{
    *r = (struct run){.fixture = *state, .h = contract_host()};
    r->component = testhost_component(r->h, r->fixture->plugin, r->fixture->kind, r->fixture->name);
}

static void end(struct run *r)
{
    contract_host_end(r->h);
}

static const struct leat_option *option(const struct run *r, uint32_t i)
{
    const uint8_t *at = (const uint8_t *)r->component->options + (size_t)i * r->component->option_stride;
    return (const struct leat_option *)(const void *)at;
}

// --- options

static int ends_a_sentence(const char *text)
{
    size_t n = strlen(text);
    return n > 1 && strchr(".`)", text[n - 1]) != NULL;
}

// Table and manual are one: each row must read as a part of the manual.
static void every_option_is_documented(void **state)
{
    static const uint32_t refused = LEAT_OPT_UNSUPPORTED | LEAT_OPT_SENSELESS;
    struct run r;
    begin(&r, state);
    contract_check(r.component->summary && r.component->summary[0], "it has no summary");
    for (uint32_t i = 0; i < r.component->option_count; i++) {
        const struct leat_option *o = option(&r, i);
        contract_check(o->doc && o->doc[0], "option \"%s\" has no documentation", o->name);
        contract_check(ends_a_sentence(o->doc), "the documentation of option \"%s\" is no sentence: \"%s\"", o->name,
                       o->doc);
        contract_check(!(o->flags & LEAT_OPT_DEPRECATED) || o->successor || (o->flags & refused),
                       "option \"%s\" is deprecated and names no successor", o->name);
        contract_check(!strpbrk(o->name, " _ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
                       "option \"%s\" is not spelt in lower case with dots and hyphens", o->name);
    }
    end(&r);
}

// The fixture's options, with `name` given another value.
static const char *const *pairs_with(const struct run *r, const char *name, const char *value,
                                     const char *pairs[PAIRS_MAX])
{
    uint32_t n = 0;
    for (const char *const *o = r->fixture->options(); o[0] && n + 4 < PAIRS_MAX; o += 2) {
        if (strcmp(o[0], name) == 0)
            continue;
        pairs[n++] = o[0];
        pairs[n++] = o[1];
    }
    if (value) {
        pairs[n++] = name;
        pairs[n++] = value;
    }
    pairs[n] = NULL;
    return pairs;
}

static const struct leat_schema *schema(struct run *r)
{
    return r->fixture->columns ? testhost_schema(r->h, r->fixture->columns, r->fixture->key) : NULL;
}

// The static calls of the kind; any failure must be a described one (testhost's rules look at that).
static leat_status ask(struct run *r, const struct leat_schema *s, uint8_t mode, const char *key)
{
    struct leat_input_names names;
    if (!r->n->config)
        return LEAT_CONFIG;
    leat_status st = LEAT_OK;
    switch (r->component->kind) {
    case LEAT_SOURCE:
    case LEAT_LOOKUP:
        return testhost_describe(r->n, s);
    case LEAT_SINK:
        return testhost_bind(r->n, s, mode, key);
    case LEAT_OPERATOR:
        st = testhost_inputs(r->n, &names);
        if (st == LEAT_OK) {
            struct leat_input inputs[LEAT_INPUTS_MAX];
            uint32_t count = names.count ? names.count : 1;
            for (uint32_t i = 0; i < LEAT_INPUTS_MAX; i++)
                inputs[i] = (struct leat_input){s, mode, LEAT_INPUT_STREAM};
            contract_check(count <= LEAT_INPUTS_MAX, "inputs names %u inputs, more than %d", count, LEAT_INPUTS_MAX);
            st = testhost_bind_operator(r->n, inputs, count);
        }
        return st;
    default:
        return LEAT_OK;
    }
}

// One node with these options: asked and taken down again.
static leat_status ask_with(struct run *r, const char *const *pairs, const struct leat_schema *s, uint8_t mode,
                            const char *key)
{
    r->n = testhost_node(r->h, r->component, pairs);
    leat_status st = ask(r, s, mode, key);
    contract_check(!r->h->offence[0], "%s", r->h->offence);
    testhost_node_destroy(r->n);
    return st;
}

// Values that fit an option's type and are strange all the same.
static const char *const *strange_values(const struct leat_option *o)
{
    static char long_text[20001];
    static const char *texts[] = {"", " ", "'\"\\;", "%s%n${x}", "[", "\xc3\xa4\xe2\x82\xac", long_text, NULL};
    static const char *const lists[] = {"", ";", ";;;", "a;a;a", NULL};
    static const char *const numbers[] = {"0", "-1", "9223372036854775807", "-9223372036854775807", NULL};
    static const char *const floats[] = {"0", "-1", "1e308", "nan", "inf", NULL};
    static const char *const durations[] = {"0 ms", "1 ms", "100000 d", NULL};
    static const char *const sizes[] = {"0", "1", "1000 gb", NULL};
    static const char *const truths[] = {"true", "false", NULL};
    static const char *const none[] = {NULL};
    memset(long_text, 'x', sizeof long_text - 1);
    switch (o->type) {
    case LEAT_OPT_STRING:
        return texts;
    case LEAT_OPT_LIST:
        return lists;
    case LEAT_OPT_INT:
        return numbers;
    case LEAT_OPT_FLOAT:
        return floats;
    case LEAT_OPT_DURATION:
        return durations;
    case LEAT_OPT_BYTES:
        return sizes;
    case LEAT_OPT_BOOL:
        return truths;
    default:
        return none;
    }
}

// Each option with values at its edges, and left out: taken or refused with a reason, and never a crash.
static void strange_values_are_answered(void **state)
{
    struct run r;
    begin(&r, state);
    const struct leat_schema *s = schema(&r);
    const char *pairs[PAIRS_MAX];
    for (uint32_t i = 0; i < r.component->option_count; i++) {
        const struct leat_option *o = option(&r, i);
        if (o->flags & (LEAT_OPT_UNSUPPORTED | LEAT_OPT_SENSELESS) || o->type == LEAT_OPT_MAP)
            continue;
        (void)ask_with(&r, pairs_with(&r, o->name, NULL, pairs), s, r.fixture->mode, r.fixture->key);
        for (const char *const *value = strange_values(o); *value; value++)
            (void)ask_with(&r, pairs_with(&r, o->name, *value, pairs), s, r.fixture->mode, r.fixture->key);
        for (const char *bound = o->min; bound; bound = bound == o->min ? o->max : NULL)
            (void)ask_with(&r, pairs_with(&r, o->name, bound, pairs), s, r.fixture->mode, r.fixture->key);
    }
    end(&r);
}

// --- schemas

static void says_the_same_twice(void **state)
{
    struct run r;
    begin(&r, state);
    const struct leat_schema *s = schema(&r);
    r.n = testhost_node(r.h, r.component, r.fixture->options());
    contract_check(r.n->config != NULL, "its options are refused: %s", testhost_faults(r.n));
    for (int i = 0; i < 2; i++) {
        const char *call = r.component->kind == LEAT_SOURCE ? "describe" : "bind";
        contract_good(r.n, i ? "the second time, a static call" : call, ask(&r, s, r.fixture->mode, r.fixture->key));
    }
    testhost_node_destroy(r.n);
    end(&r);
}

// Columns of every type, none, many, and unknown ones: accepted or refused by name, before anything opens.
static void any_schema_is_answered(void **state)
{
    static const char *const columns[] = {"a BOOLEAN",
                                          "a TINYINT",
                                          "a SMALLINT",
                                          "a INT",
                                          "a BIGINT NOT NULL",
                                          "a FLOAT",
                                          "a DOUBLE",
                                          "a DECIMAL(38,38)",
                                          "a DECIMAL(1,0)",
                                          "a CHAR(1)",
                                          "a VARCHAR(7)",
                                          "a STRING",
                                          "a BINARY(3)",
                                          "a VARBINARY(9)",
                                          "a BYTES",
                                          "a DATE",
                                          "a TIME(0)",
                                          "a TIMESTAMP(6)",
                                          "a TIMESTAMP_LTZ(3)",
                                          "a ARRAY<STRING>",
                                          "a MAP<STRING, INT>",
                                          "a ROW<x INT, y ARRAY<ROW<z DATE>>>",
                                          "a BIGINT, b BYTES, c ARRAY<INT>"};
    static const uint8_t modes[] = {LEAT_MODE_INSERT_ONLY, LEAT_MODE_UPSERT, LEAT_MODE_ALL};
    static const struct leat_schema empty = {.struct_size = sizeof empty};
    struct run r;
    begin(&r, state);
    const char *const *options = r.fixture->options();
    for (size_t m = 0; m < sizeof modes; m++) {
        (void)ask_with(&r, options, NULL, modes[m], NULL);
        (void)ask_with(&r, options, &empty, modes[m], NULL);
        for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
            (void)ask_with(&r, options, testhost_schema(r.h, columns[i], NULL), modes[m], NULL);
            (void)ask_with(&r, options, testhost_schema(r.h, columns[i], "a"), modes[m], "a");
        }
    }
    end(&r);
}

// Wide tables: as many columns as a schema may have.
static void a_wide_table_is_answered(void **state)
{
    struct run r;
    begin(&r, state);
    struct leat_field *fields = calloc(LEAT_COLUMNS_MAX, sizeof *fields);
    char(*names)[8] = calloc(LEAT_COLUMNS_MAX, sizeof *names);
    for (uint32_t i = 0; fields && names && i < LEAT_COLUMNS_MAX; i++) {
        int len = snprintf(names[i], sizeof names[i], "c%u", i);
        fields[i] = (struct leat_field){{(const uint8_t *)names[i], (uint32_t)len}, {.kind = LEAT_TYPE_BIGINT}};
    }
    const uint32_t key = 0;
    struct leat_schema wide = {
        .struct_size = sizeof wide, .column_count = LEAT_COLUMNS_MAX, .columns = fields, .key = &key, .key_count = 1};
    (void)ask_with(&r, r.fixture->options(), &wide, LEAT_MODE_UPSERT, "c0");
    free(fields);
    free(names);
    end(&r);
}

int contract_run_static(const struct contract_component *fixtures, uint32_t count)
{
    static const struct contract_case cases[] = {
        {"every option is documented", every_option_is_documented},
        {"says the same twice", says_the_same_twice},
        {"strange values are answered", strange_values_are_answered},
        {"any schema is answered", any_schema_is_answered},
        {"a wide table is answered", a_wide_table_is_answered},
    };
    for (uint32_t i = 0; i < count; i++)
        contract_covers("static", fixtures[i].kind, fixtures[i].name);
    return contract_run(cases, sizeof cases / sizeof cases[0], fixtures, count, sizeof *fixtures);
}
