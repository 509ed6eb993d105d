// SPDX-License-Identifier: Apache-2.0
// The rival of kafka → jdbc: a loader written by hand for the order row (leatbench/shapes.py) and nothing else. It finds
// the values of a record by counting colons, copies 5000 rows at a time in binary into a temporary table, and upserts
// them from there in the same transaction, the fastest way we know (bench/jdbc).
//
//     bench_kafka_load SERVERS TOPIC CONNINFO TABLE COUNT
#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>

#define BATCH     1024
#define ROWS      5000
#define ROW_MAX   4096
#define DAYS_2000 10957 // from 1970
#define COLUMNS   10

struct load {
    PGconn *pg;
    char upsert[2048];
    char *bytes; // of the COPY
    size_t len;
    long rows;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_kafka_load: %s: %s\n", what, why);
    exit(1);
}

static void run_sql(PGconn *pg, const char *sql)
{
    PGresult *res = PQexec(pg, sql);
    ExecStatusType how = PQresultStatus(res);
    if (how != PGRES_COMMAND_OK && how != PGRES_COPY_IN)
        die(sql, PQerrorMessage(pg));
    PQclear(res);
}

// --- fields of a COPY

static void put(struct load *l, const void *ptr, size_t n)
{
    uint32_t len = htonl((uint32_t)n);
    memcpy(l->bytes + l->len, &len, 4);
    memcpy(l->bytes + l->len + 4, ptr, n);
    l->len += 4 + n;
}

static void put_i64(struct load *l, int64_t v)
{
    uint64_t big = htobe64((uint64_t)v);
    put(l, &big, 8);
}

static void put_i32(struct load *l, int32_t v)
{
    uint32_t big = htonl((uint32_t)v);
    put(l, &big, 4);
}

// Whole numbers below 100 million, which is all that the shape has.
static void put_numeric(struct load *l, int64_t v)
{
    uint16_t words[6] = {htons(v >= 10000 ? 2 : 1), htons(v >= 10000), 0, htons(2)};
    words[4] = htons((uint16_t)(v >= 10000 ? v / 10000 : v));
    words[5] = htons((uint16_t)(v % 10000));
    put(l, words, v >= 10000 ? 12 : 10);
}

static int64_t days(int y, int m, int d)
{
    y -= m <= 2;
    int era = y / 400, yoe = y - era * 400, doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * INT64_C(146097) + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int two(const char *at)
{
    return (at[0] - '0') * 10 + at[1] - '0';
}

// "2025-07-11 12:34:56"
static void put_timestamp(struct load *l, const char *at)
{
    int64_t day = days(two(at) * 100 + two(at + 2), two(at + 5), two(at + 8)) - DAYS_2000;
    int64_t second = two(at + 11) * 3600 + two(at + 14) * 60 + two(at + 17);
    put_i64(l, (day * 86400 + second) * 1000000);
}

// --- records

static const char *next_value(const char *at, const char *end)
{
    const char *colon = memchr(at, ':', (size_t)(end - at));
    if (!colon)
        die("a record", "is not of the shape");
    return colon + 1;
}

static const char *take_i64(const char *at, int64_t *out)
{
    int64_t v = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        v = v * 10 + *at - '0';
    *out = v;
    return at;
}

// Puts what stands between the quotes, as text or as a timestamp.
static const char *take_text(struct load *l, const char *at, const char *end, int timestamp)
{
    const char *quote = memchr(at + 1, '"', (size_t)(end - at - 1));
    if (*at != '"' || !quote)
        die("a record", "is not of the shape");
    if (timestamp)
        put_timestamp(l, at + 1);
    else
        put(l, at + 1, (size_t)(quote - at - 1));
    return quote + 1;
}

static void add_row(struct load *l, const char *at, size_t len)
{
    const char *end = at + len;
    uint16_t columns = htons(COLUMNS);
    memcpy(l->bytes + l->len, &columns, 2);
    l->len += 2;
    for (int c = 0; c < COLUMNS; c++) {
        int64_t v = 0;
        at = next_value(at, end);
        if (c == 2 || c == 3 || c >= 7) {
            at = take_text(l, at, end, c >= 8);
            continue;
        }
        at = take_i64(at, &v);
        if (c == 5 || c == 6)
            put_numeric(l, v);
        else if (c == 4)
            put_i32(l, (int32_t)v);
        else
            put_i64(l, v);
    }
    l->rows++;
}

// --- the database

static void begin(struct load *l)
{
    l->len = 0;
    l->rows = 0;
    memcpy(l->bytes, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0", 19);
    l->len = 19;
}

static void write_out(struct load *l)
{
    if (!l->rows)
        return;
    memcpy(l->bytes + l->len, "\377\377", 2);
    run_sql(l->pg, "BEGIN");
    run_sql(l->pg, "COPY hand FROM STDIN (FORMAT binary)");
    if (PQputCopyData(l->pg, l->bytes, (int)l->len + 2) != 1 || PQputCopyEnd(l->pg, NULL) != 1)
        die("copy", PQerrorMessage(l->pg));
    for (PGresult *res; (res = PQgetResult(l->pg)); PQclear(res))
        if (PQresultStatus(res) != PGRES_COMMAND_OK)
            die("copy", PQerrorMessage(l->pg));
    run_sql(l->pg, l->upsert);
    run_sql(l->pg, "COMMIT");
    begin(l);
}

static void connect_to(struct load *l, const char *conninfo, const char *table)
{
    static const char *const set = "user_id = EXCLUDED.user_id, product_name = EXCLUDED.product_name, product_category "
                                   "= EXCLUDED.product_category, quantity = EXCLUDED.quantity, unit_price = "
                                   "EXCLUDED.unit_price, total_amount = EXCLUDED.total_amount, order_status = "
                                   "EXCLUDED.order_status, order_time = EXCLUDED.order_time, updated_at = "
                                   "EXCLUDED.updated_at";
    char sql[512];
    l->pg = PQconnectdb(conninfo);
    if (PQstatus(l->pg) != CONNECTION_OK)
        die("no connection", PQerrorMessage(l->pg));
    snprintf(sql, sizeof sql, "CREATE TEMP TABLE hand ON COMMIT DELETE ROWS AS SELECT * FROM %s WHERE false", table);
    run_sql(l->pg, sql);
    snprintf(l->upsert, sizeof l->upsert, "INSERT INTO %s SELECT * FROM hand ON CONFLICT (order_id) DO UPDATE SET %s",
             table, set);
    l->bytes = malloc((size_t)ROWS * ROW_MAX);
    if (!l->bytes)
        die("no memory", "");
    begin(l);
}

// --- the topic

static rd_kafka_queue_t *start(const char *servers, const char *name)
{
    // the queue never runs dry: a client that has enough does not ask again for the time of fetch.error.backoff.ms
    static const char *const pairs[][2] = {
        {"enable.auto.commit", "false"}, {"enable.auto.offset.store", "false"}, {"fetch.error.backoff.ms", "5"}};
    char text[512];
    const struct rd_kafka_metadata *md = NULL;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", servers, text, sizeof text);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        rd_kafka_conf_set(conf, pairs[i][0], pairs[i][1], text, sizeof text);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    rd_kafka_topic_t *topic = rk ? rd_kafka_topic_new(rk, name, NULL) : NULL;
    if (!topic || rd_kafka_metadata(rk, 0, topic, &md, 10000) != RD_KAFKA_RESP_ERR_NO_ERROR || md->topics[0].err)
        die("no such topic", name);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    for (int32_t p = 0; p < md->topics[0].partition_cnt; p++)
        rd_kafka_consume_start_queue(topic, p, RD_KAFKA_OFFSET_BEGINNING, queue);
    rd_kafka_metadata_destroy(md);
    return queue;
}

int main(int argc, char **argv)
{
    static struct load l;
    if (argc != 6)
        die("usage", "bench_kafka_load SERVERS TOPIC CONNINFO TABLE COUNT");
    long count = strtol(argv[5], NULL, 10), seen = 0;
    connect_to(&l, argv[3], argv[4]);
    rd_kafka_queue_t *queue = start(argv[1], argv[2]);
    while (seen < count) {
        rd_kafka_message_t *in[BATCH];
        ssize_t n = rd_kafka_consume_batch_queue(queue, 10, in, BATCH);
        for (ssize_t i = 0; i < n; i++, seen++) {
            if (in[i]->err)
                die("a record was not read", rd_kafka_message_errstr(in[i]));
            if (in[i]->len > ROW_MAX / 2)
                die("a record", "is too large");
            add_row(&l, in[i]->payload, in[i]->len);
            rd_kafka_message_destroy(in[i]);
            if (l.rows == ROWS)
                write_out(&l);
        }
    }
    write_out(&l);
    PQfinish(l.pg);
    printf("%ld\n", seen);
    return 0; // without taking the client down, which is not loading
}
