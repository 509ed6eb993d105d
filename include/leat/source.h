// SPDX-License-Identifier: Apache-2.0
// Sources.
//
// Life of a source node's instance (each on its home worker, none may block):
//
//   describe            static: ports as far as the options and the declared schema tell them. No I/O. May give
//   diagnostics. create              makes the object; no I/O. load_state*         position of the last checkpoint, if
//   there is one. discover            connects and completes the ports (LEAT_AGAIN until done, woken by the plugin).
//   Not called, and may be
//                       NULL, when describe gave every schema. On instance 0 only.
//   open                gets ready to give rows (LEAT_AGAIN until done). Compares the position with the server and
//   refuses
//                       what cannot be proved: nothing is silently skipped.
//   poll …              emits zero or more batches through host->emit. LEAT_OK: call again at once; LEAT_AGAIN: nothing
//   now,
//                       the plugin wakes the node; LEAT_END: a bounded source is done. Not called while the way is
//                       full; a source that must answer its server meanwhile does so from a timer or watch.
//   save_state          between two polls: the position after the last emitted row.
//   on_checkpoint_complete(epoch)   everything emitted before the barrier of `epoch` is durable downstream, and so is
//   this
//                       position: only now may it be acknowledged upstream. Epochs may be skipped; the newest counts.
//   close               ends outside resources; LEAT_AGAIN while a helper thread winds down (woken by the plugin).
//   destroy             frees; also after a failure at any step; NULL is fine.
//
// After a failure the core closes and destroys the object and, where the class allows, begins again at create.
#ifndef LEAT_SOURCE_H
#define LEAT_SOURCE_H

#include <leat/host.h>
#include <leat/schema.h>
#include <leat/state.h>

#define LEAT_PORTS_MAX 1024

struct leat_ports {
    uint32_t count;
    const struct leat_port *items; // memory of the plugin, valid until destroy (describe: until the next call)
};

// What describe is told.
struct leat_source_request {
    uint32_t struct_size;
    const void *config;                 // the filled configuration struct
    const struct leat_schema *declared; // the user's schema section with its primary key, or NULL
};

// What describe answers.
struct leat_source_plan {
    uint32_t struct_size;
    struct leat_ports ports; // count 0 or schemas NULL: known only when connected
    const char
        *name_pattern;    // when ports are not known: anchored PCRE2 pattern that port names will match; NULL = unknown
    const char *resource; // what it reads, e.g. "kafka://localhost:9092/ods_users"; NULL = nothing to share
    uint32_t parallel_max; // how many instances make sense; 1 = only one
    uint8_t bounded;       // it ends
    uint8_t has_snapshot;  // it begins with an initial snapshot and will call snapshot_done
};

// What open is told. Strings live as long as the node.
struct leat_open {
    uint32_t struct_size;
    uint32_t instance; // 0 … instances - 1
    uint32_t instances;
    uint8_t
        catch_up; // a reader waits for this source: find the present end and call host->caught_up when it is reached
    uint8_t restored;  // load_state was called
    uint8_t first_run; // no checkpoint of this pipeline knows this node
    const char *pipeline;
    const char *node;
    const char *data_dir;        // a folder of this pipeline for spill files; exists
    const char *local_time_zone; // IANA name
};

struct leat_source_ops {
    uint32_t struct_size;
    leat_status (*describe)(struct leat_ctx *ctx, const struct leat_source_request *request,
                            struct leat_source_plan *plan);
    leat_status (*create)(struct leat_ctx *ctx, const struct leat_source_request *request, void **self);
    leat_status (*load_state)(struct leat_ctx *ctx, void *self, const struct leat_state_in *in);
    leat_status (*discover)(struct leat_ctx *ctx, void *self, struct leat_ports *ports);
    leat_status (*open)(struct leat_ctx *ctx, void *self, const struct leat_open *open);
    leat_status (*poll)(struct leat_ctx *ctx, void *self);
    leat_status (*save_state)(struct leat_ctx *ctx, void *self, struct leat_state_out *out);
    leat_status (*on_checkpoint_complete)(struct leat_ctx *ctx, void *self, leat_epoch epoch);
    leat_status (*close)(struct leat_ctx *ctx, void *self);
    void (*destroy)(struct leat_ctx *ctx, void *self);
    // Which ports are read, before open: used[i] for port i of discover/describe. Optional; NULL = all are.
    leat_status (*use_ports)(struct leat_ctx *ctx, void *self, const uint8_t *used, uint32_t count);
};

#endif
