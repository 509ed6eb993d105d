// SPDX-License-Identifier: Apache-2.0
// bench_join: orders meet users in a left join, by the sql operator or by a hand-written loop over a hash table.
//
//     bench_join leat|rival [USERS] [ORDERS]       one round; prints one JSON object
//
// USERS (1000000) are put into the state first, which is not measured, and a batch of orders passes whose rows are
// digested, so that both sides can be seen to give the same; then ORDERS (2000000) of about 180 bytes go through in batches
// of 1024, each for a random user, one of fifty unknown. Only the calls with these orders are measured: wall time, CPU of
// the thread, and at the end the memory of the process. Batches are those of the server (leat-data), and what is emitted
// is counted and dropped.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "data/batch.h"
#include "digest.h"
#include "join.h"
#include "testhost.h"

#define BATCH 1024u

static const char query_text[] =
    "SELECT o.order_id, o.user_id, o.product_name, o.product_category, o.quantity, o.unit_price, o.total_amount,"
    " o.order_status, o.order_time, o.order_date, COALESCE(u.username, 'Unknown User') AS username, u.email, u.phone,"
    " u.city, u.register_time FROM orders o LEFT JOIN users u ON o.user_id = u.user_id";
static const char order_columns[] =
    "order_id BIGINT NOT NULL, user_id BIGINT, product_name STRING, product_category STRING, quantity INT, unit_price "
    "DECIMAL(10,2), total_amount DECIMAL(10,2), order_status STRING, order_time TIMESTAMP(3), order_date DATE";
static const char user_columns[] = "user_id BIGINT NOT NULL, username STRING, email STRING, phone STRING, city STRING, "
                                   "register_time TIMESTAMP(3)";

static struct leat_host host; // testhost's, with the server's batches
static uint64_t emitted, digest;
static int digesting;

void must(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench_join: failed: %s\n", what);
    exit(1);
}

static struct leat_batch *create_batch(struct leat_ctx *ctx, const struct leat_schema *schema, uint32_t capacity,
                                       uint8_t bare)
{
    return data_batch_create(&host, schema, capacity, bare, 0);
}

static leat_status emit(struct leat_ctx *ctx, uint32_t port, struct leat_batch *b)
{
    emitted += b->rows;
    if (digesting)
        digest += digest_rows(b, b->schema);
    data_batch_unref(b);
    return LEAT_OK;
}

static void make_host(void)
{
    host = *testhost_table();
    host.batch_create = create_batch;
    host.batch_keep = data_batch_keep;
    host.batch_attach = data_batch_attach;
    host.batch_grow = data_batch_grow;
    host.batch_ref = data_batch_ref;
    host.batch_unref = data_batch_unref;
    host.emit = emit;
}

// --- rows

static uint64_t dice(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void put_text(struct leat_batch *b, uint32_t column, uint32_t row, const char *text)
{
    must(leat_batch_set_bytes(b, column, row, text, (uint32_t)strlen(text)), "memory");
}

static struct leat_batch *users_from(struct leat_ctx *ctx, const struct leat_schema *schema, uint32_t first,
                                     uint32_t count)
{
    static const char *const cities[] = {"北京", "上海", "Guangzhou", "深圳", "Hangzhou"};
    struct leat_batch *b = create_batch(ctx, schema, count, 0);
    must(b != NULL, "memory");
    for (uint32_t i = first; i < first + count; i++) {
        char text[64];
        uint32_t r = leat_batch_add(b, LEAT_INSERT);
        leat_batch_set_i64(b, U_ID, r, 1000000 + i);
        snprintf(text, sizeof text, "zhang_san_%u", i);
        put_text(b, U_NAME, r, text);
        snprintf(text, sizeof text, "zhang.san.%u@mail.example.com", i);
        put_text(b, U_EMAIL, r, text);
        snprintf(text, sizeof text, "+86 138 %08u", i);
        put_text(b, U_PHONE, r, text);
        put_text(b, U_CITY, r, cities[i % 5]);
        leat_batch_set_i64(b, U_TIME, r, 1752192000000000 + i * 1000ll);
    }
    return b;
}

static struct leat_batch *orders_template(struct leat_ctx *ctx, const struct leat_schema *schema)
{
    static const char *const status[] = {"PENDING", "SHIPPED", "COMPLETED", "CANCELLED"};
    struct leat_batch *b = create_batch(ctx, schema, BATCH, 0);
    must(b != NULL, "memory");
    for (uint32_t i = 0; i < BATCH; i++) {
        char text[64];
        uint32_t r = leat_batch_add(b, LEAT_INSERT);
        leat_batch_set_i64(b, O_ID, r, 0);
        leat_batch_set_i64(b, O_USER, r, 0);
        snprintf(text, sizeof text, "Notebook 14 inch, %u GB, silver grey, with a sleeve", 8u << i % 4);
        put_text(b, O_PRODUCT, r, text);
        put_text(b, O_CATEGORY, r, i % 2 ? "电子产品" : "家居用品");
        leat_batch_set_i64(b, O_QUANTITY, r, i % 3 + 1);
        leat_batch_set_i128(b, O_PRICE, r, 49900 + i);
        leat_batch_set_i128(b, O_AMOUNT, r, 99800 + i);
        put_text(b, O_STATUS, r, status[i % 4]);
        leat_batch_set_i64(b, O_TIME, r, 1752254755145000 + i * 1000ll);
        leat_batch_set_i64(b, O_DATE, r, 20280);
    }
    return b;
}

// --- a round

struct clocks {
    double wall, cpu;
};

static double seconds(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void start(struct clocks *c)
{
    c->wall -= seconds(CLOCK_MONOTONIC);
    c->cpu -= seconds(CLOCK_THREAD_CPUTIME_ID);
}

static void stop(struct clocks *c)
{
    c->wall += seconds(CLOCK_MONOTONIC);
    c->cpu += seconds(CLOCK_THREAD_CPUTIME_ID);
}

static long resident(void)
{
    long pages = 0, size = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    must(f && fscanf(f, "%ld %ld", &size, &pages) == 2, "/proc/self/statm");
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

struct bench {
    struct testhost_node *node;
    struct leat_input inputs[2];
    const struct leat_schema *out;
    struct rival *rival;
};

static void open_query(struct bench *b, struct testhost *h)
{
    const struct leat_component *c = testhost_component(h, "sql", LEAT_OPERATOR, "sql");
    struct testhost_node *n = testhost_node(h, c, (const char *[]){"query", query_text, NULL});
    b->node = n;
    b->inputs[0] = (struct leat_input){
        .schema = testhost_schema(h, order_columns, NULL), .mode = LEAT_MODE_INSERT_ONLY, .kind = LEAT_INPUT_STREAM};
    b->inputs[1] = (struct leat_input){
        .schema = testhost_schema(h, user_columns, "user_id"), .mode = LEAT_MODE_UPSERT, .kind = LEAT_INPUT_STREAM};
    struct leat_operator_request request = {.struct_size = sizeof request,
                                            .config = n->config,
                                            .inputs = b->inputs,
                                            .input_count = 2,
                                            .local_time_zone = "UTC",
                                            .input_stride = sizeof b->inputs[0]};
    struct leat_input_names names;
    n->operator_plan.struct_size = sizeof n->operator_plan;
    must(c->op->inputs(&n->ctx, n->config, &names) == LEAT_OK, testhost_faults(n));
    must(c->op->bind(&n->ctx, &request, &n->operator_plan, &n->bound) == LEAT_OK, testhost_faults(n));
    b->out = n->operator_plan.ports.items[0].schema;
    n->ctx.host = &host;
    must(c->op->create(&n->ctx, n->bound, &n->self) == LEAT_OK, "create");
    must(c->op->open(&n->ctx, n->self, &n->open) == LEAT_OK, "open");
}

static void process(struct bench *b, uint32_t input, const struct leat_batch *rows)
{
    struct leat_ctx *ctx = &b->node->ctx;
    if (!b->rival)
        must(b->node->component->op->process(ctx, b->node->self, input, rows) == LEAT_OK, "process");
    else if (input == 1)
        rival_users(b->rival, rows);
    else
        must(emit(ctx, 0, rival_orders(b->rival, ctx, b->out, rows)) == LEAT_OK, "emit");
}

static void print(struct bench *b, uint64_t orders, const struct clocks *c, long before)
{
    double state = (double)testhost_metric(b->node, "leat_state_bytes");
    double rows = (double)testhost_metric(b->node, "leat_state_row_bytes");
    printf(
        "{\"rows\": %llu, \"digest\": \"%016llx\", \"seconds\": %.4f, \"cpu\": %.4f, \"rss\": %ld, \"state_rss\": %ld",
        (unsigned long long)orders, (unsigned long long)digest, c->wall, c->cpu, resident(), resident() - before);
    if (!b->rival)
        printf(", \"state_bytes\": %.0f, \"row_bytes\": %.0f, \"state_ratio\": %.3f, \"rss_ratio\": %.3f", state, rows,
               state / rows, (double)(resident() - before) / rows);
    printf("}\n");
}

// The next batch of orders: other numbers and other users in the same rows.
static void renumber(struct leat_batch *rows, uint64_t first, uint32_t users, uint64_t *seed)
{
    for (uint32_t r = 0; r < BATCH; r++) {
        rows->columns[O_ID].cells[r].i64 = (int64_t)(first + r);
        rows->columns[O_USER].cells[r].i64 = (int64_t)(1000000 + dice(seed) % ((uint64_t)users + users / 50));
    }
}

int main(int argc, char **argv)
{
    must(argc >= 2 && argc <= 4, "usage: bench_join leat|rival [USERS] [ORDERS]");
    uint32_t users = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000000;
    uint64_t orders = argc > 3 ? strtoull(argv[3], NULL, 10) : 2000000, seed = 42;
    struct testhost *h = testhost_create();
    struct bench b = {.rival = NULL};
    struct clocks clocks = {0};
    must(h && users, "set-up");
    make_host();
    open_query(&b, h);
    struct leat_ctx *ctx = &b.node->ctx;
    struct leat_batch *rows = orders_template(ctx, b.inputs[0].schema);
    long before = resident();
    if (strcmp(argv[1], "rival") == 0)
        b.rival = rival_create(users);
    for (uint32_t i = 0; i < users; i += BATCH) {
        struct leat_batch *u = users_from(ctx, b.inputs[1].schema, i, users - i < BATCH ? users - i : BATCH);
        process(&b, 1, u);
        data_batch_unref(u);
    }
    digesting = 1;
    renumber(rows, 500, users, &seed);
    process(&b, 0, rows);
    must(emitted == BATCH, "every order comes out once");
    digesting = 0;
    emitted = 0;
    for (uint64_t n = 0; n < orders; n += BATCH) {
        renumber(rows, 2000 + n, users, &seed);
        start(&clocks);
        process(&b, 0, rows);
        stop(&clocks);
    }
    must(emitted >= orders, "every order comes out");
    print(&b, emitted, &clocks, before);
    return 0;
}
