// SPDX-License-Identifier: Apache-2.0
// A question: keys in, distinct ones found in the cache or asked for in one statement, rows out.
//
//     SELECT s.i, t."a"::text, … FROM ROWS FROM (unnest($1::int8[]), …) WITH ORDINALITY AS s(k0, …, i)
//     JOIN "s"."t" AS t ON t."id" = s.k0 LIMIT …
//
// The limit is one row more than an answer can hold: what is too much is found out without having all of it in memory.
//
// A key with a NULL in it, or with a value that PostgreSQL cannot hold, matches nothing.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "lookup_int.h"
#include "rows.h"

#define KEYS_MAX (64u << 20) // bytes of a question's keys

void jdbc_question_destroy(struct jdbc_question *q)
{
    if (!q)
        return;
    for (uint32_t i = 0; i < q->distinct_count; i++)
        jdbc_entry_unref(q->distinct[i].entry);
    buf_fini(&q->bytes);
    free(q->distinct);
    free(q->key_of_row);
    free(q);
}

// --- keys

// The key of a row as fields. 0 = a NULL is in it.
static int encode_key(struct jdbc_question *q, uint32_t row, const char **wrong)
{
    for (uint32_t c = 0; c < q->column_count; c++)
        if (q->keys->columns[c].states[row] != LEAT_VALUE)
            return 0;
    for (uint32_t c = 0; c < q->column_count && !*wrong; c++)
        *wrong = q->wires[c]->put(&q->bytes, &q->keys->schema->columns[c].type, &q->keys->columns[c].cells[row]);
    return 1;
}

static uint32_t find_distinct(struct jdbc_question *q, uint32_t *slots, uint32_t mask, uint64_t hash, size_t start)
{
    uint32_t len = (uint32_t)(q->bytes.len - start), at = (uint32_t)hash & mask;
    for (; slots[at]; at = (at + 1) & mask) {
        const struct jdbc_key *k = &q->distinct[slots[at] - 1];
        if (k->hash == hash && k->len == len && memcmp(q->bytes.ptr + k->at, q->bytes.ptr + start, len) == 0) {
            q->bytes.len = start;
            return slots[at] - 1;
        }
    }
    q->distinct[q->distinct_count] = (struct jdbc_key){.hash = hash, .at = (uint32_t)start, .len = len};
    slots[at] = ++q->distinct_count;
    return q->distinct_count - 1;
}

static leat_status collect_keys(struct jdbc_lookup *l, struct jdbc_question *q, uint32_t *slots, uint32_t mask)
{
    // the columns asked by are part of a key, since another question may ask by others
    for (uint32_t row = 0; row < q->keys->rows; row++) {
        const char *wrong = NULL;
        size_t start = q->bytes.len;
        for (uint32_t c = 0; c < q->column_count; c++)
            buf_u16(&q->bytes, (uint16_t)q->columns[c]);
        q->key_of_row[row] = UINT32_MAX;
        // what has no form in PostgreSQL equals nothing there
        if (!encode_key(q, row, &wrong) || wrong) {
            q->bytes.len = start;
            continue;
        }
        if (!buf_ok(&q->bytes))
            return leat_no_memory(l->ctx);
        uint64_t hash = hash_bytes(q->bytes.ptr + start, q->bytes.len - start, 0);
        q->key_of_row[row] = find_distinct(q, slots, mask, hash, start);
    }
    return LEAT_OK;
}

static void look_in_cache(struct jdbc_lookup *l, struct jdbc_question *q)
{
    int64_t now = l->ctx->host->monotonic(l->ctx);
    for (uint32_t i = 0; i < q->distinct_count; i++) {
        struct jdbc_key *k = &q->distinct[i];
        if (l->config->cache == JDBC_CACHE_PARTIAL)
            k->entry = jdbc_cache_get(&l->cache, q->bytes.ptr + k->at, k->len, now);
        if (k->entry)
            k->rows = k->entry->row_count;
        else
            k->number = q->missing++;
    }
    __atomic_fetch_add(l->metrics.asked, (int64_t)q->keys->rows, __ATOMIC_RELAXED);
    __atomic_fetch_add(l->metrics.hits, (int64_t)(q->distinct_count - q->missing), __ATOMIC_RELAXED);
    __atomic_fetch_add(l->metrics.misses, (int64_t)q->missing, __ATOMIC_RELAXED);
}

static leat_status fill(struct jdbc_lookup *l, struct jdbc_question *q)
{
    uint32_t slot_count = 16;
    for (uint32_t c = 0; c < q->column_count; c++) {
        q->wires[c] = jdbc_wire_of(&q->keys->schema->columns[c].type);
        if (!q->wires[c] || !q->wires[c]->get)
            return leat_fail(l->ctx, LEAT_CONFIG, "LEAT-J0104", "a lookup in %s by a key of this type is not possible",
                             l->table.full);
    }
    while (slot_count < q->keys->rows * 2)
        slot_count *= 2;
    uint32_t *slots = calloc(slot_count, sizeof *slots);
    q->distinct = calloc(q->keys->rows, sizeof *q->distinct);
    q->key_of_row = calloc(q->keys->rows, sizeof *q->key_of_row);
    leat_status st =
        slots && q->distinct && q->key_of_row ? collect_keys(l, q, slots, slot_count - 1) : leat_no_memory(l->ctx);
    free(slots);
    if (st == LEAT_OK)
        look_in_cache(l, q);
    return st;
}

leat_status jdbc_question_create(struct jdbc_lookup *l, const uint32_t *columns, uint32_t count,
                                 const struct leat_batch *keys, uint64_t ticket, struct jdbc_question **out)
{
    if (!count || count > JDBC_KEY_COLUMNS || count != keys->column_count)
        return leat_fail(l->ctx, LEAT_CONFIG, "LEAT-J0104", "a lookup in %s has %u key columns, possible are 1 to %d",
                         l->table.full, count, JDBC_KEY_COLUMNS);
    struct jdbc_question *q = calloc(1, sizeof *q);
    if (!q)
        return leat_no_memory(l->ctx);
    q->ticket = ticket;
    q->keys = keys;
    q->column_count = count;
    memcpy(q->columns, columns, count * sizeof *columns);
    buf_init(&q->bytes, KEYS_MAX);
    leat_status st = keys->rows ? fill(l, q) : LEAT_OK;
    if (st < 0)
        jdbc_question_destroy(q);
    else
        *out = q;
    return st;
}

// --- asking

static void number(struct buf *out, const char *before, uint32_t n, const char *after)
{
    char text[16];
    snprintf(text, sizeof text, "%u", n);
    buf_str(out, before);
    buf_str(out, text);
    buf_str(out, after);
}

static void build_sql(struct jdbc_lookup *l, const struct jdbc_question *q)
{
    struct buf *sql = &l->sql;
    buf_reset(sql);
    buf_str(sql, "SELECT s.i");
    for (uint32_t c = 0; c < l->schema.column_count; c++) {
        buf_str(sql, ", t.");
        buf_str(sql, l->columns[c].name);
        buf_str(sql, "::");
        buf_str(sql, l->columns[c].read_as);
    }
    buf_str(sql, " FROM ROWS FROM (");
    for (uint32_t c = 0; c < q->column_count; c++) {
        number(sql, c ? ", pg_catalog.unnest($" : "pg_catalog.unnest($", c + 1, "::");
        buf_str(sql, q->wires[c]->name);
        buf_str(sql, "[])");
    }
    buf_str(sql, ") WITH ORDINALITY AS s(");
    for (uint32_t c = 0; c < q->column_count; c++)
        number(sql, "k", c, ", ");
    buf_str(sql, "i) JOIN ");
    buf_str(sql, l->table.full);
    buf_str(sql, " AS t ON ");
    for (uint32_t c = 0; c < q->column_count; c++) {
        const struct jdbc_lookup_column *col = &l->columns[q->columns[c]];
        buf_str(sql, c ? " AND t." : "t.");
        buf_str(sql, col->name);
        number(sql, " = s.k", c, "");
        buf_str(sql, col->key_cast ? "::" : "");
        buf_str(sql, col->key_cast ? col->key_cast : "");
    }
    number(sql, " LIMIT ", LEAT_BATCH_ROWS_MAX + 1, "");
    buf_u8(sql, 0);
}

// One array per key column, of the keys asked for.
static void build_params(struct jdbc_lookup *l, const struct jdbc_question *q, size_t *at)
{
    buf_reset(&l->params);
    for (uint32_t c = 0; c < q->column_count; c++) {
        at[c] = l->params.len;
        buf_u32(&l->params, 1);
        buf_u32(&l->params, 0);
        buf_u32(&l->params, q->wires[c]->oid);
        buf_u32(&l->params, q->missing);
        buf_u32(&l->params, 1);
        for (uint32_t i = 0; i < q->distinct_count; i++) {
            const struct jdbc_key *k = &q->distinct[i];
            const uint8_t *field = q->bytes.ptr + k->at + 2 * q->column_count;
            for (uint32_t skip = 0; skip < c; skip++)
                field += jdbc_field_size(field);
            if (!k->entry)
                buf_put(&l->params, field, jdbc_field_size(field));
        }
    }
    at[q->column_count] = l->params.len;
}

leat_status jdbc_question_send(struct jdbc_lookup *l, struct jdbc_question *q)
{
    size_t at[JDBC_KEY_COLUMNS + 1];
    const char *values[JDBC_KEY_COLUMNS];
    int lengths[JDBC_KEY_COLUMNS], formats[JDBC_KEY_COLUMNS];
    build_sql(l, q);
    build_params(l, q, at);
    if (!buf_ok(&l->sql) || !buf_ok(&l->params))
        return leat_no_memory(l->ctx);
    for (uint32_t c = 0; c < q->column_count; c++) {
        values[c] = (const char *)l->params.ptr + at[c];
        lengths[c] = (int)(at[c + 1] - at[c]);
        formats[c] = 1;
    }
    PGconn *pg = pq_conn_raw(l->conn);
    if (PQsendQueryParams(pg, (const char *)l->sql.ptr, (int)q->column_count, NULL, values, lengths, formats, 1) != 1)
        return pq_fail(l->ctx, pg, NULL, "could not ask PostgreSQL at \"%s\"", pq_conn_where(l->conn));
    __atomic_fetch_add(l->metrics.queries, 1, __ATOMIC_RELAXED);
    leat_status st = pq_flush(l->conn);
    return st < 0 ? st : LEAT_OK;
}

// --- answering

static leat_status bad_value(struct jdbc_lookup *l, uint32_t column, const char *wrong)
{
    struct leat_bytes name = l->fields[column].name;
    char type[JDBC_TYPE_TEXT];
    jdbc_type_name(&l->fields[column].type, type);
    return leat_fail(l->ctx, LEAT_DATA, "LEAT-J0301", "column \"%.*s\" of %s cannot be read as %s: %s", (int)name.len,
                     (const char *)name.ptr, l->table.full, type, wrong);
}

// One row of fields into the batch.
static leat_status add_row(struct jdbc_lookup *l, struct leat_batch *b, const uint8_t **at)
{
    uint32_t row = leat_batch_add(b, LEAT_INSERT);
    for (uint32_t c = 0; c < l->schema.column_count; c++) {
        uint32_t size = jdbc_field_size(*at), raw;
        memcpy(&raw, *at, 4);
        leat_batch_set_null(b, c, row);
        if (raw != UINT32_MAX) {
            const char *wrong =
                l->columns[c].wire->get(b, &l->fields[c].type, *at + 4, size - 4, &b->columns[c].cells[row]);
            if (wrong)
                return bad_value(l, c, wrong);
            leat_batch_set_state(b, c, row, LEAT_VALUE);
        } else if (!l->fields[c].type.nullable) {
            return bad_value(l, c, "it is declared NOT NULL and is NULL");
        }
        *at += size;
    }
    return LEAT_OK;
}

// The result's rows of one key as fields, as the cache keeps them.
static void pack_rows(struct jdbc_lookup *l, const struct jdbc_key *k, const PGresult *res, const uint32_t *next)
{
    buf_reset(&l->rows);
    for (uint32_t r = next ? k->first : 0; r; r = next[r - 1]) {
        for (uint32_t c = 0; c < l->schema.column_count; c++) {
            int row = (int)r - 1, col = (int)c + 1;
            if (PQgetisnull(res, row, col)) {
                buf_u32(&l->rows, UINT32_MAX);
                continue;
            }
            buf_u32(&l->rows, (uint32_t)PQgetlength(res, row, col));
            buf_put(&l->rows, PQgetvalue(res, row, col), (size_t)PQgetlength(res, row, col));
        }
    }
}

// Chains the result's rows to the keys they belong to.
static leat_status chain_rows(struct jdbc_lookup *l, struct jdbc_question *q, const PGresult *res, uint32_t *next)
{
    struct jdbc_key **asked = calloc(q->missing, sizeof(struct jdbc_key *));
    if (!asked)
        return leat_no_memory(l->ctx);
    for (uint32_t i = 0; i < q->distinct_count; i++)
        if (!q->distinct[i].entry)
            asked[q->distinct[i].number] = &q->distinct[i];
    for (int r = 0; r < PQntuples(res); r++) {
        uint64_t number;
        memcpy(&number, PQgetvalue(res, r, 0), 8);
        struct jdbc_key *k = asked[(__builtin_bswap64(number) - 1) % q->missing];
        next[r] = 0;
        *(k->last ? &next[k->last - 1] : &k->first) = (uint32_t)r + 1;
        k->last = (uint32_t)r + 1;
        k->rows++;
    }
    free(asked);
    return LEAT_OK;
}

struct answer {
    struct leat_batch *batch;
    uint32_t *key_of_row;
    uint32_t count;
};

static leat_status add_key(struct jdbc_lookup *l, struct answer *a, uint32_t key_row, const uint8_t *rows, uint32_t n)
{
    leat_status st = LEAT_OK;
    for (uint32_t i = 0; i < n && st == LEAT_OK; i++) {
        a->key_of_row[a->count++] = key_row;
        st = add_row(l, a->batch, &rows);
    }
    return st;
}

static leat_status add_all(struct jdbc_lookup *l, struct jdbc_question *q, const PGresult *res, const uint32_t *next,
                           struct answer *a)
{
    leat_status st = LEAT_OK;
    for (uint32_t row = 0; row < q->keys->rows && st == LEAT_OK; row++) {
        if (q->key_of_row[row] == UINT32_MAX)
            continue;
        const struct jdbc_key *k = &q->distinct[q->key_of_row[row]];
        if (!k->rows)
            continue;
        if (k->entry) {
            st = add_key(l, a, row, k->entry->bytes + k->entry->key_len, k->rows);
            continue;
        }
        pack_rows(l, k, res, next);
        st = buf_ok(&l->rows) ? add_key(l, a, row, l->rows.ptr, k->rows) : leat_no_memory(l->ctx);
    }
    return st;
}

static void remember(struct jdbc_lookup *l, const struct jdbc_question *q, const PGresult *res, const uint32_t *next)
{
    int64_t now = l->ctx->host->monotonic(l->ctx);
    if (l->config->cache != JDBC_CACHE_PARTIAL)
        return;
    for (uint32_t i = 0; i < q->distinct_count; i++) {
        const struct jdbc_key *k = &q->distinct[i];
        if (k->entry || (!k->rows && !l->config->cache_missing))
            continue;
        pack_rows(l, k, res, next);
        if (buf_ok(&l->rows))
            jdbc_cache_put(&l->cache, q->bytes.ptr + k->at, k->len, l->rows.ptr, (uint32_t)l->rows.len, k->rows, now);
    }
}

static leat_status answer_rows(struct jdbc_lookup *l, struct jdbc_question *q, const PGresult *res, uint32_t *next)
{
    uint64_t total = 0;
    for (uint32_t row = 0; row < q->keys->rows; row++)
        total += q->key_of_row[row] == UINT32_MAX ? 0 : q->distinct[q->key_of_row[row]].rows;
    struct answer a = {0};
    if (total > LEAT_BATCH_ROWS_MAX)
        return leat_fail(l->ctx, LEAT_RESOURCE, "LEAT-J0302",
                         "%u keys have more rows in %s than the %u that one answer can hold", q->keys->rows,
                         l->table.full, LEAT_BATCH_ROWS_MAX);
    leat_status st = LEAT_OK;
    if (total) {
        a.batch = leat_batch_new(l->ctx, &l->schema, (uint32_t)total);
        a.key_of_row = calloc(total, sizeof *a.key_of_row);
        st = a.batch && a.key_of_row ? add_all(l, q, res, next, &a) : leat_no_memory(l->ctx);
    }
    if (st == LEAT_OK) {
        remember(l, q, res, next);
        l->ctx->host->lookup_answer(l->ctx, q->ticket, a.batch, a.key_of_row);
        a.batch = NULL;
    }
    leat_batch_unref(a.batch);
    free(a.key_of_row);
    return st;
}

leat_status jdbc_question_answer(struct jdbc_lookup *l, struct jdbc_question *q, const PGresult *res)
{
    uint32_t *next = NULL;
    leat_status st = LEAT_OK;
    if (res) {
        next = calloc((size_t)PQntuples(res) + 1, sizeof *next);
        st = next ? chain_rows(l, q, res, next) : leat_no_memory(l->ctx);
    }
    if (st == LEAT_OK)
        st = answer_rows(l, q, res, next);
    free(next);
    return st;
}
