// SPDX-License-Identifier: Apache-2.0
// Sinks.
//
//   bind                static: what the sink wants of its input. No I/O; gives diagnostics; makes `bound`, read-only
//   and shared
//                       by all instances until unbind.
//   create, load_state*, open      as for sources.
//   write               takes a batch: LEAT_OK = accepted (keep a reference if it is needed after the call), LEAT_AGAIN
//   = not now,
//                       the same batch is offered again after a wake.
//   flush               IDLE: nothing more came; send what is buffered, without waiting (LEAT_OK at once).
//                       DURABLE: everything accepted must be durable in the outside system; LEAT_AGAIN until it is
//                       (woken by the plugin), LEAT_OK then. No write comes in between.
//   save_state          after a durable flush, if the sink has state.
//   prepare, commit, abort, fence, read_marker      two-phase sinks (exactly-once): the seams are here, the core does
//   not call
//                       them yet. prepare(epoch): rows of the epoch are durable but unseen. commit(epoch): seen,
//                       together with the marker; safe to repeat. fence: from now on no former owner can commit.
//                       read_marker: last committed epoch.
//   close, destroy      as for sources. close without a durable flush before may drop what is buffered: it will be read
//   again.
//
// What arrives: `mode` of the plan is kept by the core. For LEAT_MODE_UPSERT rows are +I, +U (write by key) and -D
// (delete by key, other columns possibly absent), already consolidated: applying them in order gives the right table. A
// later change of a key never overtakes an earlier one. Columns may be LEAT_UNCHANGED only when the plan says
// takes_unchanged.
#ifndef LEAT_SINK_H
#define LEAT_SINK_H

#include <leat/source.h>

#define LEAT_FLUSH_IDLE    1
#define LEAT_FLUSH_DURABLE 2

#define LEAT_GUARANTEE_NONE          0
#define LEAT_GUARANTEE_AT_LEAST_ONCE 1
#define LEAT_GUARANTEE_EXACTLY_ONCE  2

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

struct leat_sink_plan {
    uint32_t struct_size;
    uint8_t mode;             // LEAT_MODE_*: what it wants to be given; the core converts or refuses
    uint8_t guarantee;        // LEAT_GUARANTEE_*: what it can give at most
    uint8_t takes_unchanged;  // it can leave single columns alone
    uint8_t idempotent;       // writing the same rows again changes nothing (upsert by key)
    uint8_t partition_by_key; // with several instances, rows of one key must meet in one
    uint32_t parallel_max;    // 1 = only one instance
    const char *resource;     // what it writes, "kafka://localhost:9092/ods_users"; NULL = nothing to share
};

struct leat_sink_ops {
    uint32_t struct_size;
    leat_status (*bind)(struct leat_ctx *ctx, const struct leat_sink_request *request, struct leat_sink_plan *plan,
                        void **bound);
    void (*unbind)(void *bound);
    leat_status (*create)(struct leat_ctx *ctx, const void *bound, void **self);
    leat_status (*load_state)(struct leat_ctx *ctx, void *self, const struct leat_state_in *in);
    leat_status (*open)(struct leat_ctx *ctx, void *self, const struct leat_open *open);
    leat_status (*write)(struct leat_ctx *ctx, void *self, const struct leat_batch *batch);
    leat_status (*flush)(struct leat_ctx *ctx, void *self, uint8_t how);
    leat_status (*save_state)(struct leat_ctx *ctx, void *self, struct leat_state_out *out);
    leat_status (*on_checkpoint_complete)(struct leat_ctx *ctx, void *self, leat_epoch epoch);
    leat_status (*close)(struct leat_ctx *ctx, void *self);
    void (*destroy)(struct leat_ctx *ctx, void *self);
    leat_status (*fence)(struct leat_ctx *ctx, void *self);
    leat_status (*read_marker)(struct leat_ctx *ctx, void *self, leat_epoch *epoch);
    leat_status (*prepare)(struct leat_ctx *ctx, void *self, leat_epoch epoch);
    leat_status (*commit)(struct leat_ctx *ctx, void *self, leat_epoch epoch);
    leat_status (*abort)(struct leat_ctx *ctx, void *self, leat_epoch epoch);
};

#endif
