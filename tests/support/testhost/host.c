// SPDX-License-Identifier: Apache-2.0
// The host table, hosts and nodes: memory, errors, log, metrics, output and state, and loading of plugins.
#include <dlfcn.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/thread.h>

#include "testhost_int.h"

void *thost_memory(struct thost_memory **list, size_t size)
{
    size_t head = (sizeof(struct thost_memory) + 15) & ~(size_t)15;
    struct thost_memory *m = calloc(1, head + size);
    if (!m)
        abort();
    m->next = *list;
    *list = m;
    return (uint8_t *)m + head;
}

void thost_memory_free(struct thost_memory **list)
{
    for (struct thost_memory *m = *list, *next; m; m = next) {
        next = m->next;
        free(m);
    }
    *list = NULL;
}

char *thost_copy(struct thost_memory **list, const char *text, size_t len)
{
    char *copy = thost_memory(list, len + 1);
    memcpy(copy, text, len);
    return copy;
}

struct testhost_node *thost_node_of(struct leat_ctx *ctx)
{
    return ((struct thost_ctx *)ctx->core)->node;
}

int thost_alloc_fails(struct testhost *h)
{
    return atomic_load(&h->fail_alloc) > 0 && atomic_fetch_sub(&h->fail_alloc, 1) == 1;
}

static struct testhost_error *error_of(struct leat_ctx *ctx)
{
    return ((struct thost_ctx *)ctx->core)->error;
}

static void *h_alloc(struct leat_ctx *ctx, size_t size)
{
    struct testhost *h = thost_node_of(ctx)->host;
    void *ptr = thost_alloc_fails(h) ? NULL : malloc(size ? size : 1);
    if (ptr)
        atomic_fetch_add(&h->live_allocs, 1);
    return ptr;
}

static void h_free(struct leat_ctx *ctx, void *ptr)
{
    if (ptr)
        atomic_fetch_sub(&thost_node_of(ctx)->host->live_allocs, 1);
    free(ptr);
}

__attribute__((format(printf, 4, 0))) static leat_status h_fail(struct leat_ctx *ctx, leat_status failure,
                                                                const char *code, const char *fmt, va_list ap)
{
    struct testhost_error *e = error_of(ctx);
    *e = (struct testhost_error){.failure = failure};
    snprintf(e->code, sizeof e->code, "%s", code ? code : "");
    vsnprintf(e->message, sizeof e->message, fmt, ap);
    if (thost_node_of(ctx)->host->verbose)
        fprintf(stderr, "testhost: failure %d %s: %s\n", failure, e->code, e->message);
    return failure;
}

__attribute__((format(printf, 2, 0))) static void h_detail(struct leat_ctx *ctx, const char *fmt, va_list ap)
{
    vsnprintf(error_of(ctx)->detail, sizeof error_of(ctx)->detail, fmt, ap);
}

__attribute__((format(printf, 2, 0))) static void h_hint(struct leat_ctx *ctx, const char *fmt, va_list ap)
{
    vsnprintf(error_of(ctx)->hint, sizeof error_of(ctx)->hint, fmt, ap);
}

static void h_native(struct leat_ctx *ctx, const char *code, const char *text)
{
    snprintf(error_of(ctx)->native, sizeof error_of(ctx)->native, "%s: %s", code ? code : "", text ? text : "");
}

static void h_place(struct leat_ctx *ctx, const char *option, uint32_t offset)
{
    snprintf(error_of(ctx)->option, sizeof error_of(ctx)->option, "%s", option ? option : "");
    error_of(ctx)->offset = offset;
}

static leat_status h_error_move(struct leat_ctx *ctx, struct leat_ctx *from, leat_status failure)
{
    *error_of(ctx) = *error_of(from);
    return failure;
}

__attribute__((format(printf, 7, 0))) static void h_diag(struct leat_ctx *ctx, uint8_t severity, const char *code,
                                                         const char *option, uint32_t offset, const char *hint,
                                                         const char *fmt, va_list ap)
{
    struct testhost_node *node = thost_node_of(ctx);
    struct testhost_diag *d = thost_memory(&node->impl->memory, sizeof *d);
    d->severity = severity;
    d->offset = offset;
    snprintf(d->code, sizeof d->code, "%s", code ? code : "");
    snprintf(d->option, sizeof d->option, "%s", option ? option : "");
    snprintf(d->hint, sizeof d->hint, "%s", hint ? hint : "");
    vsnprintf(d->message, sizeof d->message, fmt, ap);
    struct testhost_diag **at = &node->diags;
    while (*at)
        at = &(*at)->next;
    *at = d;
}

void thost_diag(struct testhost_node *node, uint8_t severity, const char *code, const char *option, const char *fmt,
                ...)
{
    va_list ap;
    va_start(ap, fmt);
    h_diag(&node->ctx, severity, code, option, 0, NULL, fmt, ap);
    va_end(ap);
}

__attribute__((format(printf, 4, 0))) static void h_log(struct leat_ctx *ctx, uint8_t level, const char *event,
                                                        const char *fmt, va_list ap)
{
    static const char *const words[] = {"", "error", "warn", "info", "debug"};
    struct testhost_node *node = thost_node_of(ctx);
    char line[2048];
    int n = snprintf(line, sizeof line, "%s %s ", level <= 4 ? words[level] : "?", event);
    n += vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
    size_t len = (size_t)n < sizeof line - 2 ? (size_t)n : sizeof line - 2;
    line[len++] = '\n';
    line[len] = 0;
    if (node->host->verbose)
        fputs(line, stderr);
    struct testhost_node_impl *impl = node->impl;
    pthread_mutex_lock(&impl->lock);
    if (impl->log_len + len + 1 > impl->log_cap) {
        impl->log_cap = (impl->log_cap + len + 1) * 2;
        impl->log = realloc(impl->log, impl->log_cap);
        if (!impl->log)
            abort();
    }
    memcpy(impl->log + impl->log_len, line, len + 1);
    impl->log_len += len;
    pthread_mutex_unlock(&impl->lock);
}

static int64_t *h_metric(struct leat_ctx *ctx, const struct leat_metric *metric)
{
    struct testhost_node *node = thost_node_of(ctx);
    pthread_mutex_lock(&node->impl->lock);
    struct thost_metric *m = node->impl->metrics;
    while (m && strcmp(m->name, metric->name) != 0)
        m = m->next;
    if (!m) {
        m = thost_memory(&node->impl->memory, sizeof *m);
        snprintf(m->name, sizeof m->name, "%s", metric->name);
        m->next = node->impl->metrics;
        node->impl->metrics = m;
    }
    pthread_mutex_unlock(&node->impl->lock);
    return &m->value;
}

int64_t testhost_metric(struct testhost_node *node, const char *name)
{
    for (struct thost_metric *m = node->impl->metrics; m; m = m->next)
        if (strcmp(m->name, name) == 0)
            return __atomic_load_n(&m->value, __ATOMIC_RELAXED);
    return -1;
}

__attribute__((format(printf, 2, 0))) static void h_status(struct leat_ctx *ctx, const char *fmt, va_list ap)
{
    struct testhost_node *node = thost_node_of(ctx);
    pthread_mutex_lock(&node->impl->lock);
    vsnprintf(node->status, sizeof node->status, fmt, ap);
    pthread_mutex_unlock(&node->impl->lock);
    if (node->host->verbose)
        fprintf(stderr, "testhost: status: %s\n", node->status);
}

static leat_usec clock_usec(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static leat_usec h_now(struct leat_ctx *ctx)
{
    leat_usec fixed = thost_node_of(ctx)->host->fixed_now;
    return fixed != LEAT_TIME_NONE ? fixed : clock_usec(CLOCK_REALTIME);
}

static int64_t h_monotonic(struct leat_ctx *ctx)
{
    return clock_usec(CLOCK_MONOTONIC);
}

static struct leat_ctx *h_thread_create(struct leat_ctx *ctx)
{
    struct thost_thread_ctx *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    t->core = (struct thost_ctx){thost_node_of(ctx), &t->error};
    t->ctx = (struct leat_ctx){ctx->host, &t->core};
    return &t->ctx;
}

static void h_thread_destroy(struct leat_ctx *ctx)
{
    free(ctx); // the first member of what thread_create made
}

static void keep_emitted(struct testhost_node *node, uint32_t port, struct leat_batch *b)
{
    struct testhost_emitted *e = calloc(1, sizeof *e);
    if (!e)
        abort();
    *e = (struct testhost_emitted){.port = port, .batch = b};
    *node->impl->emitted_tail = e;
    node->impl->emitted_tail = &e->next;
    node->rows += b->rows;
}

static leat_status h_emit(struct leat_ctx *ctx, uint32_t port, struct leat_batch *b)
{
    struct testhost_node *node = thost_node_of(ctx);
    thost_check_batch(node, port, b);
    if (!b->rows) {
        leat_batch_unref(b);
        return LEAT_OK;
    }
    keep_emitted(node, port, b);
    if (node->on_emit)
        node->on_emit(node, port, b);
    return node->emit_room && node->rows >= node->emit_room ? LEAT_AGAIN : LEAT_OK;
}

static leat_status h_state_write(struct leat_ctx *ctx, struct leat_state_out *out, const void *ptr, size_t len)
{
    struct testhost_state *s = out->core;
    if (s->len + len > s->cap) {
        s->cap = (s->cap + len) * 2;
        s->ptr = realloc(s->ptr, s->cap);
        if (!s->ptr)
            abort();
    }
    if (len)
        memcpy(s->ptr + s->len, ptr, len);
    s->len += len;
    return LEAT_OK;
}

static void h_snapshot_done(struct leat_ctx *ctx)
{
    thost_node_of(ctx)->snapshot_done = 1;
}

static void h_caught_up(struct leat_ctx *ctx)
{
    thost_node_of(ctx)->caught_up = 1;
}

static uint8_t h_resource_settled(struct leat_ctx *ctx, const char *resource)
{
    struct testhost_node *node = thost_node_of(ctx);
    snprintf(node->settled_asked, sizeof node->settled_asked, "%s", resource);
    return node->settled;
}

static void h_progress(struct leat_ctx *ctx, uint64_t current, uint64_t end, int64_t behind)
{
    struct testhost_node *node = thost_node_of(ctx);
    node->progress_current = current;
    node->progress_end = end;
    node->progress_behind = behind;
}

static void h_lookup_answer(struct leat_ctx *ctx, uint64_t ticket, struct leat_batch *rows, const uint32_t *key_of_row)
{
    struct testhost_node *node = thost_node_of(ctx);
    if (node->on_answer) {
        node->on_answer(node, ticket, rows, key_of_row);
        leat_batch_unref(rows);
    } else if (rows) {
        keep_emitted(node, 0, rows);
    }
}

static leat_status h_lookup_ask(struct leat_ctx *ctx, uint32_t input, const struct leat_batch *keys, uint64_t ticket)
{
    struct testhost_node *node = thost_node_of(ctx);
    return node->on_ask ? node->on_ask(node, input, keys, ticket)
                        : leat_fail(ctx, LEAT_BUG, "LEAT-T0001", "the test gave no answer to lookups");
}

static leat_status h_bad_row(struct leat_ctx *ctx, struct leat_bytes raw, const char *where)
{
    struct testhost_node *node = thost_node_of(ctx);
    struct testhost_bad_row *bad = thost_memory(&node->impl->memory, sizeof *bad);
    snprintf(bad->where, sizeof bad->where, "%s", where);
    snprintf(bad->message, sizeof bad->message, "%s", node->error.message);
    snprintf(bad->raw, sizeof bad->raw, "%.*s", (int)raw.len, raw.ptr ? (const char *)raw.ptr : "");
    struct testhost_bad_row **at = &node->bad_rows;
    while (*at)
        at = &(*at)->next;
    *at = bad;
    return node->skip_bad_rows ? LEAT_OK : node->error.failure;
}

const struct leat_host *testhost_table(void)
{
    static const struct leat_host table = {
        .struct_size = sizeof table,
        .abi_major = LEAT_ABI_MAJOR,
        .abi_minor = LEAT_ABI_MINOR,
        .alloc = h_alloc,
        .free = h_free,
        .fail = h_fail,
        .error_detail = h_detail,
        .error_hint = h_hint,
        .error_native = h_native,
        .error_move = h_error_move,
        .error_place = h_place,
        .diag = h_diag,
        .log = h_log,
        .metric = h_metric,
        .status = h_status,
        .now = h_now,
        .monotonic = h_monotonic,
        .watch = thost_watch,
        .watch_for = thost_watch_for,
        .timer = thost_timer,
        .timer_again = thost_timer_again,
        .event_close = thost_event_close,
        .wake = thost_wake,
        .post = thost_post,
        .thread_ctx_create = h_thread_create,
        .thread_ctx_destroy = h_thread_destroy,
        .batch_create = thost_batch_create,
        .batch_keep = thost_batch_keep,
        .batch_attach = thost_batch_attach,
        .batch_grow = thost_batch_grow,
        .batch_ref = thost_batch_ref,
        .batch_unref = thost_batch_unref,
        .emit = h_emit,
        .state_write = h_state_write,
        .format_open = thost_format_open,
        .snapshot_done = h_snapshot_done,
        .caught_up = h_caught_up,
        .resource_settled = h_resource_settled,
        .progress = h_progress,
        .lookup_answer = h_lookup_answer,
        .lookup_ask = h_lookup_ask,
        .bad_row = h_bad_row,
    };
    return &table;
}

struct testhost *testhost_create(void)
{
    struct testhost *h = calloc(1, sizeof *h);
    if (!h || !(h->impl = calloc(1, sizeof *h->impl)) || !(h->impl->base = event_base_new()))
        abort();
    pthread_mutex_init(&h->impl->lock, NULL);
    h->doing = h->impl->doing;
    h->fixed_now = LEAT_TIME_NONE;
    h->wait_ms = 10000;
    h->local_time_zone = "UTC";
    h->verbose = getenv("TESTHOST_VERBOSE") != NULL;
    return h;
}

void testhost_destroy(struct testhost *h)
{
    if (!h)
        return;
    event_base_free(h->impl->base);
    pthread_mutex_destroy(&h->impl->lock);
    thost_memory_free(&h->impl->memory);
    free(h->impl);
    free(h);
}

void testhost_add(struct testhost *h, const char *name, const struct leat_plugin *plugin)
{
    struct thost_plugin *p = thost_memory(&h->impl->memory, sizeof *p);
    *p = (struct thost_plugin){thost_copy(&h->impl->memory, name, strlen(name)), plugin, h->impl->plugins};
    h->impl->plugins = p;
}

// Plugins are never unloaded, as in the server: the sanitizers need their symbols and threads may be winding down.
const struct leat_plugin *testhost_load(struct testhost *h, const char *name)
{
    for (struct thost_plugin *p = h->impl->plugins; p; p = p->next)
        if (strcmp(p->name, name) == 0)
            return p->plugin;
    char path[4096];
    const char *lib = getenv("TESTHOST_LIB");
    if (strchr(name, '/'))
        snprintf(path, sizeof path, "%s", name);
    else
        snprintf(path, sizeof path, "%s/%s.so", lib ? lib : TESTHOST_LIB, name);
    void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!so) {
        fprintf(stderr, "testhost: could not load \"%s\": %s\n", path, dlerror());
        return NULL;
    }
    union {
        void *symbol;
        leat_plugin_entry_fn entry;
    } u = {.symbol = dlsym(so, "leat_plugin_entry")};
    const struct leat_plugin *plugin = u.symbol ? u.entry(testhost_table()) : NULL;
    if (!plugin || plugin->magic != LEAT_MAGIC || plugin->abi_major != LEAT_ABI_MAJOR) {
        fprintf(stderr, "testhost: \"%s\" is no plugin of this ABI\n", path);
        return NULL;
    }
    testhost_add(h, name, plugin);
    return plugin;
}

const struct leat_component *testhost_plugin_component(const struct leat_plugin *plugin, uint8_t kind, const char *name)
{
    const uint8_t *at = (const uint8_t *)plugin->components;
    for (uint32_t i = 0; i < plugin->component_count; i++, at += plugin->component_stride) {
        const struct leat_component *c = (const struct leat_component *)(const void *)at;
        if (c->kind == kind && strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

const struct leat_component *testhost_component(struct testhost *h, const char *plugin, uint8_t kind, const char *name)
{
    const struct leat_plugin *p = testhost_load(h, plugin);
    const struct leat_component *c = p ? testhost_plugin_component(p, kind, name) : NULL;
    if (!c) {
        fprintf(stderr, "testhost: no component \"%s\" of kind %u in plugin \"%s\"\n", name, kind, plugin);
        abort();
    }
    return c;
}

static const char *const *copy_pairs(struct testhost_node *node, const char *const *pairs)
{
    size_t n = 0;
    while (pairs && pairs[n])
        n++;
    char **copy = thost_memory(&node->impl->memory, (n + 2) * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = thost_copy(&node->impl->memory, pairs[i], strlen(pairs[i]));
    return (const char *const *)copy;
}

struct testhost_node *testhost_bare(struct testhost *h)
{
    struct testhost_node *node = calloc(1, sizeof *node);
    if (!node || !(node->impl = calloc(1, sizeof *node->impl)))
        abort();
    node->host = h;
    node->impl->home = pthread_self();
    node->impl->core = (struct thost_ctx){node, &node->error};
    node->ctx = (struct leat_ctx){testhost_table(), &node->impl->core};
    node->impl->emitted_tail = &node->emitted;
    node->settled = 1;
    node->open = (struct leat_open){.struct_size = sizeof node->open,
                                    .instances = 1,
                                    .first_run = 1,
                                    .pipeline = "test",
                                    .node = "node",
                                    .data_dir = "/tmp",
                                    .local_time_zone = h->local_time_zone};
    thost_events_init(node);
    return node;
}

struct testhost_node *testhost_node(struct testhost *h, const struct leat_component *component,
                                    const char *const *pairs)
{
    struct testhost_node *node = testhost_bare(h);
    node->component = component;
    node->impl->pairs = copy_pairs(node, pairs);
    node->config = testhost_config(node, component, "", node->impl->pairs);
    if (node->config && component->check) {
        thost_enter(node, "check");
        if (thost_leave(node, "check", component->check(&node->ctx, node->config)) != LEAT_OK)
            node->config = NULL;
    }
    return node;
}

static void destroy_object(struct testhost_node *node)
{
    const struct leat_component *c = node->component;
    if (!c || !node->config)
        return;
    if (!node->impl->closed) // the core closes once
        testhost_close(node, node->host->wait_ms);
    thost_enter(node, "destroy");
    if (node->self) {
        if (c->source)
            c->source->destroy(&node->ctx, node->self);
        else if (c->sink)
            c->sink->destroy(&node->ctx, node->self);
        else if (c->op)
            c->op->destroy(&node->ctx, node->self);
        else if (c->lookup)
            c->lookup->destroy(&node->ctx, node->self);
    }
    if (node->bound && c->sink && c->sink->unbind)
        c->sink->unbind(node->bound);
    if (node->bound && c->op && c->op->unbind)
        c->op->unbind(node->bound);
    thost_leave(node, "destroy", LEAT_OK);
}

void testhost_node_destroy(struct testhost_node *node)
{
    if (!node)
        return;
    destroy_object(node);
    testhost_forget(node);
    thost_events_fini(node);
    free(node->impl->log);
    free(node->impl->text);
    free(node->impl->faults);
    thost_memory_free(&node->impl->memory);
    free(node->impl);
    free(node);
}

const char *testhost_log(struct testhost_node *node)
{
    return node->impl->log ? node->impl->log : "";
}

const char *testhost_diag(const struct testhost_node *node, const char *part)
{
    for (const struct testhost_diag *d = node->diags; d; d = d->next)
        if (strstr(d->message, part))
            return d->message;
    return NULL;
}

const char *testhost_faults(struct testhost_node *node)
{
    size_t cap = 65536, n = 0;
    free(node->impl->faults);
    char *buf = node->impl->faults = malloc(cap);
    if (!buf)
        abort();
    buf[0] = 0;
    for (const struct testhost_diag *d = node->diags; d && n < cap; d = d->next)
        n += (size_t)snprintf(buf + n, cap - n, "%s: %s: %s %s\n", d->severity == LEAT_DIAG_ERROR ? "error" : "warning",
                              d->option, d->message, d->hint);
    const struct testhost_error *e = &node->error;
    if (e->failure && n < cap)
        snprintf(buf + n, cap - n, "failure %d %s: %s; %s; %s (%s)\n", e->failure, e->code, e->message, e->detail,
                 e->hint, e->native);
    return buf;
}
