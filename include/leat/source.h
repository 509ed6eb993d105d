// SPDX-License-Identifier: Apache-2.0
// Sources: where rows come from.
//
// The life of one instance of a source node, from left to right:
//
//     describe -> create -> load_state* -> discover? -> use_ports? -> open -> poll … -> close -> destroy
//                                                                       save_state, on_checkpoint_complete between polls
//
// Everything runs on the instance's home worker, one call at a time, and nothing blocks: a function that has to wait
// returns LEAT_AGAIN, arranges for a watch, a timer or a helper thread to call host->wake, and is called again then.
// After a failure at any step the core calls close (if create had succeeded) and destroy, and where the class of the
// failure allows, begins again at create.
#ifndef LEAT_SOURCE_H
#define LEAT_SOURCE_H

#include <leat/host.h>
#include <leat/schema.h>
#include <leat/state.h>

#define LEAT_PORTS_MAX 1024

// The outputs of a node. Memory of the plugin: those of describe and discover are valid until the next call of the same
// function or destroy, those of an operator's bind until unbind.
struct leat_ports {
    uint32_t count; // at most LEAT_PORTS_MAX
    const struct leat_port *items;
    uint32_t stride; // sizeof(struct leat_port) as the plugin was compiled; 0 = LEAT_PORT_SIZE_1_0
};

// One port, the usual case: plan->ports = leat_one_port(&port).
static inline struct leat_ports leat_one_port(const struct leat_port *port)
{
    struct leat_ports ports = {1, port, sizeof *port};
    return ports;
}

// Port number `i`, which is below `ports->count`; what its plugin does not know yet is zero.
static inline struct leat_port leat_ports_get(const struct leat_ports *ports, uint32_t i)
{
    struct leat_port port = {.mode = 0};
    uint32_t stride = ports->stride ? ports->stride : LEAT_PORT_SIZE_1_0;
    uint32_t size = stride < sizeof port ? stride : (uint32_t)sizeof port;
    __builtin_memcpy(&port, (const uint8_t *)ports->items + (size_t)i * stride, size);
    return port;
}

// What describe and create are told. Borrowed: `config` lives as long as the node, the rest during the call.
struct leat_source_request {
    uint32_t struct_size;
    const void *config;                 // the filled configuration struct
    const struct leat_schema *declared; // the user's schema section with its primary key, or NULL
    // What an earlier discovery in this process found, or NULL: columns of these ports that came later are left out
    // until the process is started again by somebody who knows of them.
    const struct leat_ports *seen;
};

// What describe answers. Comes zeroed but for struct_size.
struct leat_source_plan {
    uint32_t struct_size;
    struct leat_ports ports;  // count 0 or schemas NULL: known only when connected
    const char *name_pattern; // ports unknown: anchored PCRE2 pattern that their names will match; NULL = no idea
    const char *resource;     // what it reads, "kafka://localhost:9092/ods_users"; NULL = nothing to share
    uint32_t parallel_max;    // how many instances make sense; 0 and 1 = only one
    uint8_t bounded;          // 1 = it ends
    uint8_t has_snapshot;     // 1 = it begins with an initial snapshot and will call host->snapshot_done
    const char *exclusive;    // the option by which `resource` is this node's alone, "slot.name"; NULL = it is shared
};

// What open is told. Strings live as long as the node.
struct leat_open {
    uint32_t struct_size;
    uint32_t instance; // 0 … instances - 1
    uint32_t instances;
    uint8_t catch_up;  // 1 = a reader waits: find the present end, call host->caught_up when it is reached
    uint8_t restored;  // 1 = load_state was called
    uint8_t first_run; // 1 = no checkpoint of this pipeline knows this node
    const char *pipeline;
    const char *node;
    const char *data_dir;        // a folder of this pipeline for spill files; exists
    const char *local_time_zone; // IANA name
    uint8_t transient; // 1 = no checkpoint is kept of this run (leat sql): leave nothing behind outside either
};

// A source's functions. Those without "may be NULL" are required.
struct leat_source_ops {
    uint32_t struct_size;
    // Static, in `leat check` too: no I/O, no clock. Says what the options and the declared schema tell of the ports;
    // gives diagnostics. Fails with LEAT_CONFIG.
    leat_status (*describe)(struct leat_ctx *ctx, const struct leat_source_request *request,
                            struct leat_source_plan *plan);
    // Makes the object: memory only, no I/O. On failure *self is left alone.
    leat_status (*create)(struct leat_ctx *ctx, const struct leat_source_request *request, void **self);
    // The position of the last checkpoint, if there is one (state.h). Bytes are hostile: a version or a length that it
    // did not write is refused with LEAT_FATAL, never followed. May be NULL: a source without position starts anew.
    leat_status (*load_state)(struct leat_ctx *ctx, void *self, const struct leat_state_in *in);
    // Connects and completes the ports. LEAT_AGAIN until done. Called on instance 0 only, and only when describe left
    // something open; may be NULL when it never does.
    leat_status (*discover)(struct leat_ctx *ctx, void *self, struct leat_ports *ports);
    // Gets ready to give rows. LEAT_AGAIN until done. Compares a restored position with the outside world and refuses
    // (LEAT_FATAL) what cannot be proved: nothing is skipped silently.
    leat_status (*open)(struct leat_ctx *ctx, void *self, const struct leat_open *open);
    // Gives zero or more batches by host->emit. LEAT_OK: call again at once; LEAT_AGAIN: nothing now, the source wakes
    // the node when there is; LEAT_END: a bounded source is done. Gives a few batches a call, not a million. Not called
    // while the way is full; a source that must answer its server meanwhile does so from a timer or a watch.
    leat_status (*poll)(struct leat_ctx *ctx, void *self);
    // Between two polls: writes the position behind the last emitted row (state.h). May be NULL.
    leat_status (*save_state)(struct leat_ctx *ctx, void *self, struct leat_state_out *out);
    // Everything emitted before the barrier of `epoch` is durable downstream, and so is the position saved for it: only
    // now may it be acknowledged upstream. Epochs may be skipped; the newest counts. May be NULL.
    leat_status (*on_checkpoint_complete)(struct leat_ctx *ctx, void *self, leat_epoch epoch);
    // Ends outside resources: connections, watches, timers, helper threads. LEAT_AGAIN while a thread winds down. Comes
    // at any moment after create, also in the middle of discover or open, and after failures; a failure of its own is
    // logged, and destroy follows all the same. May be NULL.
    leat_status (*close)(struct leat_ctx *ctx, void *self);
    // Frees. After close; also when close failed. A half-made object and NULL are fine.
    void (*destroy)(struct leat_ctx *ctx, void *self);
    // Which ports are read, before open: used[i] for port i of discover or describe. May be NULL: all are.
    leat_status (*use_ports)(struct leat_ctx *ctx, void *self, const uint8_t *used, uint32_t count);
    // While it runs: find the end of this moment anew and call host->caught_up when everything before it is emitted.
    // Not called again before that. May be NULL: the source cannot be asked, and join.wait = "always" refuses it.
    leat_status (*catch_up)(struct leat_ctx *ctx, void *self);
};

#endif
