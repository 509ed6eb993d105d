// SPDX-License-Identifier: Apache-2.0
// Sinks: where rows go.
//
//     bind -> create -> load_state* -> open -> (write … flush)… -> close -> destroy -> unbind
//                                              save_state behind a durable flush, then on_checkpoint_complete
//
// One `bound` is shared by all instances of a node. Otherwise life, thread and waiting are those of sources (source.h).
//
// What arrives is of the mode that the plan asked for. For LEAT_MODE_UPSERT rows are +I and +U (write by key) and -D
// (delete by key, other columns possibly absent), already consolidated: applying them in order gives the right table.
// A later change of a key never overtakes an earlier one. Columns may be LEAT_UNCHANGED only when the plan says
// takes_unchanged.
//
// At least once: rows that were written after the last checkpoint come again after a crash. A sink that writes by key is
// right all the same; one that appends says so by leaving `idempotent` 0.
#ifndef LEAT_SINK_H
#define LEAT_SINK_H

#include <leat/source.h>

// How flush is meant.
#define LEAT_FLUSH_IDLE    1
#define LEAT_FLUSH_DURABLE 2

// What a sink can promise. Stored as uint8_t.
#define LEAT_GUARANTEE_NONE          0
#define LEAT_GUARANTEE_AT_LEAST_ONCE 1
#define LEAT_GUARANTEE_EXACTLY_ONCE  2

// What bind is told. Borrowed: `config` lives as long as the node, the rest during the call.
struct leat_sink_request {
    uint32_t struct_size;
    const void *config;
    const struct leat_schema *schema; // of the input; NULL when known only at run time (then bind checks what it can)
    uint8_t mode;                     // of the input, LEAT_MODE_*
    const char *const *primary_key;   // the sink's primary-key option: column names, or NULL
    uint32_t primary_key_count;
    const uint32_t *key; // the same as positions in `schema`; NULL while that is unknown
    uint32_t key_count;
    const char *input; // name of the port it reads ("pg.business.orders")
};

// What bind answers. Comes zeroed but for struct_size.
struct leat_sink_plan {
    uint32_t struct_size;
    uint8_t mode;             // LEAT_MODE_*: what it wants to be given; the core converts or refuses
    uint8_t guarantee;        // LEAT_GUARANTEE_*: what it can give at most
    uint8_t takes_unchanged;  // 1 = it can leave single columns alone
    uint8_t idempotent;       // 1 = writing the same rows again changes nothing (upsert by key)
    uint8_t partition_by_key; // 1 = with several instances, rows of one key must meet in one
    uint32_t parallel_max;    // 1 = only one instance; 0 = as many as you like
    const char *resource;     // what it writes, "kafka://localhost:9092/ods_users"; NULL = nothing to share
};

// A sink's functions. Those without "may be NULL" are required.
struct leat_sink_ops {
    uint32_t struct_size;
    // Static, in `leat check` too: no I/O. Says what the sink wants of its input and whether it can write its columns;
    // gives diagnostics. Makes `bound`, which is read-only from then on. Fails with LEAT_CONFIG.
    leat_status (*bind)(struct leat_ctx *ctx, const struct leat_sink_request *request, struct leat_sink_plan *plan,
                        void **bound);
    // Frees `bound`, after the last destroy. Main thread. May be NULL when bind makes nothing.
    void (*unbind)(void *bound);
    // As for sources (source.h). load_state may be NULL: most sinks have no state. open may be NULL.
    leat_status (*create)(struct leat_ctx *ctx, const void *bound, void **self);
    leat_status (*load_state)(struct leat_ctx *ctx, void *self, const struct leat_state_in *in);
    leat_status (*open)(struct leat_ctx *ctx, void *self, const struct leat_open *open);
    // Takes a batch (borrowed: take a reference if it is needed after the call). LEAT_OK = accepted; LEAT_AGAIN = not
    // now, nothing of it was taken, the same batch is offered again after a wake.
    leat_status (*write)(struct leat_ctx *ctx, void *self, const struct leat_batch *batch);
    // LEAT_FLUSH_IDLE: nothing more came; send what is buffered, without waiting for it (LEAT_OK at once).
    // LEAT_FLUSH_DURABLE: LEAT_OK when everything accepted is durable in the outside system, LEAT_AGAIN until it is. No
    // write comes in between. A wrong LEAT_OK here loses rows: the checkpoint that follows lets the source forget them.
    leat_status (*flush)(struct leat_ctx *ctx, void *self, uint8_t how);
    // After a durable flush, if the sink has state. May be NULL.
    leat_status (*save_state)(struct leat_ctx *ctx, void *self, struct leat_state_out *out);
    // The checkpoint is complete. May be NULL.
    leat_status (*on_checkpoint_complete)(struct leat_ctx *ctx, void *self, leat_epoch epoch);
    // As for sources. Without a durable flush before it, what is buffered may be dropped: it will be read again.
    leat_status (*close)(struct leat_ctx *ctx, void *self);
    void (*destroy)(struct leat_ctx *ctx, void *self);
    // Two-phase sinks (exactly-once). The seams are here, the core does not call them yet; may be NULL.
    leat_status (*fence)(struct leat_ctx *ctx, void *self);                          // no former owner can commit now
    leat_status (*read_marker)(struct leat_ctx *ctx, void *self, leat_epoch *epoch); // last committed epoch
    leat_status (*prepare)(struct leat_ctx *ctx, void *self, leat_epoch epoch);      // rows are durable but unseen
    leat_status (*commit)(struct leat_ctx *ctx, void *self, leat_epoch epoch); // seen, with the marker; repeatable
    leat_status (*abort)(struct leat_ctx *ctx, void *self, leat_epoch epoch);  // as if never written
};

#endif
