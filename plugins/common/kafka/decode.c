// SPDX-License-Identifier: Apache-2.0
// Records to rows. The value's format adds the rows; key columns come from the key only where the value does not carry
// them (value.fields-include = EXCEPT_KEY, and deletes of upsert-kafka, whose value is null). Bytes of the records are
// not copied: every batch keeps its records alive.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source_int.h"

int kafka_decode_init(struct kafka_source *s)
{
    s->good = malloc(KAFKA_POLL_RECORDS * sizeof *s->good);
    s->values = malloc(KAFKA_POLL_RECORDS * sizeof *s->values);
    s->keys = malloc(KAFKA_POLL_RECORDS * sizeof *s->keys);
    s->row_keys = malloc(LEAT_BATCH_ROWS * sizeof *s->row_keys);
    s->counts = malloc(LEAT_BATCH_ROWS * sizeof *s->counts);
    s->row_record = malloc(LEAT_BATCH_ROWS * sizeof *s->row_record);
    return s->good && s->values && s->keys && s->row_keys && s->counts && s->row_record;
}

void kafka_decode_fini(struct leat_ctx *ctx, struct kafka_source *s)
{
    leat_batch_unref(s->batch);
    kafka_records_unref(s->records);
    free(s->good);
    free(s->values);
    free(s->keys);
    free(s->row_keys);
    free(s->counts);
    free(s->row_record);
}

// --- the batch that is being filled

static leat_status need_batch(struct leat_ctx *ctx, struct kafka_source *s)
{
    if (s->batch)
        return LEAT_OK;
    struct leat_batch *b = leat_batch_new(ctx, s->schema, leat_batch_rows_for(s->schema));
    if (!b)
        return leat_no_memory(ctx);
    b->times = leat_batch_alloc(b, b->capacity * sizeof *b->times, 8);
    b->positions = leat_batch_alloc(b, b->capacity * sizeof *b->positions, 8);
    atomic_fetch_add(&s->records->refs, 1);
    if (!b->times || !b->positions || ctx->host->batch_attach(b, kafka_records_unref, s->records) != LEAT_OK) {
        atomic_fetch_sub(&s->records->refs, 1);
        leat_batch_unref(b);
        return leat_no_memory(ctx);
    }
    s->batch = b;
    return LEAT_OK;
}

static leat_status put_out(struct leat_ctx *ctx, struct kafka_source *s)
{
    struct leat_batch *b = s->batch;
    if (!b)
        return LEAT_OK;
    s->batch = NULL;
    leat_status st = ctx->host->emit(ctx, 0, b);
    if (st == LEAT_AGAIN)
        s->way_full = 1;
    return st < 0 ? st : LEAT_OK;
}

static void mark(struct kafka_source *s, uint32_t row, const rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t type;
    int64_t millis = rd_kafka_message_timestamp(m, &type);
    s->batch->times[row] = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? LEAT_TIME_NONE : millis * 1000;
    s->batch->positions[row] = (uint64_t)m->offset;
}

// The error of a record stands in ctx: the policy of the node decides.
static leat_status bad_record(struct leat_ctx *ctx, const rd_kafka_message_t *m, struct leat_bytes raw)
{
    char where[512];
    snprintf(where, sizeof where, "topic %s, partition %d, offset %" PRId64, rd_kafka_topic_name(m->rkt), m->partition,
             m->offset);
    return ctx->host->bad_row(ctx, raw, where);
}

// --- key columns

static void null_keys(struct kafka_source *s, uint32_t row)
{
    for (uint32_t i = 0; i < s->columns.key_count; i++)
        leat_batch_set_null(s->batch, s->columns.key[i], row);
}

// Fills the key columns of rows first … from row_keys. On LEAT_DATA *done is the row whose key is bad, counted from
// first.
static leat_status fill_keys(struct leat_ctx *ctx, struct kafka_source *s, uint32_t first, uint32_t n, uint32_t *done)
{
    leat_status st = LEAT_OK;
    for (*done = 0; st == LEAT_OK && *done < n;) {
        uint32_t run = 0, got = 0;
        if (!s->row_keys[*done].ptr) {
            null_keys(s, first + (*done)++);
            continue;
        }
        while (*done + run < n && s->row_keys[*done + run].ptr)
            run++;
        st = s->key->ops->decode(ctx, s->key->self, s->row_keys + *done, run, 1, s->batch, 1, first + *done, s->counts,
                                 &got);
        if (st == LEAT_OK && !got)
            st = leat_fail(ctx, LEAT_BUG, "LEAT-K0903", "format \"%s\" decodes no key", s->key->name);
        *done += got;
    }
    return st;
}

// --- rows

// Rows of s->values[from … to-1]; *next = the record to go on with.
static leat_status add_values(struct leat_ctx *ctx, struct kafka_source *s, uint32_t from, uint32_t to, uint32_t *next)
{
    struct leat_batch *b = s->batch;
    uint32_t first = b->rows, done = 0, keyed = 0;
    leat_status st =
        s->value->ops->decode(ctx, s->value->self, s->values + from, to - from, 1, b, 0, 0, s->counts, &done);
    if (st != LEAT_OK && st != LEAT_DATA)
        return st;
    *next = from + done;
    if (st == LEAT_DATA) {
        st = bad_record(ctx, s->good[from + done], s->values[from + done]);
        if (st != LEAT_OK)
            return st;
        ++*next;
    }
    for (uint32_t i = 0, row = first; i < done; i++)
        for (uint32_t k = 0; k < s->counts[i] && row < b->rows; k++, row++) {
            s->row_record[row - first] = from + i;
            s->row_keys[row - first] = s->keys[from + i];
            mark(s, row, s->good[from + i]);
            if (s->upsert)
                b->kinds[row] = LEAT_UPDATE_AFTER;
        }
    if (!s->key || s->o->value_fields == KAFKA_FIELDS_ALL)
        return LEAT_OK;
    st = fill_keys(ctx, s, first, b->rows - first, &keyed);
    if (st != LEAT_DATA)
        return st;
    uint32_t record = s->row_record[keyed];
    while (keyed && s->row_record[keyed - 1] == record)
        keyed--;
    b->rows = first + keyed;
    *next = record + 1;
    return bad_record(ctx, s->good[record], s->keys[record]);
}

// Deletes for the keys of records from … to-1.
static leat_status add_deletes(struct leat_ctx *ctx, struct kafka_source *s, uint32_t from, uint32_t to, uint32_t *next)
{
    struct leat_batch *b = s->batch;
    uint32_t first = b->rows, done = 0, row;
    for (*next = from; *next < to && (row = leat_batch_add(b, LEAT_DELETE)) != UINT32_MAX; ++*next) {
        for (uint32_t c = 0; c < b->column_count; c++)
            leat_batch_set_state(b, c, row, LEAT_ABSENT);
        s->row_keys[row - first] = s->keys[*next];
        mark(s, row, s->good[*next]);
    }
    leat_status st = fill_keys(ctx, s, first, b->rows - first, &done);
    if (st != LEAT_DATA)
        return st;
    b->rows = first + done;
    *next = from + done + 1;
    return bad_record(ctx, s->good[from + done], s->keys[from + done]);
}

// Why a record cannot be a row at all, or NULL.
static const char *refusal(const struct kafka_source *s, uint32_t i)
{
    if (s->upsert && !s->keys[i].ptr)
        return "a record without a key cannot be a row of an upsert-kafka source";
    if (!s->upsert && s->key && !s->values[i].ptr)
        return "a record without a value cannot be a row where key.format is given";
    return NULL;
}

static leat_status step(struct leat_ctx *ctx, struct kafka_source *s, uint32_t from, uint32_t n, uint32_t *next)
{
    const char *reason = refusal(s, from);
    if (reason) {
        leat_fail(ctx, LEAT_DATA, "LEAT-K0305", "%s", reason);
        *next = from + 1;
        return bad_record(ctx, s->good[from], s->values[from]);
    }
    leat_status st = need_batch(ctx, s);
    if (st != LEAT_OK || !s->batch)
        return st;
    int deletes = s->upsert && !s->values[from].ptr;
    uint32_t to = from + 1, rows = s->batch->rows;
    while (to < n && !refusal(s, to) && (s->upsert && !s->values[to].ptr) == deletes)
        to++;
    st = deletes ? add_deletes(ctx, s, from, to, next) : add_values(ctx, s, from, to, next);
    if (st == LEAT_OK && *next == from && !rows)
        return leat_fail(ctx, LEAT_BUG, "LEAT-K0904", "format \"%s\" makes no progress", s->value->name);
    if (st == LEAT_OK && *next == from)
        return put_out(ctx, s); // full
    return st;
}

leat_status kafka_decode(struct leat_ctx *ctx, struct kafka_source *s, uint32_t n)
{
    leat_status st = LEAT_OK;
    for (uint32_t i = 0; i < n; i++) {
        const rd_kafka_message_t *m = s->good[i];
        s->values[i] = (struct leat_bytes){m->payload, (uint32_t)m->len};
        s->keys[i] = (struct leat_bytes){m->key, (uint32_t)m->key_len};
    }
    for (uint32_t i = 0; st == LEAT_OK && i < n;)
        st = step(ctx, s, i, n, &i);
    if (st == LEAT_OK)
        st = put_out(ctx, s);
    kafka_records_unref(s->records);
    s->records = NULL;
    return st;
}
