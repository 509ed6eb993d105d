// SPDX-License-Identifier: Apache-2.0
// How fast the jdbc sink writes the order pipeline's result (22 columns, key of two), against a loader written by hand:
// a blocking libpq program that has its rows in binary already, copies 5000 at a time into a temporary table and
// upserts them from there in the same transaction, the fastest way we know. bench/jdbc/bench.py starts the server.
//
//     bench_jdbc leat|rival ROWS     inserts ROWS new rows, then updates all of them; prints seconds of both and of CPU
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

#include "rows.h"
#include "testhost.h"

#define BATCH 1024u
#define LOAD  5000u

static const char ddl[] =
    "DROP TABLE IF EXISTS bench_orders; CREATE TABLE bench_orders (order_id bigint, user_id bigint, username "
    "varchar(100), email varchar(200), phone varchar(20), city varchar(50), product_name varchar(200), "
    "product_category "
    "varchar(100), product_category_normalized varchar(50), quantity int, unit_price decimal(10,2), total_amount "
    "decimal(10,2), total_amount_yuan varchar(30), order_status varchar(20), order_status_desc varchar(20), order_time "
    "timestamp(3), order_date varchar(10), order_hour int, user_register_time timestamp(3), user_city_tier "
    "varchar(20), "
    "join_time timestamp(3), processed_time timestamp(3), PRIMARY KEY (order_id, order_status))";

static const char columns[] =
    "order_id BIGINT NOT NULL, order_status STRING NOT NULL, user_id BIGINT, username STRING, email STRING, phone "
    "STRING, "
    "city STRING, product_name STRING, product_category STRING, product_category_normalized STRING, quantity INT, "
    "unit_price DECIMAL(10,2), total_amount DECIMAL(10,2), total_amount_yuan STRING, order_status_desc STRING, "
    "order_time TIMESTAMP(3), order_date STRING, order_hour INT, user_register_time TIMESTAMP(3), user_city_tier "
    "STRING, "
    "join_time TIMESTAMP(3), processed_time TIMESTAMP(3)";

static const char *const texts[] = {"user_name", "somebody@example.com", "13800000000", "北京",   "MacBook Pro 14",
                                    "电子产品",  "ELECTRONICS",          "¥1999.00",    "待处理", "2024-05-01",
                                    "一线城市"};

struct bench {
    struct testhost *h;
    const struct leat_schema *schema;
    struct testhost_node *bare;
    uint32_t rows, batch_count;
    struct leat_batch **batches;
    struct jdbc_shape shape;
    PGconn *pg;
};

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void check(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench_jdbc: %s\n", what);
    exit(1);
}

static const char *env(const char *name)
{
    check(getenv(name) != NULL, "JDBC_HOST, JDBC_PORT and JDBC_DATABASE name the server; see bench/jdbc/bench.py");
    return getenv(name);
}

static void run_sql(PGconn *pg, const char *sql)
{
    PGresult *res = PQexec(pg, sql);
    ExecStatusType how = PQresultStatus(res);
    check(how == PGRES_COMMAND_OK || how == PGRES_COPY_IN, PQerrorMessage(pg));
    PQclear(res);
}

static void fill(struct leat_batch *b, uint32_t row, uint32_t id)
{
    uint32_t text = 0;
    for (uint32_t c = 0; c < b->column_count; c++) {
        const struct leat_type *type = &b->schema->columns[c].type;
        if (c == 0)
            leat_batch_set_i64(b, c, row, id);
        else if (c == 1)
            leat_batch_set_slice(b, c, row, (const uint8_t *)"COMPLETED", 9);
        else if (type->kind == LEAT_TYPE_DECIMAL)
            leat_batch_set_i128(b, c, row, 199900 + id % 1000);
        else if (type->kind == LEAT_TYPE_TIMESTAMP)
            leat_batch_set_i64(b, c, row, 1714521600000000 + (int64_t)id * 1000);
        else if (leat_type_is_string(type->kind)) {
            leat_batch_set_slice(b, c, row, (const uint8_t *)texts[text], (uint32_t)strlen(texts[text]));
            text++;
        } else
            leat_batch_set_i64(b, c, row, id % 24);
    }
}

static void prepare(struct bench *b)
{
    b->h = testhost_create();
    b->bare = testhost_bare(b->h);
    b->schema = testhost_schema(b->h, columns, "order_id, order_status");
    b->batch_count = (b->rows + BATCH - 1) / BATCH;
    b->rows = b->batch_count * BATCH;
    b->batches = calloc(b->batch_count, sizeof(struct leat_batch *));
    check(b->batches != NULL, "out of memory");
    for (uint32_t i = 0; i < b->rows; i++) {
        if (i % BATCH == 0)
            b->batches[i / BATCH] = leat_batch_new(&b->bare->ctx, b->schema, BATCH);
        check(b->batches[i / BATCH] != NULL, "out of memory");
        fill(b->batches[i / BATCH], leat_batch_add(b->batches[i / BATCH], LEAT_INSERT), i);
    }
    b->shape = (struct jdbc_shape){.count = b->schema->column_count, .key_count = 2};
    b->shape.columns = calloc(b->shape.count, sizeof *b->shape.columns);
    check(b->shape.columns != NULL, "out of memory");
    for (uint32_t i = 0; i < b->shape.count; i++)
        b->shape.columns[i] = (struct jdbc_column){
            .from = i, .field = &b->schema->columns[i], .wire = jdbc_wire_of(&b->schema->columns[i].type)};
    b->pg = PQsetdbLogin(env("JDBC_HOST"), env("JDBC_PORT"), NULL, NULL, env("JDBC_DATABASE"), "postgres", NULL);
    check(PQstatus(b->pg) == CONNECTION_OK, PQerrorMessage(b->pg));
    run_sql(b->pg, "SET client_min_messages = warning");
}

// --- by hand

static void loader_setup(struct bench *b)
{
    struct buf sql;
    char number[16];
    buf_init(&sql, 1u << 20);
    buf_str(&sql, "CREATE TEMP TABLE IF NOT EXISTS hand (op int2");
    for (uint32_t i = 0; i < b->shape.count; i++) {
        snprintf(number, sizeof number, ", c%u ", i);
        buf_str(&sql, number);
        buf_str(&sql, b->shape.columns[i].wire->name);
    }
    buf_str(&sql, ") ON COMMIT DELETE ROWS; DEALLOCATE ALL; PREPARE hand AS INSERT INTO bench_orders (");
    for (uint32_t i = 0; i < b->shape.count; i++) {
        buf_str(&sql, i ? ", " : "");
        buf_put(&sql, b->schema->columns[i].name.ptr, b->schema->columns[i].name.len);
    }
    buf_str(&sql, ") SELECT ");
    for (uint32_t i = 0; i < b->shape.count; i++) {
        snprintf(number, sizeof number, i ? ", c%u" : "c%u", i);
        buf_str(&sql, number);
    }
    buf_str(&sql, " FROM hand ON CONFLICT (order_id, order_status) DO UPDATE SET ");
    for (uint32_t i = 2; i < b->shape.count; i++) {
        buf_str(&sql, i > 2 ? ", " : "");
        buf_put(&sql, b->schema->columns[i].name.ptr, b->schema->columns[i].name.len);
        buf_str(&sql, " = excluded.");
        buf_put(&sql, b->schema->columns[i].name.ptr, b->schema->columns[i].name.len);
    }
    buf_u8(&sql, 0);
    run_sql(b->pg, (const char *)sql.ptr);
    buf_fini(&sql);
}

static double loader_pass(struct bench *b, const struct jdbc_rows *rows)
{
    double began = now();
    for (uint32_t first = 0; first < b->rows; first += LOAD) {
        uint32_t end = first + LOAD < b->rows ? first + LOAD : b->rows;
        size_t from = rows->rows[first].at, to = rows->rows[end - 1].at + rows->rows[end - 1].len;
        run_sql(b->pg, "BEGIN");
        run_sql(b->pg, "COPY hand FROM STDIN (FORMAT binary)");
        check(PQputCopyData(b->pg, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0", 19) == 1, "copy");
        check(PQputCopyData(b->pg, (const char *)rows->bytes.ptr + from, (int)(to - from)) == 1, "copy");
        check(PQputCopyData(b->pg, "\377\377", 2) == 1 && PQputCopyEnd(b->pg, NULL) == 1, "copy");
        for (PGresult *res; (res = PQgetResult(b->pg)) != NULL; PQclear(res))
            check(PQresultStatus(res) == PGRES_COMMAND_OK, PQerrorMessage(b->pg));
        run_sql(b->pg, "EXECUTE hand");
        run_sql(b->pg, "COMMIT");
    }
    return now() - began;
}

// --- the sink

static double sink_pass(struct bench *b, struct testhost_node *n)
{
    double began = now();
    for (uint32_t i = 0; i < b->batch_count; i++)
        check(testhost_write(n, b->batches[i], 60000) == LEAT_OK, testhost_faults(n));
    check(testhost_flush(n, LEAT_FLUSH_DURABLE, 60000) == LEAT_OK, testhost_faults(n));
    return now() - began;
}

static struct testhost_node *open_sink(struct bench *b)
{
    char url[512];
    snprintf(url, sizeof url, "jdbc:postgresql://%s:%s/%s", env("JDBC_HOST"), env("JDBC_PORT"), env("JDBC_DATABASE"));
    struct testhost_node *n =
        testhost_node(b->h, testhost_component(b->h, "jdbc", LEAT_SINK, "jdbc"),
                      (const char *[]){"url", url, "username", "postgres", "table-name", "bench_orders", NULL});
    check(testhost_sink_start(n, b->schema, LEAT_MODE_UPSERT, "order_id, order_status") == LEAT_OK, testhost_faults(n));
    return n;
}

// --- one side

static double cpu(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void show(const double *seconds, double used)
{
    printf("%.6f %.6f %.6f\n", seconds[0], seconds[1], used);
}

static void by_hand(struct bench *b)
{
    struct jdbc_rows rows;
    double seconds[2], before;
    jdbc_rows_init(&rows, &b->shape);
    for (uint32_t i = 0; i < b->rows; i++)
        check(jdbc_rows_add(&b->bare->ctx, &rows, b->batches[i / BATCH], i % BATCH) == LEAT_OK, "encoding");
    loader_setup(b);
    before = cpu();
    for (int pass = 0; pass < 2; pass++)
        seconds[pass] = loader_pass(b, &rows);
    show(seconds, cpu() - before);
    jdbc_rows_fini(&rows);
}

static void by_sink(struct bench *b)
{
    struct testhost_node *n = open_sink(b);
    double seconds[2], before = cpu();
    for (int pass = 0; pass < 2; pass++)
        seconds[pass] = sink_pass(b, n);
    show(seconds, cpu() - before);
    testhost_node_destroy(n);
}

int main(int argc, char **argv)
{
    check(argc == 3, "usage: bench_jdbc leat|rival ROWS");
    struct bench b = {.rows = (uint32_t)strtoul(argv[2], NULL, 10)};
    check(b.rows > 0, "usage: bench_jdbc leat|rival ROWS");
    prepare(&b);
    run_sql(b.pg, ddl);
    run_sql(b.pg, "CHECKPOINT");
    if (strcmp(argv[1], "leat") == 0)
        by_sink(&b);
    else
        by_hand(&b);
    for (uint32_t i = 0; i < b.batch_count; i++)
        leat_batch_unref(b.batches[i]);
    free(b.batches);
    free(b.shape.columns);
    PQfinish(b.pg);
    testhost_node_destroy(b.bare);
    testhost_destroy(b.h);
    return 0;
}
