// SPDX-License-Identifier: Apache-2.0
// Puts the expressions that a real Flink was asked (README.md) to leat's operator `sql` and compares type, outcome and
// text.
//
//     answers_expressions [FILE] [--category NAME] [--min CATEGORY=PERCENT]… [--differences FILE] [-v]
//
// Each expression runs alone as SELECT expr, CAST((expr) AS STRING) over one row made from inputs.tsv; if that is
// refused or fails, SELECT expr alone decides, as it did with Flink. Every case that differs is printed; those covered
// by differences.tsv count as passed, up to 5 % of a category, and are printed with -v. At the end a line for each
// category and "N passed, N failed, N skipped". Exit 1 when a category passes less than its PERCENT.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "row.h"
#include "run.h"
#include "testhost.h"
#include "typetext.h"

#define LISTED_OF_100 5
#define TEXT_MAX      65536
#define TYPE_MAX      4096

struct asker {
    struct testhost *host;
    const struct leat_component *component;
    struct row row;
};

// What was asked and what Flink answered: cells of a line.
struct question {
    const char *id, *category, *expression, *type, *outcome, *value;
};

struct answer {
    const char *outcome; // "VALUE", "NULL", "ERROR-PLAN", "ERROR-RUN"
    char type[TYPE_MAX];
    char text[TEXT_MAX];
    char why[1200];
};

// --- asking

// Text with control characters as the file writes them.
static void escape(const uint8_t *bytes, size_t len, char *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < len && n + 5 < cap; i++) {
        uint8_t c = bytes[i];
        const char *known = c == '\\' ? "\\\\" : c == '\t' ? "\\t" : c == '\n' ? "\\n" : c == '\r' ? "\\r" : NULL;
        if (known)
            n += (size_t)snprintf(out + n, cap - n, "%s", known);
        else if (c < 0x20 || c == 0x7F)
            n += (size_t)snprintf(out + n, cap - n, "\\x%02X", c);
        else
            out[n++] = (char)c;
    }
    out[n] = 0;
}

static void refuse(struct answer *a, const char *outcome, struct testhost_node *node)
{
    a->outcome = outcome;
    const char *faults = node->error.failure ? node->error.message : testhost_faults(node);
    snprintf(a->why, sizeof a->why, "%s", faults ? faults : "");
}

// Reads the first row of what was emitted: the value in column 0, its text in column 1 if there is one.
static void read_answer(struct answer *a, const struct leat_batch *b)
{
    uint8_t state = leat_batch_state(b, 0, 0), kind = b->schema->columns[0].type.kind;
    a->outcome = state == LEAT_VALUE ? "VALUE" : "NULL";
    uint32_t column = leat_type_is_string(kind) || b->column_count < 2 ? 0 : 1;
    if (state != LEAT_VALUE || !leat_type_is_bytes(b->schema->columns[column].type.kind) ||
        leat_batch_state(b, column, 0) != LEAT_VALUE)
        return;
    const union leat_cell *cell = leat_batch_cell(b, column, 0);
    escape(cell->bytes.ptr, cell->bytes.len, a->text, sizeof a->text);
}

static leat_status bind_query(struct asker *asker, struct testhost_node *node)
{
    struct leat_input input = {.schema = asker->row.schema, .mode = LEAT_MODE_INSERT_ONLY, .kind = LEAT_INPUT_STREAM};
    struct leat_operator_request request = {.struct_size = sizeof request,
                                            .config = node->config,
                                            .inputs = &input,
                                            .input_count = 1,
                                            .local_time_zone = "UTC"};
    const struct leat_operator_ops *op = asker->component->op;
    struct leat_input_names names;
    leat_status st = op->inputs(&node->ctx, node->config, &names);
    if (st != LEAT_OK)
        return st;
    node->operator_plan.struct_size = sizeof node->operator_plan;
    st = op->bind(&node->ctx, &request, &node->operator_plan, &node->bound);
    return st == LEAT_OK ? op->create(&node->ctx, node->bound, &node->self) : st;
}

// As TYPEOF prints it: intervals have the name of their smallest unit there.
static void print_type(const struct leat_type *type, char *out, size_t cap)
{
    const char *name = type->kind == LEAT_TYPE_INTERVAL_YM   ? "INTERVAL MONTH"
                       : type->kind == LEAT_TYPE_INTERVAL_DS ? "INTERVAL SECOND(3)"
                                                             : NULL;
    if (name)
        snprintf(out, cap, "%s%s", name, type->nullable ? "" : " NOT NULL");
    else
        typetext_print(type, out, cap);
}

static void ask_query(struct asker *asker, const char *query, struct answer *a)
{
    struct testhost_node *node = testhost_node(asker->host, asker->component, (const char *[]){"query", query, NULL});
    *a->type = *a->text = *a->why = 0;
    if (!node->config || bind_query(asker, node) != LEAT_OK) {
        refuse(a, "ERROR-PLAN", node);
        testhost_node_destroy(node);
        return;
    }
    print_type(&node->operator_plan.ports.items[0].schema->columns[0].type, a->type, sizeof a->type);
    struct leat_batch *b = row_batch(&asker->row, &node->ctx);
    const struct leat_operator_ops *op = asker->component->op;
    if (op->open(&node->ctx, node->self, &node->open) != LEAT_OK ||
        op->process(&node->ctx, node->self, 0, b) != LEAT_OK || !node->emitted || !node->emitted->batch->rows)
        refuse(a, "ERROR-RUN", node);
    else
        read_answer(a, node->emitted->batch);
    leat_batch_unref(b);
    testhost_node_destroy(node);
}

static void ask(struct asker *asker, const struct question *q, struct answer *a)
{
    static char query[TEXT_MAX];
    snprintf(query, sizeof query, "SELECT %s AS v, CAST((%s) AS STRING) AS s FROM t", q->expression, q->expression);
    ask_query(asker, query, a);
    if (strncmp(a->outcome, "ERROR", 5) != 0)
        return;
    snprintf(query, sizeof query, "SELECT %s AS v FROM t", q->expression);
    ask_query(asker, query, a);
}

// --- comparing

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// The entries of "{a=1, b=2}" in the order of their text.
static void sort_entries(const char *text, char *out, size_t cap)
{
    char *entries[256], *copy = strdup(text);
    size_t count = 0, n = 0;
    if (!copy)
        abort();
    size_t len = strlen(copy);
    char *at = copy + (*copy == '{');
    if (len && copy[len - 1] == '}')
        copy[len - 1] = 0;
    while (at && count < sizeof entries / sizeof *entries) {
        char *next = strstr(at, ", ");
        if (next) {
            *next = 0;
            next += 2;
        }
        entries[count++] = at;
        at = next;
    }
    qsort(entries, count, sizeof *entries, compare_texts);
    *out = 0;
    for (size_t i = 0; i < count && n < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s", i ? ", " : "", entries[i]);
    free(copy);
}

static int same_text(const struct question *q, const struct answer *a)
{
    static char want[TEXT_MAX], have[TEXT_MAX];
    if (strncmp(q->type, "MAP<", 4) != 0)
        return strcmp(q->value, a->text) == 0;
    sort_entries(q->value, want, sizeof want);
    sort_entries(a->text, have, sizeof have);
    return strcmp(want, have) == 0;
}

static int right(const struct question *q, const struct answer *a)
{
    if (strcmp(q->outcome, a->outcome) != 0)
        return 0;
    if (strcmp(q->outcome, "ERROR-PLAN") == 0)
        return 1;
    return strcmp(q->type, a->type) == 0 && (strcmp(q->outcome, "VALUE") != 0 || same_text(q, a));
}

// "INT 42", "INT NULL", "INT error run: …", "error plan: …": an answer as differences.tsv has it. With leat's message, so
// that a line excuses the error it speaks of and no other.
static const char *answer_text(const char *outcome, const char *type, const char *text, const char *why, char *out,
                               size_t cap)
{
    const char *joint = *why ? ": " : "";
    if (strcmp(outcome, "ERROR-PLAN") == 0)
        snprintf(out, cap, "error plan%s%s", joint, why);
    else if (strcmp(outcome, "ERROR-RUN") == 0)
        snprintf(out, cap, "%s error run%s%s", type, joint, why);
    else
        snprintf(out, cap, "%s %s", type, strcmp(outcome, "NULL") == 0 ? "NULL" : text);
    return out;
}

static void judge(struct run *run, const struct question *q, const struct answer *a, struct tally *t)
{
    static char flink[TEXT_MAX + TYPE_MAX], leat[TEXT_MAX + TYPE_MAX];
    if (right(q, a)) {
        t->passed++;
        return;
    }
    answer_text(q->outcome, q->type, q->value, "", flink, sizeof flink);
    answer_text(a->outcome, a->type, a->text, a->why, leat, sizeof leat);
    const char *reason = differences_reason(run->differences, "expressions", q->expression, flink, leat);
    t->listed += reason != NULL;
    t->failed += !reason;
    if (!reason || run->verbose)
        printf("%s %s: %s\n    flink: %s%s%s\n    leat:  %s\n", reason ? "listed" : "differs", q->id, q->expression,
               flink, strncmp(q->outcome, "ERROR", 5) ? "" : ": ", strncmp(q->outcome, "ERROR", 5) ? "" : q->value,
               leat);
    if (reason && run->verbose)
        printf("    why:   %s\n", reason);
}

// --- the file

static int cut_line(char *line, struct question *q)
{
    const char **cells[] = {&q->id, &q->category, &q->expression, &q->type, &q->outcome, &q->value};
    line[strcspn(line, "\n")] = 0;
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        *cells[i] = line;
        char *tab = strchr(line, '\t');
        if (!tab)
            return i == sizeof cells / sizeof *cells - 1;
        *tab = 0;
        line = tab + 1;
    }
    return 1;
}

static int take_line(struct run *run, char *line, size_t len)
{
    static struct answer a;
    struct question q;
    if (run->line == 1)
        return 1;
    if (!cut_line(line, &q)) {
        snprintf(run->fault, sizeof run->fault, "expected six cells");
        return 0;
    }
    if (run_asks(run, q.category)) {
        ask(run->arg, &q, &a);
        judge(run, &q, &a, run_tally(run, q.category));
    }
    return 1;
}

static void report(const struct tally *t, const struct counts *c)
{
    if (!c->cases)
        return;
    printf("%s: %u passed, %u failed, 0 skipped (%.1f %%)", t->category, c->passed, c->failed,
           100.0 * c->passed / c->cases);
    if (t->listed)
        printf("; %u of the passed are listed differences", c->listed);
    if (c->over)
        printf(", %u listed beyond %d %% count as failed", c->over, LISTED_OF_100);
    printf("\n");
}

int main(int argc, char **argv)
{
    static struct asker asker;
    static struct run run = {.usage = "answers_expressions [FILE] [--category NAME] [--min CATEGORY=PERCENT]... "
                                      "[--differences FILE] [-v]",
                             .category = "--category",
                             .file = ANSWERS_DIR "/expressions.tsv",
                             .least = -1,
                             .listed_of_100 = LISTED_OF_100,
                             .arg = &asker,
                             .take = take_line,
                             .report = report};
    if (!run_begin(&run, argc, argv))
        return 2;
    asker.host = testhost_create();
    asker.component = testhost_component(asker.host, "sql", LEAT_OPERATOR, "sql");
    if (!row_load(&asker.row, asker.host, ANSWERS_DIR "/inputs.tsv"))
        return 2;
    int status = run_finish(&run);
    row_free(&asker.row);
    testhost_destroy(asker.host);
    return status;
}
