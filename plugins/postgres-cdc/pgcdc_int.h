// SPDX-License-Identifier: Apache-2.0
// The object behind a postgres-cdc node and the seams between its files.
//
//     catalog.c   what the server has: settings, tables, columns, keys          (discover)
//     slot.c      the slot, and whether the position fits it                    (open)
//     publication.c, marker.c                                                   (called by slot.c)
//     snapshot.c  COPY of the tables in one common snapshot                     (poll, phase SNAPSHOT)
//     stream.c    receiving the slot, feedback, lag                             (poll, phase STREAM)
//     changes.c   pgoutput messages -> rows                                     \ called by stream.c
//     relation.c  where a table's columns stand in them, over ALTERs            |
//     reselect.c  values that an update left out, fetched by key                /
//     gaps.c      whether the tables were published without a gap
//     watch.c     what else the server is asked meanwhile
//     rows.c      values -> cells, open batches, emitting
//     state.c     positions to bytes and back
//     conn.c      the connections and their session settings; scripts of queries
//
// Everything runs on the home worker. Work on connections is stepped from discover, open and poll; timers and watches
// only wake the node, but for feedback, which must flow while the node is not polled.
#ifndef PGCDC_INT_H
#define PGCDC_INT_H

#include <stddef.h>
#include <stdint.h>

#include <leat/source.h>

#include "keys.h"
#include "options.h"
#include "pgoutput.h"
#include "pq.h"
#include "types.h"

#define PGCDC_NO_COLUMN UINT16_MAX
#define PGCDC_NO_TYPMOD INT32_MIN

// --- memory that lives as long as the object or until the catalogue is read again
struct pgcdc_mem {
    struct pgcdc_block *blocks;
};

void *pgcdc_mem_alloc(struct pgcdc_mem *mem, size_t size); // zeroed; NULL = none
char *pgcdc_mem_text(struct pgcdc_mem *mem, const char *text);
void pgcdc_mem_free(struct pgcdc_mem *mem);

// --- tables

struct pgcdc_column {
    struct types_column how;
    const char *name;
    const char *type_name; // format_type without a length, so that a cast to it cuts nothing
    const char *equals;    // of a key: the operator that its index goes by
    uint32_t oid;          // of the type, a domain's own
    int32_t typmod;
    int16_t attnum;
    uint8_t is_key;
};

// What is known of a column of the table, captured or not: as it is now and as it was at the saved position. By its
// number in the table, which is never given twice.
struct pgcdc_attribute {
    const char *name; // now; NULL = dropped since
    const char *was;  // at the saved position; NULL = added since
    uint32_t oid, was_oid;
    int32_t typmod, was_typmod; // PGCDC_NO_TYPMOD = not known
    int16_t attnum;
    uint16_t column; // among the captured ones, or PGCDC_NO_COLUMN
};

// A row that waits for values, by the text of its key.
struct pgcdc_pending {
    uint32_t row;
    const struct leat_bytes *key; // one per key column, in the batch's arena
    uint32_t xid;
};

enum pgcdc_cure {
    PGCDC_START_AGAIN,
    PGCDC_RETYPED,
    PGCDC_DECLARE_TEXT,
    PGCDC_LEAVE_OUT,
    PGCDC_READ_ANEW,
    PGCDC_NAME_IT,
    PGCDC_TABLE_ANEW,
};

// A captured column that rows do not have any more as it is announced, or the table; `how` NULL = all is well.
struct pgcdc_altered {
    const char *how;
    const char *column; // NULL = the table itself
    uint8_t cure;       // enum pgcdc_cure
};

struct pgcdc_table {
    const char *schema, *name;
    const char *port_name; // "schema.table"
    uint32_t oid;
    uint32_t port;
    uint8_t identity; // replica identity: 'd' 'f' 'i' 'n'
    uint8_t mode;     // LEAT_MODE_ALL or LEAT_MODE_UPSERT
    uint8_t used;     // somebody reads it
    uint8_t snapshot_done;
    uint8_t is_owner;
    uint8_t published;
    uint32_t mark; // number of what puts it into the publication; 0 = all tables are in it, or not known
    uint8_t is_partition;
    uint8_t readable; // at least some column
    double estimate;  // rows, by pg_class
    uint32_t pages;
    uint32_t count;
    struct pgcdc_column *columns;
    uint32_t attribute_count;
    struct pgcdc_attribute *attributes; // by number
    struct leat_schema out;
    // of the stream
    uint8_t warned_added;          // the warning about added columns was given
    uint8_t warned_again;          // and that about columns dropped and added again
    struct pgcdc_altered altered;  // why rows as they come now cannot be read
    uint16_t *from;                // [count] where a column stands in the stream's tuples, or PGCDC_NO_COLUMN
    uint32_t tuple_count;          // columns of those tuples
    struct leat_batch *batch;      // open, or NULL
    struct pgcdc_pending *pending; // [LEAT_BATCH_ROWS] or NULL
    uint32_t pending_count;
    struct pgcdc_keys *keys; // NULL unless they are wanted
    uint8_t truncating;      // its deletes are on their way
    uint64_t last_txn;       // the transaction of its last row, by its final LSN
    uint8_t txn_open;        // the batch emitted last left its transaction open
};

// Something that the server lacks for us, and the statement that gives it.
struct pgcdc_missing {
    struct pgcdc_missing *next;
    leat_status failure;
    const char *code;
    const char *what, *cure;
};

// --- positions and state

struct pgcdc_position {
    uint64_t lsn;       // end of the last commit that was passed on whole
    uint64_t changes;   // of the transaction in progress, already passed on
    uint64_t final_lsn; // of that transaction, to know it again
    uint32_t xid;
};

struct pgcdc_saved_column {
    const char *name;
    uint32_t oid;   // 0 = not known: version 1
    int32_t typmod; // PGCDC_NO_TYPMOD = not known: version 2
    int16_t attnum; // 0 = not known
};

struct pgcdc_saved_table {
    const char *schema, *name;
    uint32_t oid;  // 0 = not known
    uint32_t mark; // as in struct pgcdc_table
    uint8_t snapshot_done;
    uint32_t count;
    struct pgcdc_saved_column *columns;
};

// A table as an earlier discovery of this process found it.
struct pgcdc_seen_table {
    const char *port_name;
    uint32_t count;
    const char **columns;
};

// What tells whether the publication was altered; see gaps.c.
struct pgcdc_marks {
    uint32_t publication, xmin, owner; // 0 = not known
};

struct pgcdc_saved {
    uint64_t system; // 0 = nothing was loaded
    uint32_t timeline;
    const char *slot;
    const char *database;
    uint8_t snapshot_done;
    struct pgcdc_position at;
    struct pgcdc_marks marks;
    uint32_t count;
    struct pgcdc_saved_table *tables;
};

enum pgcdc_phase { PGCDC_SETUP, PGCDC_SNAPSHOT, PGCDC_STREAM, PGCDC_ENDED };

// Positions that were saved and not yet confirmed.
#define PGCDC_SAVED_MAX 64
struct pgcdc_epoch {
    leat_epoch epoch;
    uint64_t lsn;
};

// What the script of a phase does with one query.
struct pgcdc;
struct pgcdc_step {
    const char *what; // "read the publication", for errors
    uint8_t on_replication;
    leat_status (*send)(struct pgcdc *p); // LEAT_OK: sent; LEAT_END: nothing to do, on to the next
    leat_status (*take)(struct pgcdc *p, PGresult *res);
};

struct pgcdc_numbers {
    int64_t *lag_bytes, *lag_micros, *transactions, *bytes, *snapshot_rows, *truncates, *vanished, *confirmed;
};

// Where the server's log ended when.
#define PGCDC_LAG_MAX 64
struct pgcdc_lag {
    uint32_t count;
    struct {
        uint64_t lsn;
        int64_t when; // monotonic
    } at[PGCDC_LAG_MAX];
};

struct pgcdc_snapshot;

struct pgcdc {
    struct leat_ctx *ctx;
    const struct pgcdc_config *config;
    const struct leat_schema *declared;
    const char *publication;
    struct pgcdc_mem mem; // as long as the object
    struct pgcdc_seen_table *seen;
    uint32_t seen_count;
    char *node, *data_dir;

    // connections and the script that is under way
    struct pq_conn *sql;
    struct pq_conn *replication;
    const struct pgcdc_step *script;
    uint32_t step;
    uint8_t sent;

    // catalogue
    int server_version; // 150004
    uint8_t check_utf8; // SQL_ASCII
    uint8_t is_superuser;
    uint8_t may_create; // CREATE on the database
    const char *user;
    struct pgcdc_missing *missing;
    uint8_t missing_lost; // there was no memory to note one
    struct pgcdc_table *tables;
    uint32_t table_count;
    struct leat_port *ports;

    // server and slot
    uint64_t system;
    uint32_t timeline;
    uint64_t server_end; // the newest end of its log that we know
    const char *slot;    // its name
    char own_name[64];   // of the slot and the publication of a transient run
    uint64_t slot_confirmed, slot_restart;
    uint8_t slot_exists, slot_ours;
    uint8_t publication_exists, publication_all;
    struct pgcdc_marks marks;
    uint8_t publication_by_root; // partitions' changes bear the name of their root
    uint64_t wait_xid;           // older transactions must end first; 0 = not asked yet
    uint64_t wait_lsn;           // the end of the log before that number was given
    uint8_t waited;              // the first of two rounds is over
    int64_t slot_wait_until;     // monotonic; patience with another process on the slot
    struct leat_event *retry;
    char snapshot_name[64]; // exported by the slot's creation; "" = none
    uint8_t restored;
    uint8_t transient;        // the slot is a temporary one, and what was published goes at the end
    uint8_t made_publication; // transient, and it is to be dropped
    uint8_t closing;          // the connections of the run are gone
    uint8_t catch_up;
    uint64_t catch_up_to;

    struct pgcdc_saved saved; // of load_state
    struct pgcdc_keys *keys;  // of all tables
    uint8_t keys_known;       // from the first row on
    struct buf key;           // scratch
    enum pgcdc_phase phase;
    uint8_t snapshot_done;
    struct pgcdc_snapshot *snapshot;
    struct pgcdc_position at;      // of the last message taken
    struct pgcdc_position emitted; // of the last row emitted: what save_state saves
    struct pgcdc_epoch epochs[PGCDC_SAVED_MAX];
    uint32_t epoch_count;
    uint64_t durable;    // may be confirmed to the slot
    uint64_t known_from; // from here on the log's rows look as the catalogue said; before it there may be older forms
    uint8_t marker;      // the marker file is there

    // stream
    struct pgoutput_room *room;
    uint64_t received; // end of the newest message
    uint8_t streaming; // START_REPLICATION was answered
    uint8_t in_txn;
    uint8_t skip_txn; // passed on before
    uint64_t skip_changes;
    uint64_t txn_done; // of the transaction under way, at our position
    uint64_t txn_final_lsn;
    leat_usec txn_time;
    uint32_t txn_xid;
    uint64_t *relations; // hash of relation id -> table + 1; see changes.c
    uint32_t relation_mask, relation_count;
    uint32_t pending_total;
    uint32_t reselect_table, reselect_first;
    uint8_t reselecting;      // its query is under way on `sql`
    uint8_t asking_end;       // or this one
    uint32_t open_rows;       // rows in open batches
    uint32_t open_txns;       // tables whose last batch left its transaction open
    uint32_t truncating;      // tables whose deletes are on their way
    size_t truncate_at;       // in the keys of the first of them
    uint8_t flush_due;        // open batches must go before more is read
    struct pgcdc_table *held; // the next row is one of an altered table: nothing is read any more; see stream.c
    uint8_t held_durable;     // all before it is durable
    leat_epoch held_epoch;    // the checkpoint that makes it so; 0 = not begun
    int64_t held_until;       // monotonic: no longer is waited for it
    struct leat_event *feedback;
    int64_t crowd_since; // monotonic: since when messages are counted
    uint32_t crowd;      // how many came
    int64_t heard;       // monotonic: last byte of the server
    int64_t asked_since; // monotonic: when the server began to ask for replies, and how often it did since then
    uint32_t asked;
    struct pgcdc_lag lag;
    struct pgcdc_numbers numbers;
};

// --- conn.c
leat_status pgcdc_conn_step(struct pgcdc *p, struct pq_conn **conn, int replication);
// Runs the steps of `script`, which ends with an empty one. LEAT_OK: all done; stateless between scripts.
leat_status pgcdc_script(struct pgcdc *p, const struct pgcdc_step *script);
leat_status pgcdc_send_sql(struct pgcdc *p, struct pq_conn *conn, struct buf *sql); // frees the buffer
uint64_t pgcdc_lsn_parse(const char *text);
#define PGCDC_LSN       "%X/%X"
#define PGCDC_LSN_OF(v) (uint32_t)((v) >> 32), (uint32_t)(v)

// --- catalog.c
leat_status pgcdc_catalog(struct pgcdc *p); // stepped; fills tables and ports
// --- missing.c
// `failure` TRANSIENT: it may pass by itself.
void pgcdc_miss(struct pgcdc *p, leat_status failure, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void pgcdc_cure(struct pgcdc *p, const char *fmt, ...) __attribute__((format(printf, 2, 3))); // of the one noted last
void pgcdc_miss_publication(struct pgcdc *p); // what is missing to publish the tables in use
leat_status pgcdc_missing_fail(struct pgcdc *p);
// --- match.c
leat_status pgcdc_match_tables(struct leat_ctx *ctx, const struct pgcdc_config *config, const char *const *names,
                               uint32_t count, uint8_t *matched); // names are schema, table by turns
int pgcdc_match_check(const char *pattern, char *error, size_t size, uint32_t *offset);
// --- slot.c
// After keep_names: which slot is read.
void pgcdc_slot_choose(struct pgcdc *p);
// Drops what a transient run has published, over a connection of its own. LEAT_AGAIN until it is gone.
leat_status pgcdc_setup(struct pgcdc *p); // stepped; decides between snapshot and stream
// --- marker.c
leat_status pgcdc_marker_read(struct pgcdc *p); // is the slot ours?
leat_status pgcdc_marker_write(struct pgcdc *p);
void pgcdc_marker_remove(struct pgcdc *p);
// --- publication.c: steps of the setup, in this order
leat_status pgcdc_send_publication(struct pgcdc *p);
leat_status pgcdc_take_publication(struct pgcdc *p, PGresult *res);
leat_status pgcdc_send_published(struct pgcdc *p);
leat_status pgcdc_take_published(struct pgcdc *p, PGresult *res);
leat_status pgcdc_send_publish(struct pgcdc *p);
leat_status pgcdc_take_publish(struct pgcdc *p, PGresult *res);
leat_status pgcdc_unpublish(struct pgcdc *p);
// --- snapshot.c
leat_status pgcdc_snapshot_poll(struct pgcdc *p);
void pgcdc_snapshot_destroy(struct pgcdc *p);
// --- stream.c
leat_status pgcdc_stream_start(struct pgcdc *p); // stepped
leat_status pgcdc_stream_poll(struct pgcdc *p);
leat_status pgcdc_stream_confirm(struct pgcdc *p); // says what is durable, if that moved
// --- lag.c
void pgcdc_lag_sample(struct pgcdc *p, uint64_t end); // the server's log ends there now
void pgcdc_lag_report(struct pgcdc *p);
// --- changes.c
leat_status pgcdc_change(struct pgcdc *p, const uint8_t *bytes, size_t len);
// --- relation.c
// Takes the Relation message in `room`: places the table's columns, or notes why that cannot be.
leat_status pgcdc_relation(struct pgcdc *p, struct pgcdc_table *t);
leat_status pgcdc_altered(struct pgcdc *p, const struct pgcdc_table *t); // the failure
// 'column "c" of table "s.t"' or 'table "s.t"': what was altered.
void pgcdc_altered_what(const struct pgcdc_table *t, char *out, size_t size);
// Joins what the catalogue says of the columns with what the state says.
leat_status pgcdc_attributes(struct pgcdc *p, struct pgcdc_table *t, const struct pgcdc_saved_table *saved);
// --- rows.c
// Where a source of values stands for messages: the table and, in the stream, the LSN.
leat_status pgcdc_row_fill(struct pgcdc *p, struct pgcdc_table *t, struct leat_batch *b, uint32_t row,
                           const struct pgoutput_value *values, const uint16_t *from, uint32_t *unchanged);
leat_status pgcdc_batch_open(struct pgcdc *p, struct pgcdc_table *t, struct leat_batch **out, int timed);
// Takes the rows of the transaction under way out of the open batches. 0 = some of it has been emitted already.
int pgcdc_rows_undo(struct pgcdc *p);
leat_status pgcdc_bad_value(struct pgcdc *p, struct pgcdc_table *t, const struct pgcdc_column *c, const char *wrong,
                            const struct pgoutput_value *v);
// Emits all open batches of the stream. LEAT_AGAIN: done, but the way is full. Moves `emitted`.
leat_status pgcdc_rows_flush(struct pgcdc *p);
void pgcdc_rows_drop(struct pgcdc *p);
uint32_t pgcdc_row_add(struct pgcdc *p, struct pgcdc_table *t, uint8_t kind);
// --- truncate.c
int pgcdc_keys_wanted(const struct pgcdc *p);
leat_status pgcdc_key_put(struct pgcdc *p, struct pgcdc_table *t, const struct pgoutput_value *values,
                          const uint16_t *from);
leat_status pgcdc_key_drop(struct pgcdc *p, struct pgcdc_table *t, const struct pgoutput_value *values,
                           const uint16_t *from);
leat_status pgcdc_truncate(struct pgcdc *p, struct pgcdc_table *t);
leat_status pgcdc_truncate_poll(struct pgcdc *p); // emits deletes; like pgcdc_rows_flush
// --- reselect.c
leat_status pgcdc_reselect(struct pgcdc *p); // stepped; LEAT_OK: no row waits for values any more
leat_status pgcdc_pending_add(struct pgcdc *p, struct pgcdc_table *t, uint32_t row, const struct pgoutput_value *values,
                              const uint16_t *from);
// --- gaps.c
// A step of the script: reads the marks and compares them with the saved ones.
leat_status pgcdc_send_marks(struct pgcdc *p);
leat_status pgcdc_take_marks(struct pgcdc *p, PGresult *res);
// The mark of table v.oid in publication p, for a query.
void pgcdc_put_mark(const struct pgcdc *p, struct buf *sql);
// --- watch.c
leat_status pgcdc_ask_end(struct pgcdc *p);  // where the log of the server ends; the answer is taken when it comes
leat_status pgcdc_take_end(struct pgcdc *p); // stepped: the answer that is still to come
// --- state.c
leat_status pgcdc_state_write(struct pgcdc *p, struct leat_state_out *out);
leat_status pgcdc_state_read(struct pgcdc *p, const struct leat_state_in *in);
const struct pgcdc_saved_table *pgcdc_saved_find(const struct pgcdc *p, const char *schema, const char *name);
// The same, but not a former table of that name.
const struct pgcdc_saved_table *pgcdc_saved_of(const struct pgcdc *p, const struct pgcdc_table *t);

#endif
