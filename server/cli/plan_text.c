// SPDX-License-Identifier: Apache-2.0
// A plan for people. Each job opens with its chains, so that the flow is seen at a glance; below stands every node with
// what it reads, does and gives. See plan_forms.h.
//
//     job 3 "orders"
//
//       task 1   orders
//       task 2   users
//       task 3   join → result ×2
//                ← orders, shared out by hash of user_id
//                ← users, shared out by hash of user_id
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "cli/plan_forms.h"

#define WIDTH  110
#define INDENT 15 // of what stands behind a label

// --- lines

static void print_label(const char *label)
{
    printf("      %-8s ", label);
}

// Text behind a label, one line or several.
static void print_lines(const char *label, const char *text)
{
    for (const char *at = text; at && *at;) {
        const char *end = strchr(at, '\n');
        size_t len = end ? (size_t)(end - at) : strlen(at);
        print_label(at == text ? label : "");
        printf("%.*s\n", (int)len, at);
        at = end ? end + 1 : NULL;
    }
}

// Words broken at WIDTH.
struct wrap {
    size_t column;
};

static void print_word(struct wrap *w, const char *word, bool last)
{
    size_t len = strlen(word) + (last ? 0 : 1);
    bool first = w->column == INDENT;
    if (!first && w->column + 1 + len > WIDTH) {
        printf("\n%*s", INDENT, "");
        w->column = INDENT;
        first = true;
    }
    w->column += (size_t)printf("%s%s%s", first ? "" : " ", word, last ? "" : ",");
}

static void print_schema(const struct leat_schema *schema)
{
    struct wrap w = {INDENT};
    print_label("");
    for (uint32_t i = 0; i < schema->column_count; i++) {
        char type[512], word[800];
        plan_type_words(&schema->columns[i].type, type, sizeof type);
        snprintf(word, sizeof word, "%.*s %s", (int)schema->columns[i].name.len,
                 (const char *)schema->columns[i].name.ptr, type);
        print_word(&w, word, i + 1 == schema->column_count);
    }
    printf("\n");
    if (!schema->key_count)
        return;
    print_label("");
    printf("PRIMARY KEY (");
    for (uint32_t i = 0; i < schema->key_count; i++) {
        const struct leat_bytes *name = &schema->columns[schema->key[i]].name;
        printf("%s%.*s", i ? ", " : "", (int)name->len, (const char *)name->ptr);
    }
    printf(")\n");
}

// --- the picture

static void print_times(const struct plan_node *n)
{
    if (n->parallelism > 1)
        printf(" ×%u", n->parallelism);
}

// What a node hands on by direct calls: "a → b → c"; several in brackets.
static void print_chain(const struct plan_job *plan, const struct plan_node *n)
{
    uint32_t count = 0, shown = 0;
    printf("%s", n->name);
    for (uint32_t i = 0; i < plan->edge_count; i++)
        count += plan->edges[i]->chained && plan->edges[i]->from == n;
    for (uint32_t i = 0; i < plan->edge_count; i++) {
        if (!plan->edges[i]->chained || plan->edges[i]->from != n)
            continue;
        printf("%s", shown++ ? " | " : count > 1 ? " → [ " : " → ");
        print_chain(plan, plan->edges[i]->to);
    }
    printf("%s", count > 1 ? " ]" : "");
}

// Which chains a chain gets its rows from.
static void print_feeders(const struct plan_job *plan, const struct plan_node *head)
{
    for (uint32_t i = 0; i < head->input_count; i++) {
        const struct plan_edge *e = head->inputs[i];
        struct base_str words;
        if (!e)
            continue;
        base_str_init(&words);
        plan_share_words(e, &words);
        printf("           ← %s%s%s, %s\n", e->from->name, *e->from->outputs[e->port].name ? "." : "",
               e->from->outputs[e->port].name, words.ptr);
        base_str_fini(&words);
    }
}

static void print_picture(const struct plan_job *plan)
{
    uint32_t task = 0;
    if (!plan->complete) {
        for (uint32_t i = 0; i < plan->node_count; i++)
            for (uint32_t k = 0; plan->nodes[i]->graph && k < plan->nodes[i]->graph->ref_count; k++)
                printf("  %s → %s\n", plan->nodes[i]->graph->refs[k].text, plan->nodes[i]->name);
        printf("\n");
        return;
    }
    for (uint32_t i = 0; i < plan->node_count; i++) {
        const struct plan_node *n = plan->nodes[i];
        if (n->kind == LEAT_LOOKUP || plan_chain_head(n) != n)
            continue;
        printf("  task %-2u  ", ++task);
        print_chain(plan, n);
        print_times(n);
        printf("\n");
        print_feeders(plan, n);
    }
    printf("\n");
}

// --- nodes

static void print_inputs(const struct plan_job *plan, const struct plan_node *n)
{
    for (uint32_t i = 0; i < n->input_count; i++) {
        const struct plan_edge *e = n->inputs[i];
        struct base_str words;
        base_str_init(&words);
        if (plan->complete && e) {
            plan_share_words(e, &words);
            print_label(i ? "" : "reads");
            printf("%s%s%s: %s, %s%s\n", e->from->name, *e->from->outputs[e->port].name ? "." : "",
                   e->from->outputs[e->port].name, plan_mode_words(e->from->outputs[e->port].mode), words.ptr,
                   e->wait_first    ? "; read up to its end before the others"
                   : e->same_source ? "; not waited for, since its source feeds the other input too"
                                    : "");
            words.len = 0;
            plan_adapt_words(e, &words);
            if (words.len)
                print_lines("", words.ptr);
        } else if (n->graph && i < n->graph->ref_count) {
            print_label(i ? "" : "reads");
            printf("%s\n", n->graph->refs[i].text);
        }
        base_str_fini(&words);
    }
}

static void print_outputs(const struct plan_job *plan, const struct plan_node *n)
{
    for (uint32_t i = 0; i < n->output_count; i++) {
        const struct plan_output *out = &n->outputs[i];
        print_label(i ? "" : n->kind == LEAT_LOOKUP ? "answers" : "gives");
        printf("%s%s%s\n", out->name, *out->name ? ": " : "",
               n->kind == LEAT_LOOKUP ? "rows of a key"
               : plan->complete       ? plan_mode_words(out->mode)
                                      : "columns as far as they are known");
        if (out->schema)
            print_schema(out->schema);
        else
            printf("%*scolumns are known only when connected\n", INDENT, "");
    }
    if ((n->kind == LEAT_SOURCE || n->kind == LEAT_LOOKUP) && n->output_count == 0) {
        print_label("gives");
        printf("tables and columns are known only when connected%s%s\n", n->source_plan.name_pattern ? ": " : "",
               n->source_plan.name_pattern ? n->source_plan.name_pattern : "");
    }
}

static void print_sink(const struct plan_node *n)
{
    print_label("writes");
    printf("%s%s%s\n", plan_mode_words(n->sink_plan.mode), n->sink_plan.resource ? " to " : "",
           n->sink_plan.resource ? n->sink_plan.resource : "");
    print_lines("promise", plan_promise_words(n));
}

static void print_node(const struct plan_job *plan, const struct plan_node *n)
{
    printf("  %-8s %s (%s)", plan_kind_words(n->kind), n->name, n->component->name);
    if (plan->complete)
        print_times(n);
    printf("\n");
    if (n->inserted_because) {
        print_label("inserted");
        printf("since %s\n", n->inserted_because);
    }
    if (n->narrow_because) {
        print_label("runs");
        printf("in %u instance%s, not %u: %s\n", n->parallelism, n->parallelism == 1 ? "" : "s", n->graph->parallelism,
               n->narrow_because);
    }
    if (n->source_plan.resource && (n->kind == LEAT_SOURCE || n->kind == LEAT_LOOKUP))
        print_lines("from", n->source_plan.resource);
    print_inputs(plan, n);
    if (n->kind == LEAT_OPERATOR && n->op_plan.explain)
        print_lines("does", n->op_plan.explain);
    if (n->kind == LEAT_OPERATOR && n->op_plan.has_state)
        print_lines("state", "keyed: in memory, and in every checkpoint");
    print_outputs(plan, n);
    if (n->kind == LEAT_SINK)
        print_sink(n);
}

void plan_text_job(const struct plan_job *plan, uint32_t number)
{
    printf("\njob %u \"%s\"%s\n\n", number + 1, plan->name,
           plan->complete ? "" : " (not complete: some columns are known only when connected)");
    print_picture(plan);
    for (uint32_t i = 0; i < plan->node_count; i++)
        print_node(plan, plan->nodes[i]);
}

void plan_text_pipeline(const struct session_pipeline *p, const struct config_server *server)
{
    char interval[BASE_TIME_TEXT];
    long workers = server->workers ? (long)server->workers : sysconf(_SC_NPROCESSORS_ONLN);
    base_duration_print(p->options->checkpoint_interval, interval);
    printf("pipeline \"%s\": %u job%s, on %ld worker%s; a checkpoint every %s in %s/%s\n", p->graph->pipeline,
           p->graph->job_count, p->graph->job_count == 1 ? "" : "s", workers, workers == 1 ? "" : "s", interval,
           p->options->checkpoint_dir, p->graph->pipeline);
}
