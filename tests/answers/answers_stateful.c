// SPDX-License-Identifier: Apache-2.0
// Puts the stateful queries that a real Flink was asked (STATEFUL.md) to leat's operator `sql`: the events go in one by
// one, and what comes out is compared with what Flink gave.
//
//     answers_stateful [FILE] [--category NAME] [--min CATEGORY=PERCENT]… [--differences FILE] [-v]
//
// Three things are compared: the final table, always; what each event changes in sum, where Flink's own runs agreed on it
// ("steps"); and the changes themselves, in any order within an event. A case whose changes differ while their sums
// agree must be covered by a line of differences.tsv, which says why. What leat refuses when the
// pipeline is checked is skipped, and printed with the reason by -v. There is no sink here: what Flink's sink does by
// its key (category upsert-key) is the core's part in leat. The share that must pass is that of the cases that are not skipped.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "testhost.h"

#define INPUTS_MAX 8
#define TEXT_MAX   4096

// Rows with how often they are there, by their text.
struct bag {
    struct bag_row {
        char *text;
        char *key; // of the sink, in keyed tables
        int count;
    } * rows;
    size_t count;
};

struct asker {
    struct testhost *host;
    const struct leat_component *component;
};

struct query {
    const struct asker *asker;
    const json_t *asked;
    struct testhost_node *node;
    struct leat_input inputs[INPUTS_MAX];
    const json_t *tables[INPUTS_MAX]; // by input
    struct leat_input_names names;
    uint8_t opened; // taken by leat: it is compared
    char why[1200];
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

// --- bags

static void bag_add(struct bag *b, const char *text, int count)
{
    size_t i = 0;
    while (i < b->count && strcmp(b->rows[i].text, text))
        i++;
    if (i == b->count) {
        b->rows = realloc(b->rows, (b->count + 1) * sizeof *b->rows);
        b->rows[b->count++] = (struct bag_row){strdup(text), NULL, 0};
    }
    b->rows[i].count += count;
}

static void bag_clear(struct bag *b)
{
    for (size_t i = 0; i < b->count; i++) {
        free(b->rows[i].text);
        free(b->rows[i].key);
    }
    free(b->rows);
    *b = (struct bag){NULL, 0};
}

static int bag_is_empty(const struct bag *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->rows[i].count)
            return 0;
    return 1;
}

// --- the table of the sink: the last row per key, or a bag

static void row_key(const json_t *sink, const json_t *row, char *out, size_t cap)
{
    size_t i, k;
    json_t *name, *column;
    out[0] = 0;
    json_array_foreach(json_object_get(sink, "primary_key"), i, name)
        json_array_foreach(json_object_get(sink, "schema"), k,
                           column) if (!strcmp(json_string_value(json_array_get(column, 0)), json_string_value(name)))
    {
        const char *value = json_string_value(json_array_get(row, k));
        strncat(out, value ? value : "\x01", cap - strlen(out) - 2);
        strcat(out, "\x02");
    }
}

static void put_keyed(struct bag *table, const char *key, const char *text, int there)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].key && !strcmp(table->rows[i].key, key)) {
            free(table->rows[i].text);
            free(table->rows[i].key);
            table->rows[i] = table->rows[--table->count];
            break;
        }
    if (!there)
        return;
    table->rows = realloc(table->rows, (table->count + 1) * sizeof *table->rows);
    table->rows[table->count++] = (struct bag_row){strdup(text), strdup(key), 1};
}

// --- rows as text: as testhost writes them

static void put_text(char *out, size_t cap, const char *value)
{
    size_t n = strlen(out);
    for (; *value && n + 3 < cap; value++) {
        if (strchr(",]\\;", *value))
            out[n++] = '\\';
        out[n++] = *value;
    }
    out[n] = 0;
}

// [a, b] of JSON values. `absent`: what NULL stands for.
static void json_row(const json_t *row, const char *absent, char *out, size_t cap)
{
    size_t i;
    json_t *value;
    strncat(out, "[", cap - strlen(out) - 1);
    json_array_foreach(row, i, value)
    {
        strncat(out, i ? ", " : "", cap - strlen(out) - 1);
        if (json_is_string(value))
            put_text(out, cap, json_string_value(value));
        else
            strncat(out, absent, cap - strlen(out) - 1);
    }
    strncat(out, "]", cap - strlen(out) - 1);
}

// What comes out, cell by cell, as JSON strings: as Flink's CAST AS STRING has it.
static json_t *row_out(const struct leat_batch *b, uint32_t row)
{
    char text[TEXT_MAX] = "";
    json_t *out = json_array(), *cell = NULL;
    size_t len = testhost_row_text(b, row, text, 0, sizeof text), n = 0;
    char value[TEXT_MAX];
    (void)cell;
    for (size_t i = 3; i < len; i++) { // behind "+I["
        if (text[i] == '\\' && i + 1 < len) {
            value[n++] = text[++i];
        } else if (text[i] == ',' || text[i] == ']') {
            value[n] = 0;
            size_t column = json_array_size(out);
            if (b->columns[column].states[row] != LEAT_VALUE)
                json_array_append_new(out, json_null());
            else if (b->schema->columns[column].type.kind == LEAT_TYPE_BOOLEAN)
                json_array_append_new(out, json_string(b->columns[column].cells[row].i64 ? "TRUE" : "FALSE"));
            else
                json_array_append_new(out, json_string(value));
            n = 0;
            i += text[i] == ',';
        } else {
            value[n++] = text[i];
        }
    }
    return out;
}

// --- asking

// "a INT, b STRING, PRIMARY KEY (a) NOT ENFORCED": columns and key. Watermarks say nothing to a join.
static const struct leat_schema *schema_of(struct query *q, const json_t *ddl)
{
    char columns[TEXT_MAX] = "", key[TEXT_MAX] = "";
    const char *at = text_of(ddl, "columns");
    while (*at) {
        size_t len = 0;
        for (int depth = 0; at[len] && (depth || at[len] != ','); len++)
            depth += at[len] == '(' || at[len] == '<' ? 1 : at[len] == ')' || at[len] == '>' ? -1 : 0;
        if (!strncmp(at, "PRIMARY KEY (", 13))
            snprintf(key, sizeof key, "%.*s", (int)strcspn(at + 13, ")"), at + 13);
        else if (strncmp(at, "WATERMARK", 9))
            snprintf(columns + strlen(columns), sizeof columns - strlen(columns), "%s%.*s", *columns ? ", " : "",
                     (int)len, at);
        at += len + (at[len] == ',');
        at += strspn(at, " ");
    }
    if (strstr(columns, " AS ") || strstr(columns, "(9)"))
        return NULL;
    return testhost_schema(q->asker->host, columns, *key ? key : NULL);
}

static const json_t *ddl_of(const struct query *q, struct leat_bytes name)
{
    size_t i;
    json_t *ddl;
    json_array_foreach(json_object_get(q->asked, "ddl"), i, ddl)
    {
        const char *table = text_of(ddl, "table");
        if (strlen(table) == name.len && !memcmp(table, name.ptr, name.len))
            return ddl;
    }
    return NULL;
}

static int refused(struct query *q, const char *why)
{
    if (!*q->why)
        snprintf(q->why, sizeof q->why, "%s", why);
    return 0;
}

static int bind(struct query *q)
{
    const struct leat_operator_ops *op = q->asker->component->op;
    struct testhost_node *n = q->node;
    if (op->inputs(&n->ctx, n->config, &q->names) != LEAT_OK)
        return refused(q, testhost_faults(n));
    if (!q->names.count || q->names.count > INPUTS_MAX)
        return refused(q, "reads no table, or too many");
    for (uint32_t i = 0; i < q->names.count; i++) {
        const json_t *ddl = q->tables[i] = ddl_of(q, leat_input_names_get(&q->names, i).name);
        const struct leat_schema *schema = ddl ? schema_of(q, ddl) : NULL;
        if (!schema)
            return refused(q, "an input that is not supported yet");
        const char *mode = text_of(ddl, "mode");
        q->inputs[i] = (struct leat_input){.schema = schema,
                                           .mode = !strcmp(mode, "insert")   ? LEAT_MODE_INSERT_ONLY
                                                   : !strcmp(mode, "upsert") ? LEAT_MODE_UPSERT
                                                                             : LEAT_MODE_ALL,
                                           .kind = LEAT_INPUT_STREAM};
    }
    struct leat_operator_request request = {.struct_size = sizeof request,
                                            .config = n->config,
                                            .inputs = q->inputs,
                                            .input_count = q->names.count,
                                            .local_time_zone = "UTC",
                                            .input_stride = sizeof q->inputs[0]};
    n->operator_plan.struct_size = sizeof n->operator_plan;
    if (op->bind(&n->ctx, &request, &n->operator_plan, &n->bound) != LEAT_OK ||
        op->create(&n->ctx, n->bound, &n->self) != LEAT_OK || op->open(&n->ctx, n->self, &n->open) != LEAT_OK)
        return refused(q, testhost_faults(n));
    // what the core would put in front
    for (uint32_t i = 0; i < q->names.count; i++)
        if (q->inputs[i].mode == LEAT_MODE_UPSERT && n->operator_plan.needs[i].mode == LEAT_MODE_ALL)
            return refused(q, "needs a normaliser in front");
    q->opened = 1;
    return 1;
}

// Does the event make an update with the next one? leat's batches hold the two side by side.
static size_t events_of(const json_t *events, size_t e)
{
    const json_t *before = json_array_get(events, e), *after = json_array_get(events, e + 1);
    return after && !strcmp(text_of(before, "kind"), "-U") && !strcmp(text_of(after, "kind"), "+U") &&
                   !strcmp(text_of(before, "table"), text_of(after, "table"))
               ? 2
               : 1;
}

// `count` events of one table into every input that reads it.
static int feed(struct query *q, const json_t *events, size_t first, size_t count)
{
    const json_t *event = json_array_get(events, first);
    const struct leat_operator_ops *op = q->asker->component->op;
    for (uint32_t i = 0; i < q->names.count; i++) {
        if (!json_object_get(event, "row") || strcmp(text_of(event, "table"), text_of(q->tables[i], "table")))
            continue;
        char text[TEXT_MAX] = "";
        int bare = q->inputs[i].mode == LEAT_MODE_UPSERT && !strcmp(text_of(event, "kind"), "-D");
        for (size_t e = first; e < first + count; e++) {
            strcat(text, text_of(json_array_get(events, e), "kind"));
            json_row(json_object_get(json_array_get(events, e), "row"), bare ? "ABSENT" : "NULL", text, sizeof text);
        }
        struct leat_batch *b = testhost_batch(q->node, q->inputs[i].schema, text);
        leat_status st;
        while ((st = op->process(&q->node->ctx, q->node->self, i, b)) == LEAT_AGAIN)
            continue;
        leat_batch_unref(b);
        if (st != LEAT_OK)
            return refused(q, testhost_faults(q->node));
    }
    return 1;
}

// --- comparing

struct verdict {
    int finals, sums, changes; // equal
    char flink[4 * TEXT_MAX], leat[4 * TEXT_MAX];
};

static void note(char *out, size_t cap, const char *kind, const char *row)
{
    snprintf(out + strlen(out), cap - strlen(out), "%s%s ", kind, row);
}

static void take(struct query *q, struct bag *table, struct bag *sums, struct bag *changes, struct verdict *v,
                 const char *kind, const json_t *row, int flink)
{
    char text[TEXT_MAX] = "", tagged[TEXT_MAX + 4], key[TEXT_MAX];
    const json_t *sink = json_object_get(q->asked, "sink");
    int sign = kind[0] == '+' ? 1 : -1;
    json_row(row, "NULL", text, sizeof text);
    snprintf(tagged, sizeof tagged, "%s%s", kind, text);
    note(flink ? v->flink : v->leat, sizeof v->flink, kind, text);
    bag_add(sums, text, flink ? -sign : sign);
    bag_add(changes, tagged, flink ? -1 : 1);
    if (flink)
        return;
    if (json_is_array(json_object_get(sink, "primary_key"))) {
        row_key(sink, row, key, sizeof key);
        put_keyed(table, key, text, sign > 0);
    } else {
        bag_add(table, text, sign);
    }
}

static void compare_final(struct query *q, struct bag *table, struct verdict *v)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(q->asked, "final"), i, row)
    {
        char text[TEXT_MAX] = "";
        json_row(row, "NULL", text, sizeof text);
        bag_add(table, text, -1);
    }
    v->finals = bag_is_empty(table);
    for (size_t k = 0; k < table->count && !v->finals; k++)
        if (table->rows[k].count && strlen(q->why) < 600)
            snprintf(q->why + strlen(q->why), sizeof q->why - strlen(q->why), "%+d %s ", table->rows[k].count,
                     table->rows[k].text);
}

// Feeds everything. 0 = refused.
static int play(struct query *q, struct verdict *v)
{
    const json_t *events = json_object_get(q->asked, "events"), *log = json_object_get(q->asked, "changelog");
    const json_t *after = json_object_get(q->asked, "after");
    struct bag table = {NULL, 0}, sums = {NULL, 0}, changes = {NULL, 0};
    size_t said = 0, count = json_array_size(events);
    int good = 1;
    v->sums = v->changes = 1;
    for (size_t e = 0; e <= count && good; e++) {
        size_t taken = events_of(events, e);
        good = e == count || feed(q, events, e, taken);
        e += taken - 1;
        for (struct testhost_emitted *out = q->node->emitted; out && good; out = out->next)
            for (uint32_t r = 0; r < out->batch->rows; r++) {
                static const char *const kinds[] = {"+I", "-U", "+U", "-D"};
                json_t *row = row_out(out->batch, r);
                take(q, &table, &sums, &changes, v, kinds[out->batch->kinds[r]], row, 0);
                json_decref(row);
            }
        testhost_forget(q->node);
        for (; said < json_array_size(log) && (size_t)json_integer_value(json_array_get(after, said)) <= e; said++) {
            const json_t *change = json_array_get(log, said);
            take(q, &table, &sums, &changes, v, json_string_value(json_array_get(change, 0)), json_array_get(change, 1),
                 1);
        }
        v->sums = v->sums && bag_is_empty(&sums);
        v->changes = v->changes && bag_is_empty(&changes);
    }
    if (good)
        compare_final(q, &table, v);
    bag_clear(&table);
    bag_clear(&sums);
    bag_clear(&changes);
    return good;
}

static void judge(const struct run *run, const struct query *q, struct tally *t, const struct verdict *v)
{
    const char *id = text_of(q->asked, "id"), *query = text_of(q->asked, "query");
    int steps = json_is_true(json_object_get(q->asked, "steps"));
    if (!v->finals || (steps && !v->sums)) {
        t->failed++;
        printf("differs %s: %s\n    %s\n    flink: %s\n    leat:  %s\n", id, query,
               v->finals ? "an event has another sum" : q->why, v->flink, v->leat);
        return;
    }
    if (!steps || v->changes) {
        t->passed++;
        return;
    }
    const char *reason = differences_reason(run->differences, "stateful", query, v->flink, v->leat);
    t->listed += reason != NULL;
    t->failed += !reason;
    if (!reason || run->verbose)
        printf("%s %s: %s\n    flink: %s\n    leat:  %s\n", reason ? "listed" : "differs", id, query, v->flink,
               v->leat);
    if (reason && run->verbose)
        printf("    why:   %s\n", reason);
}

static void ask(struct run *run, const json_t *asked)
{
    static struct verdict v;
    const char *query = text_of(asked, "query");
    struct query q = {.asker = run->arg, .asked = asked};
    struct tally *t = run_tally(run, text_of(asked, "category"));
    int error = json_is_object(json_object_get(asked, "error"));
    memset(&v, 0, sizeof v);
    q.node = testhost_node(q.asker->host, q.asker->component, (const char *[]){"query", query, NULL});
    int done = !json_object_get(asked, "views") && bind(&q) && (error || play(&q, &v));
    if (json_object_get(asked, "views"))
        refused(&q, "views are not supported yet");
    if (error) {
        // what Flink refuses leat refuses too, here or while it runs
        t->passed += !done;
        t->failed += done;
        if (done)
            printf("differs %s: %s\n    flink: %s\n    leat:  takes it\n", text_of(asked, "id"), query,
                   text_of(json_object_get(asked, "error"), "line"));
    } else if (done) {
        judge(run, &q, t, &v);
    } else if (!q.opened) {
        t->skipped++;
        if (run->verbose)
            printf("skipped %s: %s\n    %s\n", text_of(asked, "id"), query, q.why);
    } else {
        t->failed++;
        printf("differs %s: %s\n    leat:  %s\n", text_of(asked, "id"), query, q.why);
    }
    testhost_node_destroy(q.node);
}

// --- the file

static int take_line(struct run *run, char *line, size_t len)
{
    json_error_t e;
    json_t *asked = json_loads(line, 0, &e);
    if (!asked)
        snprintf(run->fault, sizeof run->fault, "%s", e.text);
    else if (run_asks(run, text_of(asked, "category")))
        ask(run, asked);
    json_decref(asked);
    return asked != NULL;
}

static void report(const struct tally *t, const struct counts *c)
{
    printf("%s: %u passed, %u failed, %u skipped", t->category, c->passed, c->failed, c->skipped);
    if (c->listed)
        printf("; %u of the passed give other changes with the same sums, for a reason that is listed", c->listed);
    printf("\n");
}

int main(int argc, char **argv)
{
    static struct asker asker;
    static struct run run = {.usage = "answers_stateful [FILE] [--category NAME] [--min CATEGORY=PERCENT]... "
                                      "[--differences FILE] [-v]",
                             .category = "--category",
                             .file = ANSWERS_DIR "/stateful.jsonl",
                             .least = -1,
                             .listed_of_100 = 100,
                             .needs_cases = 1,
                             .arg = &asker,
                             .take = take_line,
                             .report = report};
    if (!run_begin(&run, argc, argv))
        return 2;
    asker.host = testhost_create();
    asker.component = testhost_component(asker.host, "sql", LEAT_OPERATOR, "sql");
    int status = run_finish(&run);
    testhost_destroy(asker.host);
    return status;
}
