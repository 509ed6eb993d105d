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

#include "differences.h"
#include "row.h"
#include "testhost.h"
#include "typetext.h"

#define CATEGORIES_MAX 64
#define LISTED_OF_100  5
#define TEXT_MAX       65536
#define TYPE_MAX       4096

struct tally {
    char category[64];
    double least;
    unsigned cases, passed, listed, failed;
};

struct run {
    const char *only;
    int verbose;
    struct differences *differences;
    struct testhost *host;
    const struct leat_component *component;
    struct row row;
    struct tally tallies[CATEGORIES_MAX];
    size_t categories;
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

static struct tally *tally_of(struct run *run, const char *category)
{
    for (size_t i = 0; i < run->categories; i++)
        if (strcmp(run->tallies[i].category, category) == 0)
            return &run->tallies[i];
    if (run->categories == CATEGORIES_MAX) {
        fprintf(stderr, "more than %d categories\n", CATEGORIES_MAX);
        exit(2);
    }
    struct tally *t = &run->tallies[run->categories++];
    snprintf(t->category, sizeof t->category, "%s", category);
    return t;
}

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

static leat_status bind_query(struct run *run, struct testhost_node *node)
{
    struct leat_input input = {.schema = run->row.schema, .mode = LEAT_MODE_INSERT_ONLY, .kind = LEAT_INPUT_STREAM};
    struct leat_operator_request request = {.struct_size = sizeof request,
                                            .config = node->config,
                                            .inputs = &input,
                                            .input_count = 1,
                                            .local_time_zone = "UTC"};
    const struct leat_operator_ops *op = run->component->op;
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

static void ask_query(struct run *run, const char *query, struct answer *a)
{
    struct testhost_node *node = testhost_node(run->host, run->component, (const char *[]){"query", query, NULL});
    *a->type = *a->text = *a->why = 0;
    if (!node->config || bind_query(run, node) != LEAT_OK) {
        refuse(a, "ERROR-PLAN", node);
        testhost_node_destroy(node);
        return;
    }
    print_type(&node->operator_plan.ports.items[0].schema->columns[0].type, a->type, sizeof a->type);
    struct leat_batch *b = row_batch(&run->row, &node->ctx);
    const struct leat_operator_ops *op = run->component->op;
    if (op->open(&node->ctx, node->self, &node->open) != LEAT_OK ||
        op->process(&node->ctx, node->self, 0, b) != LEAT_OK || !node->emitted || !node->emitted->batch->rows)
        refuse(a, "ERROR-RUN", node);
    else
        read_answer(a, node->emitted->batch);
    leat_batch_unref(b);
    testhost_node_destroy(node);
}

static void ask(struct run *run, const struct question *q, struct answer *a)
{
    static char query[TEXT_MAX];
    snprintf(query, sizeof query, "SELECT %s AS v, CAST((%s) AS STRING) AS s FROM t", q->expression, q->expression);
    ask_query(run, query, a);
    if (strncmp(a->outcome, "ERROR", 5) != 0)
        return;
    snprintf(query, sizeof query, "SELECT %s AS v FROM t", q->expression);
    ask_query(run, query, a);
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
    t->cases++;
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

static int take_file(struct run *run, const char *path)
{
    static struct answer a;
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0, number = 0;
    int good = f != NULL;
    if (!f)
        fprintf(stderr, "could not open \"%s\"\n", path);
    while (good && getline(&line, &cap, f) > 0) {
        struct question q;
        if (++number == 1)
            continue;
        if (!cut_line(line, &q)) {
            fprintf(stderr, "%s:%zu: expected six cells\n", path, number);
            good = 0;
            break;
        }
        if (run->only && strcmp(run->only, q.category) != 0)
            continue;
        ask(run, &q, &a);
        judge(run, &q, &a, tally_of(run, q.category));
    }
    free(line);
    if (f)
        fclose(f);
    return good;
}

static int report(struct run *run)
{
    unsigned passed = 0, failed = 0;
    int good = 1;
    for (size_t i = 0; i < run->categories; i++) {
        struct tally *t = &run->tallies[i];
        if (!t->cases)
            continue;
        unsigned most = t->cases * LISTED_OF_100 / 100, over = t->listed > most ? t->listed - most : 0;
        unsigned fine = t->passed + t->listed - over;
        printf("%s: %u passed, %u failed, 0 skipped (%.1f %%)", t->category, fine, t->failed + over,
               100.0 * fine / t->cases);
        if (t->listed)
            printf("; %u of the passed are listed differences", t->listed - over);
        if (over)
            printf(", %u listed beyond %d %% count as failed", over, LISTED_OF_100);
        printf("\n");
        good = good && 100.0 * fine >= t->least * t->cases;
        passed += fine;
        failed += t->failed + over;
    }
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return good;
}

static int usage(void)
{
    fprintf(stderr, "usage: answers_expressions [FILE] [--category NAME] [--min CATEGORY=PERCENT]... "
                    "[--differences FILE] [-v]\n");
    return 2;
}

static int set_least(struct run *run, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals)
        return 0;
    *equals = 0;
    tally_of(run, text)->least = strtod(equals + 1, NULL);
    return 1;
}

int main(int argc, char **argv)
{
    static struct run run;
    const char *file = NULL, *differences = ANSWERS_DIR "/differences.tsv";
    for (int i = 1; i < argc; i++) {
        char *next = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "-v") == 0)
            run.verbose = 1;
        else if (strcmp(argv[i], "--category") == 0 && next)
            run.only = argv[++i];
        else if (strcmp(argv[i], "--differences") == 0 && next)
            differences = argv[++i];
        else if (strcmp(argv[i], "--min") == 0 && next && set_least(&run, next))
            i++;
        else if (argv[i][0] == '-' || file)
            return usage();
        else
            file = argv[i];
    }
    run.differences = differences_load(differences);
    run.host = testhost_create();
    run.component = testhost_component(run.host, "sql", LEAT_OPERATOR, "sql");
    if (!run.differences || !row_load(&run.row, run.host, ANSWERS_DIR "/inputs.tsv"))
        return 2;
    int good = take_file(&run, file ? file : ANSWERS_DIR "/expressions.tsv");
    good = report(&run) && good;
    row_free(&run.row);
    testhost_destroy(run.host);
    differences_free(run.differences);
    return good ? 0 : 1;
}
