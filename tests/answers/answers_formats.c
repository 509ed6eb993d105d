// SPDX-License-Identifier: Apache-2.0
// Puts the questions that a real Flink's formats were asked (FORMATS.md) to leat's format plugins and compares.
//
//     answers_formats [FILE] [--format NAME] [--min PERCENT] [-v]
//
// Every case that differs is printed; those covered by differences.tsv count as passed, up to 5 % of a format's cases,
// and are printed with -v. Formats without a plugin are skipped by name. At the end: "N passed, N failed, N skipped".
// Exit 1 when a format passes less than PERCENT of its cases (default 100).
//
// The options of a case are Flink's. Where leat's own default is another one it is written out for the format: cases
// without encode.decimal-as-plain-number ask for Flink's false.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "formats.h"
#include "run.h"
#include "testhost.h"

#define OPTIONS_MAX   32
#define ROWS_MAX      256
#define LISTED_OF_100 5

// One case and what leat answers to it.
struct question {
    const json_t *record;
    const char *format, *direction;
    struct pool pool;
    struct testhost *host;
    struct testhost_node *node;
    const struct leat_schema *schema;
    struct leat_format *codec;
    const char *outcome; // "rows", "bytes", "skipped", "error create", "error run"
    json_t *answer;      // rows or bytes
    char why[1200];
};

static const char *field(const json_t *record, const char *name)
{
    const char *text = json_string_value(json_object_get(record, name));
    return text ? text : "";
}

// --- asking

static struct leat_bytes input_bytes(struct pool *p, const json_t *input)
{
    const char *hex = json_string_value(json_object_get(input, "hex"));
    if (json_is_null(input))
        return (struct leat_bytes){NULL, 0};
    // copied to memory of exactly that size, so that the sanitizers see what is read beyond it
    if (!hex)
        return (struct leat_bytes){(uint8_t *)pool_copy(p, json_string_value(input), json_string_length(input)),
                                   (uint32_t)json_string_length(input)};
    uint32_t len = (uint32_t)strlen(hex) / 2;
    uint8_t *bytes = pool_alloc(p, len + 1);
    for (uint32_t i = 0; i < len; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return (struct leat_bytes){bytes, len};
}

static json_t *output_text(const uint8_t *bytes, size_t len)
{
    json_t *text = json_stringn((const char *)bytes, len);
    if (text)
        return text;
    char *hex = malloc(len * 2 + 1);
    if (!hex)
        abort();
    for (size_t i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    hex[len * 2] = 0;
    text = json_pack("{s:s}", "hex", hex);
    free(hex);
    return text;
}

static void say_why(struct question *q, const char *fallback)
{
    const struct testhost_error *e = &q->node->error;
    const char *diags = testhost_faults(q->node);
    snprintf(q->why, sizeof q->why, "%s", e->failure ? e->message : diags && *diags ? diags : fallback);
}

static void refuse(struct question *q, const char *why)
{
    q->outcome = "error create";
    if (why)
        snprintf(q->why, sizeof q->why, "%s", why);
    else
        say_why(q, "");
}

static void fill_pairs(struct question *q, const char **pairs)
{
    const char *key;
    json_t *value;
    size_t n = 0;
    char *plain = pool_alloc(&q->pool, 128);
    snprintf(plain, 128, "%s.encode.decimal-as-plain-number", q->format);
    json_t *options = json_object_get(q->record, "options");
    if (!json_object_get(options, plain) && strstr(q->format, "json")) {
        pairs[n++] = plain;
        pairs[n++] = "false";
    }
    json_object_foreach(options, key, value)
    {
        if (n + 2 < OPTIONS_MAX) {
            pairs[n++] = key;
            pairs[n++] = json_string_value(value);
        }
    }
    pairs[n] = NULL;
}

// Opens the format; 0 = refused, q->outcome says so.
static int open_codec(struct question *q)
{
    const char *pairs[OPTIONS_MAX + 1], *why = NULL;
    uint8_t direction = strcmp(q->direction, "encode") == 0 ? LEAT_ENCODE : LEAT_DECODE;
    q->schema = schema_parse(&q->pool, field(q->record, "schema"), &why);
    if (!q->schema) {
        refuse(q, why);
        return 0;
    }
    fill_pairs(q, pairs);
    q->codec = testhost_format(q->node, q->format, pairs, direction, q->schema, NULL, 0, 0);
    if (!q->codec)
        refuse(q, NULL);
    return q->codec != NULL;
}

static void ask_decode(struct question *q)
{
    static const char *const kinds[] = {"+I", "-U", "+U", "-D"};
    struct leat_bytes record = input_bytes(&q->pool, json_object_get(q->record, "input"));
    struct leat_batch *b = leat_batch_new(&q->node->ctx, q->schema, ROWS_MAX);
    uint32_t count = 0, done = 0;
    leat_status st = q->codec->ops->decode(&q->node->ctx, q->codec->self, &record, 1, 1, b, 0, 0, &count, &done);
    q->outcome = st != LEAT_OK ? "error run" : count == 0 ? "skipped" : "rows";
    if (st != LEAT_OK)
        say_why(q, "");
    q->answer = json_array();
    for (uint32_t r = 0; r < b->rows; r++) {
        json_t *values = json_array();
        for (uint32_t c = 0; c < b->column_count; c++)
            json_array_append_new(
                values, value_text(&q->schema->columns[c].type, leat_batch_cell(b, c, r), leat_batch_state(b, c, r)));
        json_array_append_new(q->answer, json_pack("[so]", kinds[b->kinds[r] & 3], values));
    }
    leat_batch_unref(b);
}

// Row i of the input into the batch. 0 = its kind or a literal is not known.
static int fill_row(struct question *q, struct leat_batch *b, const json_t *row)
{
    static const char *const kinds[] = {"+I", "-U", "+U", "-D"};
    const char *kind = json_string_value(json_array_get(row, 0));
    uint8_t k = 0;
    while (k < 4 && kind && strcmp(kinds[k], kind) != 0)
        k++;
    uint32_t r = k < 4 ? leat_batch_add(b, k) : UINT32_MAX;
    if (r == UINT32_MAX)
        return 0;
    for (uint32_t c = 0; c < b->column_count; c++) {
        const char *literal = json_string_value(json_array_get(json_array_get(row, 1), c));
        struct leat_datum d = {.state = LEAT_NULL};
        if (literal && !literal_value(&q->pool, literal, &q->schema->columns[c].type, &d))
            return 0;
        b->columns[c].cells[r] = d.cell;
        b->columns[c].states[r] = d.state;
    }
    return 1;
}

static int has_kind(const struct leat_batch *b, uint8_t kind)
{
    for (uint32_t r = 0; r < b->rows; r++)
        if (b->kinds[r] == kind)
            return 1;
    return 0;
}

static void encode_batch(struct question *q, const struct leat_batch *b)
{
    struct leat_buffer out = {.max = 1 << 26};
    size_t ends[ROWS_MAX];
    uint32_t done = 0;
    leat_status st = q->codec->ops->encode(&q->node->ctx, q->codec->self, b, 0, b->rows, &out, ends, &done);
    q->outcome = st == LEAT_OK ? "bytes" : "error run";
    if (st != LEAT_OK)
        say_why(q, "");
    q->answer = json_array();
    for (uint32_t r = 0; r < done; r++) {
        size_t start = r ? ends[r - 1] : 0;
        json_array_append_new(q->answer, output_text(out.ptr + start, ends[r] - start));
    }
    q->node->ctx.host->free(&q->node->ctx, out.ptr);
}

static void ask_encode(struct question *q)
{
    const json_t *input = json_object_get(q->record, "input");
    struct leat_batch *b = leat_batch_new(&q->node->ctx, q->schema, ROWS_MAX);
    int good = 1;
    for (size_t i = 0; i < json_array_size(input) && good; i++)
        good = fill_row(q, b, json_array_get(input, i));
    if (!good) {
        q->outcome = "not asked";
        snprintf(q->why, sizeof q->why, "this program does not know the literal");
    } else if (q->codec->mode == LEAT_MODE_INSERT_ONLY &&
               (has_kind(b, LEAT_DELETE) || has_kind(b, LEAT_UPDATE_BEFORE) || has_kind(b, LEAT_UPDATE_AFTER))) {
        refuse(q, "the format carries inserts only");
    } else {
        encode_batch(q, b);
    }
    leat_batch_unref(b);
}

static void ask(struct question *q)
{
    q->host = testhost_create();
    q->host->local_time_zone = "UTC";
    q->node = testhost_bare(q->host);
    if (open_codec(q)) {
        if (strcmp(q->direction, "encode") == 0)
            ask_encode(q);
        else
            ask_decode(q);
        q->codec->close(&q->node->ctx, q->codec);
    }
}

static void question_free(struct question *q)
{
    testhost_node_destroy(q->node);
    testhost_destroy(q->host);
    json_decref(q->answer);
    pool_free(&q->pool);
}

// --- comparing

static int rows_equal(const struct question *q)
{
    const json_t *expected = json_object_get(q->record, "rows");
    if (json_array_size(expected) != json_array_size(q->answer))
        return 0;
    for (size_t i = 0; i < json_array_size(expected); i++) {
        const json_t *a = json_array_get(expected, i), *b = json_array_get(q->answer, i);
        const json_t *have = json_array_get(b, 1), *want = json_array_get(a, 1);
        if (!json_equal(json_array_get(a, 0), json_array_get(b, 0)) || json_array_size(want) != json_array_size(have))
            return 0;
        for (size_t c = 0; c < json_array_size(want); c++)
            if (!value_equal(&q->schema->columns[c].type, json_array_get(want, c), json_array_get(have, c)))
                return 0;
    }
    return 1;
}

static int right(const struct question *q)
{
    char expected[64];
    const char *stage = field(q->record, "stage");
    snprintf(expected, sizeof expected, "%s%s%s", field(q->record, "outcome"), *stage ? " " : "", stage);
    if (strcmp(expected, q->outcome) != 0)
        return 0;
    if (strcmp(q->outcome, "rows") == 0)
        return rows_equal(q);
    return strcmp(q->outcome, "bytes") != 0 || json_equal(json_object_get(q->record, "bytes"), q->answer);
}

static char *dumped(struct question *q, const json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;
    char *copy = pool_copy(&q->pool, text ? text : "", text ? strlen(text) : 0);
    free(text);
    return copy;
}

// "decode | a INT | {"json.…":"true"} | the input", as differences.tsv names questions.
static char *question_text(struct question *q)
{
    const json_t *input = json_object_get(q->record, "input");
    const char *text = json_is_string(input) ? json_string_value(input) : dumped(q, input);
    const char *options = dumped(q, json_object_get(q->record, "options"));
    size_t cap = strlen(text) + strlen(options) + strlen(field(q->record, "schema")) + 64;
    char *out = pool_alloc(&q->pool, cap);
    snprintf(out, cap, "%s | %s | %s | %s", q->direction, field(q->record, "schema"), options, text);
    return out;
}

// "rows [["+I",["1"]]]", "error run": an answer as differences.tsv has it.
static char *answer_text(struct question *q, const char *outcome, const json_t *answer)
{
    const char *values = json_array_size(answer) ? dumped(q, answer) : "";
    size_t cap = strlen(values) + strlen(outcome) + 2;
    char *out = pool_alloc(&q->pool, cap);
    snprintf(out, cap, "%s%s%s", outcome, *values ? " " : "", values);
    return out;
}

static char *our_text(struct question *q)
{
    return answer_text(q, q->outcome, strncmp(q->outcome, "error", 5) == 0 ? NULL : q->answer);
}

static char *flink_text(struct question *q)
{
    char outcome[64];
    const char *stage = field(q->record, "stage");
    const json_t *rows = json_object_get(q->record, "rows");
    snprintf(outcome, sizeof outcome, "%s%s%s", field(q->record, "outcome"), *stage ? " " : "", stage);
    return answer_text(q, outcome, *stage ? NULL : rows ? rows : json_object_get(q->record, "bytes"));
}

static void print_case(struct question *q, const char *word, const char *reason)
{
    printf("%s %s: %.400s\n    flink: %.400s\n    leat:  %.400s%s%s\n", word, field(q->record, "id"), question_text(q),
           flink_text(q), our_text(q), *q->why ? ": " : "", q->why);
    if (reason)
        printf("    why:   %s\n", reason);
}

static void judge(struct run *run, struct question *q, struct tally *t)
{
    if (right(q)) {
        t->passed++;
        return;
    }
    const char *reason = differences_reason(run->differences, q->format, question_text(q), flink_text(q), our_text(q));
    if (!reason) {
        t->failed++;
        print_case(q, "differs", NULL);
        return;
    }
    t->listed++;
    if (run->verbose)
        print_case(q, "listed", reason);
}

// --- the file

static int has_plugin(const char *format)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/format-%s.so", TESTHOST_LIB, format);
    return access(path, R_OK) == 0;
}

static void take_record(struct run *run, const json_t *record)
{
    struct question q = {.record = record, .format = field(record, "format"), .direction = field(record, "direction")};
    if (!run_asks(run, q.format))
        return;
    struct tally *t = run_tally(run, q.format);
    if (!has_plugin(q.format) || (strcmp(q.direction, "encode") != 0 && strcmp(q.direction, "decode") != 0)) {
        t->skipped++;
        return;
    }
    ask(&q);
    judge(run, &q, t);
    question_free(&q);
}

static int take_line(struct run *run, char *line, size_t len)
{
    json_error_t error;
    json_t *record = json_loadb(line, len, JSON_ALLOW_NUL, &error);
    if (record)
        take_record(run, record);
    else
        snprintf(run->fault, sizeof run->fault, "%s", error.text);
    json_decref(record);
    return record != NULL;
}

static void report(const struct tally *t, const struct counts *c)
{
    if (c->cases) {
        printf("%s: %u of %u passed (%.1f %%), %u of them as listed differences", t->category, c->passed, c->cases,
               100.0 * c->passed / c->cases, c->listed);
        if (c->over)
            printf(", %u listed beyond %d %% count as failed", c->over, LISTED_OF_100);
        printf("\n");
    }
    if (c->skipped)
        printf("%s: %u skipped%s\n", t->category, c->skipped, c->cases ? "" : ", there is no such format plugin");
}

int main(int argc, char **argv)
{
    static struct run run = {.usage =
                                 "answers_formats [FILE] [--format NAME] [--min PERCENT] [--differences FILE] [-v]",
                             .category = "--format",
                             .file = ANSWERS_DIR "/formats.jsonl",
                             .least = 100,
                             .listed_of_100 = LISTED_OF_100,
                             .take = take_line,
                             .report = report};
    return run_begin(&run, argc, argv) ? run_finish(&run) : 2;
}
