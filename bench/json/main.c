// SPDX-License-Identifier: Apache-2.0
// How fast format-json reads and writes rows: the .so as the server loads it, on the server's own batches, one thread.
//
//     bench_json [ROUNDS]      every round reads ROWS records and writes them again; the best round is shown
//     valgrind --tool=callgrind --toggle-collect=fjson_decode build/bench/bench_json 3
//
// Two workloads: orders as the order pipeline has them (8 columns, a Chinese category, ~210 bytes), and narrow rows of
// three numbers. `copied` is reading with strings copied to the arena, as from a buffer that is used again.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <leat/plugin.h>

#include "data/batch.h"

#define ROWS 4096u

struct workload {
    const char *name;
    const struct leat_field *fields;
    uint32_t count;
    size_t (*write)(char *to, size_t cap, unsigned n);
};

#define NAME(s)                                                                                                        \
    {                                                                                                                  \
        (const uint8_t *)s, sizeof(s) - 1                                                                              \
    }
#define STRING                                                                                                         \
    {                                                                                                                  \
        .kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX                                            \
    }

static const struct leat_field order_fields[] = {
    {NAME("order_id"), {.kind = LEAT_TYPE_BIGINT}},
    {NAME("user_id"), {.kind = LEAT_TYPE_BIGINT, .nullable = 1}},
    {NAME("product_category"), STRING},
    {NAME("product_name"), STRING},
    {NAME("total_amount"), {.kind = LEAT_TYPE_DECIMAL, .nullable = 1, .precision = 10, .scale = 2}},
    {NAME("order_status"), STRING},
    {NAME("order_time"), {.kind = LEAT_TYPE_TIMESTAMP, .nullable = 1, .precision = 3}},
    {NAME("remark"), STRING},
};

static size_t write_order(char *to, size_t cap, unsigned n)
{
    static const char *const status[] = {"PENDING", "SHIPPED", "COMPLETED"};
    return (size_t)snprintf(to, cap,
                            "{\"order_id\":%u,\"user_id\":%u,\"product_category\":\"电子产品\",\"product_name\":"
                            "\"Notebook 14 inch, %u GB\",\"total_amount\":%u.%02u,\"order_status\":\"%s\","
                            "\"order_time\":\"2024-%02u-%02u %02u:%02u:%02u.%03u\",\"remark\":null}",
                            2001 + n, 1 + n % 997, 8 << n % 4, n % 10000, n % 100, status[n % 3], 1 + n % 12,
                            1 + n % 28, n % 24, n % 60, n % 59, n % 1000);
}

static const struct leat_field narrow_fields[] = {
    {NAME("id"), {.kind = LEAT_TYPE_BIGINT}},
    {NAME("v"), {.kind = LEAT_TYPE_DOUBLE, .nullable = 1}},
    {NAME("n"), {.kind = LEAT_TYPE_INT, .nullable = 1}},
};

static size_t write_narrow(char *to, size_t cap, unsigned n)
{
    return (size_t)snprintf(to, cap, "{\"id\":%u,\"v\":%u.%u,\"n\":%d}", n * 7919u, n % 1000, n % 8 * 125, -(int)n);
}

static const struct workload workloads[] = {
    {"orders", order_fields, 8, write_order},
    {"narrow", narrow_fields, 3, write_narrow},
};

// --- a host with just what a format asks for

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

static const struct leat_host host = {
    .struct_size = sizeof host,
    .abi_major = LEAT_ABI_MAJOR,
    .abi_minor = LEAT_ABI_MINOR,
    .alloc = h_alloc,
    .free = h_free,
    .fail = h_fail,
    .batch_keep = data_batch_keep,
    .batch_attach = data_batch_attach,
    .batch_grow = data_batch_grow,
    .batch_ref = data_batch_ref,
    .batch_unref = data_batch_unref,
};

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void must(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "failed: %s\n", what);
    exit(1);
}

// --- the measurement

struct run {
    struct leat_ctx ctx;
    const struct leat_format_ops *ops;
    void *self;
    struct leat_schema schema;
    struct leat_bytes records[ROWS];
    struct leat_buffer out;
    double decode, copied, encode; // seconds of the best round
};

static double decode(struct run *r, uint8_t lasting, struct leat_batch **kept)
{
    static uint32_t counts[ROWS];
    double from = now();
    for (uint32_t at = 0, done; at < ROWS; at += done) {
        struct leat_batch *b = data_batch_create(&host, &r->schema, 1024, 0, 0);
        must(b != NULL, "batch");
        must(r->ops->decode(&r->ctx, r->self, r->records + at, ROWS - at, lasting, b, 0, 0, counts, &done) == LEAT_OK,
             "decode");
        kept[at / 1024] = b;
        must(done == 1024, "a batch of 1024 rows");
    }
    return now() - from;
}

static double encode(struct run *r, struct leat_batch **batches)
{
    static size_t ends[1024];
    uint32_t done;
    double from = now();
    r->out.len = 0;
    for (uint32_t i = 0; i < ROWS / 1024; i++)
        must(r->ops->encode(&r->ctx, r->self, batches[i], 0, 1024, &r->out, ends, &done) == LEAT_OK, "encode");
    return now() - from;
}

static void drop(struct leat_batch **batches)
{
    for (uint32_t i = 0; i < ROWS / 1024; i++)
        data_batch_unref(batches[i]);
}

static void round_of(struct run *r)
{
    struct leat_batch *batches[ROWS / 1024];
    double t = decode(r, 0, batches);
    r->copied = t < r->copied ? t : r->copied;
    drop(batches);
    t = decode(r, 1, batches);
    r->decode = t < r->decode ? t : r->decode;
    t = encode(r, batches);
    r->encode = t < r->encode ? t : r->encode;
    drop(batches);
}

static void measure(const struct leat_component *component, const void *config, const struct workload *w, int rounds)
{
    static char text[ROWS * 512];
    static uint32_t columns[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    struct run *r = calloc(1, sizeof *r);
    must(r != NULL, "memory");
    r->ctx.host = &host;
    r->ops = component->format;
    r->schema = (struct leat_schema){.struct_size = sizeof r->schema, .column_count = w->count, .columns = w->fields};
    r->out.max = 1 << 28;
    r->decode = r->copied = r->encode = 1e9;
    size_t len = 0;
    for (unsigned i = 0; i < ROWS; i++) {
        size_t n = w->write(text + len, sizeof text - len, i);
        r->records[i] = (struct leat_bytes){(uint8_t *)text + len, (uint32_t)n};
        len += n;
    }
    struct leat_format_request rq = {
        .struct_size = sizeof rq, .config = config, .schema = &r->schema, .columns = columns, .column_count = w->count};
    must(r->ops->create(&r->ctx, &rq, &r->self) == LEAT_OK, "create");
    for (int i = 0; i < rounds; i++)
        round_of(r);
    printf(
        "%-8s %4zu bytes a row   decode %6.2f M rows/s %6.0f MB/s   copied %6.2f   encode %6.2f M rows/s %6.0f MB/s\n",
        w->name, len / ROWS, ROWS / r->decode / 1e6, (double)len / r->decode / 1e6, ROWS / r->copied / 1e6,
        ROWS / r->encode / 1e6, (double)r->out.len / r->encode / 1e6);
    r->ops->destroy(&r->ctx, r->self);
    free(r->out.ptr);
    free(r);
}

// Defaults by hand: BOOL true where the table says so, the literal's text.
static void *default_config(const struct leat_component *c)
{
    uint8_t *config = calloc(1, c->config_size);
    must(config != NULL, "memory");
    for (uint32_t i = 0; i < c->option_count; i++) {
        const struct leat_option *o =
            (const struct leat_option *)(const void *)((const uint8_t *)c->options + i * c->option_stride);
        if (o->type == LEAT_OPT_BOOL && o->def)
            config[o->offset] = strcmp(o->def, "true") == 0;
        else if (o->type == LEAT_OPT_STRING)
            memcpy(config + o->offset, &o->def, sizeof o->def);
    }
    return config;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 300;
    void *library = dlopen(BENCH_LIB "/format-json.so", RTLD_NOW | RTLD_LOCAL);
    must(library != NULL, "loading format-json.so");
    void *symbol = dlsym(library, "leat_plugin_entry");
    leat_plugin_entry_fn entry;
    memcpy(&entry, &symbol, sizeof entry);
    const struct leat_component *component = entry(&host)->components;
    void *config = default_config(component);
    for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++)
        measure(component, config, &workloads[i], rounds);
    free(config);
    return 0;
}
