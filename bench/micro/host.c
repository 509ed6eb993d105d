// SPDX-License-Identifier: Apache-2.0
// See micro.h. The server's batches and pool, a counter for what is emitted, and nothing else that could cost.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/batch.h"
#include "digest.h"
#include "micro.h"

uint64_t micro_emitted;

static struct {
    int on;
    const struct leat_schema *types;
    uint64_t sum;
} digest;

static void *h_alloc(struct leat_ctx *ctx, size_t size)
{
    return malloc(size);
}

static void h_free(struct leat_ctx *ctx, void *ptr)
{
    free(ptr);
}

__attribute__((format(printf, 4, 0))) static leat_status h_fail(struct leat_ctx *ctx, leat_status failure,
                                                                const char *code, const char *fmt, va_list ap)
{
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, " [%s]\n", code);
    return failure;
}

__attribute__((format(printf, 7, 0))) static void h_diag(struct leat_ctx *ctx, uint8_t severity, const char *code,
                                                         const char *option, uint32_t offset, const char *hint,
                                                         const char *fmt, va_list ap)
{
    (void)h_fail(ctx, LEAT_CONFIG, code, fmt, ap);
}

static int64_t *h_metric(struct leat_ctx *ctx, const struct leat_metric *metric)
{
    static int64_t all;
    return &all;
}

static leat_usec h_now(struct leat_ctx *ctx)
{
    return 1752254755145000; // the guide's first order
}

static struct leat_batch *h_create(struct leat_ctx *ctx, const struct leat_schema *schema, uint32_t capacity,
                                   uint8_t bare)
{
    return data_batch_create(&micro_host, schema, capacity, bare, h_now(ctx));
}

void micro_emit(struct leat_batch *b)
{
    micro_emitted += b->rows;
    if (digest.on) {
        digest.types = digest.types ? digest.types : b->schema;
        digest.sum += digest_rows(b, digest.types);
    }
    data_batch_unref(b);
}

void micro_same(void *self, void (*first)(void *self), void (*second)(void *self))
{
    uint64_t before = micro_emitted, rows, sum;
    digest.on = 1;
    first(self);
    rows = micro_emitted - before;
    sum = digest.sum;
    second(self);
    must(rows > 0 && micro_emitted - before == 2 * rows && digest.sum == 2 * sum, "both sides give the same rows");
    memset(&digest, 0, sizeof digest);
}

static leat_status h_emit(struct leat_ctx *ctx, uint32_t port, struct leat_batch *b)
{
    micro_emit(b);
    return LEAT_OK;
}

const struct leat_host micro_host = {
    .struct_size = sizeof micro_host,
    .abi_major = LEAT_ABI_MAJOR,
    .abi_minor = LEAT_ABI_MINOR,
    .alloc = h_alloc,
    .free = h_free,
    .fail = h_fail,
    .diag = h_diag,
    .metric = h_metric,
    .now = h_now,
    .monotonic = h_now,
    .batch_create = h_create,
    .batch_keep = data_batch_keep,
    .batch_attach = data_batch_attach,
    .batch_grow = data_batch_grow,
    .batch_ref = data_batch_ref,
    .batch_unref = data_batch_unref,
    .emit = h_emit,
};

struct leat_ctx micro_ctx(void)
{
    return (struct leat_ctx){.host = &micro_host};
}

struct leat_batch *micro_batch(const struct leat_schema *schema, uint32_t capacity)
{
    struct leat_batch *b = data_batch_create(&micro_host, schema, capacity, 0, 0);
    must(b != NULL, "memory");
    return b;
}

const struct leat_component *micro_component(const char *plugin, uint8_t kind)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.so", BENCH_LIB, plugin);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    must(library != NULL, path);
    void *symbol = dlsym(library, "leat_plugin_entry");
    leat_plugin_entry_fn entry;
    memcpy(&entry, &symbol, sizeof entry);
    const struct leat_plugin *p = entry(&micro_host);
    for (uint32_t i = 0; i < p->component_count; i++) {
        const struct leat_component *c =
            (const struct leat_component *)(const void *)((const uint8_t *)p->components + i * p->component_stride);
        if (c->kind == kind)
            return c;
    }
    must(0, "no such component");
    return NULL;
}

void *micro_config(const struct leat_component *c, const char *const *pairs)
{
    uint8_t *config = calloc(1, c->config_size);
    must(config != NULL, "memory");
    for (uint32_t i = 0; i < c->option_count; i++) {
        const struct leat_option *o =
            (const struct leat_option *)(const void *)((const uint8_t *)c->options + i * c->option_stride);
        const char *text = o->def;
        for (const char *const *pair = pairs; *pair; pair += 2)
            text = strcmp(pair[0], o->name) == 0 ? pair[1] : text;
        if (o->type == LEAT_OPT_BOOL && text)
            config[o->offset] = strcmp(text, "true") == 0;
        else if (o->type == LEAT_OPT_STRING)
            memcpy(config + o->offset, &text, sizeof text);
    }
    return config;
}
