// SPDX-License-Identifier: Apache-2.0
// Drives components as the server does: one call after the other, waiting for a wake wherever LEAT_AGAIN is answered.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "testhost_int.h"

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void nothing(evutil_socket_t fd, short what, void *arg) {}

// One turn of the loop that waits at most `ms` for something to happen.
static void turn(struct testhost *h, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    struct event *limit = evtimer_new(h->impl->base, nothing, NULL);
    if (!limit || event_add(limit, &tv) < 0 || event_base_loop(h->impl->base, EVLOOP_ONCE) < 0)
        abort();
    event_free(limit);
}

int testhost_run_until(struct testhost *h, int (*cond)(void *arg), void *arg, int timeout_ms)
{
    int64_t end = now_ms() + timeout_ms;
    for (;;) {
        if (cond(arg))
            return 1;
        int64_t left = end - now_ms();
        if (left <= 0)
            return 0;
        turn(h, left < 10 ? left : 10); // short, since what cond looks at may change without an event
    }
}

static int never(void *arg)
{
    return 0;
}

void testhost_run_for(struct testhost *h, int ms)
{
    testhost_run_until(h, never, NULL, ms);
}

int testhost_wait_wake(struct testhost_node *node, int timeout_ms)
{
    int64_t end = now_ms() + timeout_ms;
    while (!atomic_exchange(&node->impl->awake, 0)) {
        if (node->failed)
            return 1;
        int64_t left = end - now_ms();
        if (left <= 0)
            return 0;
        turn(node->host, left);
    }
    return 1;
}

// What the loop's events have failed with, or a wait for a wake. LEAT_OK = call again.
static leat_status wait_again(struct testhost_node *node, int64_t end)
{
    int64_t left = end - now_ms();
    if (left <= 0 || !testhost_wait_wake(node, (int)left))
        return LEAT_AGAIN;
    return node->failed;
}

// The steps with their arguments, so that one loop serves all of them.
struct step {
    struct testhost_node *node;
    const struct leat_batch *batch;
    uint8_t how;
    leat_status (*call)(struct step *s);
    const char *name;
};

static leat_status call_once(struct step *s)
{
    thost_enter(s->node, s->name);
    return thost_leave(s->node, s->name, s->call(s));
}

static leat_status run_step(struct step s, int timeout_ms)
{
    int64_t end = now_ms() + timeout_ms;
    leat_status st;
    while ((st = call_once(&s)) == LEAT_AGAIN) {
        st = wait_again(s.node, end);
        if (st != LEAT_OK)
            return st;
    }
    return st;
}

leat_status testhost_describe(struct testhost_node *node, const struct leat_schema *declared)
{
    struct leat_source_request rq = {.struct_size = sizeof rq, .config = node->config, .declared = declared};
    if (!node->config)
        return leat_fail(&node->ctx, LEAT_CONFIG, "LEAT-T0005", "the options are wrong");
    const struct leat_component *c = node->component;
    node->impl->declared = declared;
    node->source_plan = (struct leat_source_plan){.struct_size = sizeof node->source_plan, .parallel_max = 1};
    thost_enter(node, "describe");
    leat_status st = thost_leave(node, "describe",
                                 c->source ? c->source->describe(&node->ctx, &rq, &node->source_plan)
                                           : c->lookup->describe(&node->ctx, &rq, &node->source_plan));
    if (st == LEAT_OK)
        node->ports = node->source_plan.ports;
    return st;
}

leat_status testhost_source_create(struct testhost_node *node)
{
    struct leat_source_request rq = {
        .struct_size = sizeof rq, .config = node->config, .declared = node->impl->declared};
    const struct leat_component *c = node->component;
    thost_enter(node, "create");
    return thost_leave(node, "create",
                       c->source ? c->source->create(&node->ctx, &rq, &node->self)
                                 : c->lookup->create(&node->ctx, &rq, &node->self));
}

leat_status testhost_load_state(struct testhost_node *node, const struct testhost_state *state)
{
    struct leat_state_in in = {.version = state->version,
                               .kind = state->kind,
                               .instance = node->open.instance,
                               .instances = node->open.instances,
                               .ptr = state->ptr,
                               .len = state->len};
    const struct leat_component *c = node->component;
    node->open.restored = 1;
    node->open.first_run = 0;
    leat_status (*load)(struct leat_ctx *, void *, const struct leat_state_in *) = c->source ? c->source->load_state
                                                                                   : c->sink ? c->sink->load_state
                                                                                             : c->op->load_state;
    if (!load)
        return leat_fail(&node->ctx, LEAT_CONFIG, "LEAT-T0006", "it saved a state and has no load_state");
    thost_enter(node, "load_state");
    return thost_leave(node, "load_state", load(&node->ctx, node->self, &in));
}

static leat_status call_discover(struct step *s)
{
    const struct leat_component *c = s->node->component;
    return c->source ? c->source->discover(&s->node->ctx, s->node->self, &s->node->ports)
                     : c->lookup->discover(&s->node->ctx, s->node->self, &s->node->ports);
}

// Called where describe left something open, as the server does.
leat_status testhost_discover(struct testhost_node *node, int timeout_ms)
{
    const struct leat_component *c = node->component;
    int known = node->ports.count > 0;
    for (uint32_t i = 0; i < node->ports.count; i++)
        known &= leat_ports_get(&node->ports, i).schema != NULL;
    if (known || !(c->source ? c->source->discover : c->lookup->discover))
        return LEAT_OK;
    return run_step((struct step){.node = node, .call = call_discover, .name = "discover"}, timeout_ms);
}

leat_status testhost_discover_once(struct testhost_node *node)
{
    const struct leat_component *c = node->component;
    struct step s = {.node = node, .call = call_discover, .name = "discover"};
    return (c->source ? c->source->discover : c->lookup->discover) ? call_once(&s) : LEAT_OK;
}

static leat_status call_open(struct step *s)
{
    const struct leat_component *c = s->node->component;
    struct testhost_node *n = s->node;
    return c->source ? c->source->open(&n->ctx, n->self, &n->open)
           : c->sink ? c->sink->open(&n->ctx, n->self, &n->open)
           : c->op   ? c->op->open(&n->ctx, n->self, &n->open)
                     : c->lookup->open(&n->ctx, n->self, &n->open);
}

static int has_open(const struct leat_component *c)
{
    return c->source ? !!c->source->open : c->sink ? !!c->sink->open : c->op ? !!c->op->open : !!c->lookup->open;
}

leat_status testhost_open(struct testhost_node *node, int timeout_ms)
{
    struct step s = {.node = node, .call = call_open, .name = "open"};
    return has_open(node->component) ? run_step(s, timeout_ms) : LEAT_OK;
}

leat_status testhost_open_once(struct testhost_node *node)
{
    struct step s = {.node = node, .call = call_open, .name = "open"};
    return has_open(node->component) ? call_once(&s) : LEAT_OK;
}

leat_status testhost_source_resume(struct testhost_node *node, const struct leat_schema *declared,
                                   const struct testhost_state *state)
{
    leat_status st = testhost_describe(node, declared);
    if (st == LEAT_OK)
        st = testhost_source_create(node);
    if (st == LEAT_OK && state)
        st = testhost_load_state(node, state);
    if (st == LEAT_OK)
        st = testhost_discover(node, node->host->wait_ms);
    return st == LEAT_OK ? testhost_open(node, node->host->wait_ms) : st;
}

leat_status testhost_source_start(struct testhost_node *node, const struct leat_schema *declared)
{
    return testhost_source_resume(node, declared, NULL);
}

// What cond looks at may change in an event that does not wake the source: it is asked every few milliseconds.
leat_status testhost_poll_until(struct testhost_node *node, int (*cond)(void *arg), void *arg, int timeout_ms)
{
    int64_t end = now_ms() + timeout_ms;
    int again = 0;
    while (!cond(arg)) {
        int64_t left = end - now_ms();
        if (left <= 0)
            return LEAT_AGAIN;
        if (again && !testhost_wait_wake(node, left < 5 ? (int)left : 5))
            continue;
        if (node->failed)
            return node->failed;
        thost_enter(node, "poll");
        leat_status st = thost_leave(node, "poll", node->component->source->poll(&node->ctx, node->self));
        if (st < 0 || st == LEAT_END)
            return st == LEAT_END && cond(arg) ? LEAT_OK : st;
        again = st == LEAT_AGAIN;
        turn(node->host, 0);
    }
    return LEAT_OK;
}

struct rows_wanted {
    struct testhost_node *node;
    uint64_t rows;
};

static int have_rows(void *arg)
{
    struct rows_wanted *w = arg;
    return w->node->rows >= w->rows;
}

leat_status testhost_poll_rows(struct testhost_node *node, uint64_t rows, int timeout_ms)
{
    struct rows_wanted w = {node, rows};
    return testhost_poll_until(node, have_rows, &w, timeout_ms);
}

static uint32_t parse_key(struct testhost_node *node, const struct leat_schema *schema, const char *text,
                          const char ***names, uint32_t **key)
{
    uint32_t n = 0;
    *names = thost_memory(&node->impl->memory, (strlen(text) + 1) * sizeof **names);
    *key = thost_memory(&node->impl->memory, (strlen(text) + 1) * sizeof **key);
    while (*text) {
        size_t len = strcspn(text, ", ");
        (*names)[n] = thost_copy(&node->impl->memory, text, len);
        (*key)[n] = leat_schema_find(schema, (struct leat_bytes){(const uint8_t *)text, (uint32_t)len});
        n += len > 0;
        text += len + strspn(text + len, ", ");
    }
    return n;
}

leat_status testhost_bind(struct testhost_node *node, const struct leat_schema *schema, uint8_t mode,
                          const char *primary_key)
{
    const char **names = NULL;
    uint32_t *key = NULL;
    uint32_t n = primary_key ? parse_key(node, schema, primary_key, &names, &key) : 0;
    struct leat_sink_request rq = {.struct_size = sizeof rq,
                                   .config = node->config,
                                   .schema = schema,
                                   .mode = mode,
                                   .primary_key = names,
                                   .primary_key_count = n,
                                   .key = key,
                                   .key_count = n,
                                   .input = "input"};
    if (!node->config)
        return leat_fail(&node->ctx, LEAT_CONFIG, "LEAT-T0005", "the options are wrong");
    if (node->bound && node->component->sink->unbind)
        node->component->sink->unbind(node->bound);
    node->bound = NULL;
    node->sink_plan = (struct leat_sink_plan){.struct_size = sizeof node->sink_plan};
    thost_enter(node, "bind");
    return thost_leave(node, "bind", node->component->sink->bind(&node->ctx, &rq, &node->sink_plan, &node->bound));
}

leat_status testhost_create_bound(struct testhost_node *node)
{
    const struct leat_component *c = node->component;
    thost_enter(node, "create");
    return thost_leave(node, "create",
                       c->sink ? c->sink->create(&node->ctx, node->bound, &node->self)
                               : c->op->create(&node->ctx, node->bound, &node->self));
}

leat_status testhost_inputs(struct testhost_node *node, struct leat_input_names *names)
{
    if (!node->config)
        return leat_fail(&node->ctx, LEAT_CONFIG, "LEAT-T0005", "the options are wrong");
    *names = (struct leat_input_names){.count = 0};
    thost_enter(node, "inputs");
    return thost_leave(node, "inputs", node->component->op->inputs(&node->ctx, node->config, names));
}

leat_status testhost_bind_operator(struct testhost_node *node, const struct leat_input *inputs, uint32_t count)
{
    struct leat_operator_request rq = {.struct_size = sizeof rq,
                                       .config = node->config,
                                       .inputs = inputs,
                                       .input_count = count,
                                       .local_time_zone = node->host->local_time_zone,
                                       .input_stride = sizeof *inputs};
    const struct leat_operator_ops *op = node->component->op;
    if (node->bound && op->unbind)
        op->unbind(node->bound);
    node->bound = NULL;
    node->operator_plan = (struct leat_operator_plan){.struct_size = sizeof node->operator_plan};
    thost_enter(node, "bind");
    return thost_leave(node, "bind", op->bind(&node->ctx, &rq, &node->operator_plan, &node->bound));
}

leat_status testhost_process(struct testhost_node *node, uint32_t input, const struct leat_batch *batch)
{
    thost_enter(node, "process");
    return thost_leave(node, "process", node->component->op->process(&node->ctx, node->self, input, batch));
}

leat_status testhost_sink_start(struct testhost_node *node, const struct leat_schema *schema, uint8_t mode,
                                const char *primary_key)
{
    leat_status st = testhost_bind(node, schema, mode, primary_key);
    if (st == LEAT_OK)
        st = testhost_create_bound(node);
    return st == LEAT_OK ? testhost_open(node, node->host->wait_ms) : st;
}

static leat_status call_write(struct step *s)
{
    return s->node->component->sink->write(&s->node->ctx, s->node->self, s->batch);
}

leat_status testhost_write(struct testhost_node *node, const struct leat_batch *batch, int timeout_ms)
{
    return run_step((struct step){.node = node, .call = call_write, .name = "write", .batch = batch}, timeout_ms);
}

static leat_status call_flush(struct step *s)
{
    return s->node->component->sink->flush(&s->node->ctx, s->node->self, s->how);
}

leat_status testhost_flush(struct testhost_node *node, uint8_t how, int timeout_ms)
{
    if (!node->component->sink->flush)
        return LEAT_OK;
    return run_step((struct step){.node = node, .call = call_flush, .name = "flush", .how = how}, timeout_ms);
}

leat_status testhost_save_state(struct testhost_node *node, struct testhost_state *state)
{
    struct leat_state_out out = {.kind = LEAT_STATE_FULL, .core = state, .epoch = ++node->epoch};
    const struct leat_component *c = node->component;
    leat_status (*save)(struct leat_ctx *, void *, struct leat_state_out *) = c->source ? c->source->save_state
                                                                              : c->sink ? c->sink->save_state
                                                                                        : c->op->save_state;
    state->len = 0;
    thost_enter(node, "save_state");
    leat_status st = thost_leave(node, "save_state", save ? save(&node->ctx, node->self, &out) : LEAT_OK);
    state->version = out.version;
    state->kind = out.kind;
    return st;
}

void testhost_state_fini(struct testhost_state *state)
{
    free(state->ptr);
    *state = (struct testhost_state){0};
}

leat_status testhost_ask(struct testhost_node *node, const uint32_t *key_columns, uint32_t key_count,
                         const struct leat_batch *keys, uint64_t ticket)
{
    thost_enter(node, "ask");
    return thost_leave(node, "ask",
                       node->component->lookup->ask(&node->ctx, node->self, key_columns, key_count, keys, ticket));
}

leat_status testhost_complete(struct testhost_node *node, leat_epoch epoch)
{
    const struct leat_component *c = node->component;
    leat_status (*done)(struct leat_ctx *, void *, leat_epoch) = c->source ? c->source->on_checkpoint_complete
                                                                 : c->sink ? c->sink->on_checkpoint_complete
                                                                           : c->op->on_checkpoint_complete;
    thost_enter(node, "on_checkpoint_complete");
    return thost_leave(node, "on_checkpoint_complete", done ? done(&node->ctx, node->self, epoch) : LEAT_OK);
}

static leat_status call_close(struct step *s)
{
    const struct leat_component *c = s->node->component;
    struct testhost_node *n = s->node;
    return c->source ? c->source->close(&n->ctx, n->self)
           : c->sink ? c->sink->close(&n->ctx, n->self)
           : c->op   ? c->op->close(&n->ctx, n->self)
                     : c->lookup->close(&n->ctx, n->self);
}

leat_status testhost_close(struct testhost_node *node, int timeout_ms)
{
    const struct leat_component *c = node->component;
    int has = c->source   ? !!c->source->close
              : c->sink   ? !!c->sink->close
              : c->op     ? !!c->op->close
              : c->lookup ? !!c->lookup->close
                          : 0;
    if (!has || !node->self)
        return LEAT_OK;
    node->failed = LEAT_OK; // a failure before is why we close, not a reason to stop waiting
    leat_status st = run_step((struct step){.node = node, .call = call_close, .name = "close"}, timeout_ms);
    if (st != LEAT_AGAIN) {
        pthread_mutex_lock(&node->impl->lock);
        node->impl->closed = 1;
        pthread_mutex_unlock(&node->impl->lock);
    }
    return st;
}
