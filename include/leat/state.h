// SPDX-License-Identifier: Apache-2.0
// State of a node: bytes with a version, saved at each checkpoint and given back at a start.
//
// save_state is called on the home worker when the barrier passes: all that arrived before it has been processed (and,
// for sinks, flushed), nothing that comes after it has been seen. It writes one piece with host->state_write and sets
// `version` and `kind`. A node whose state is large may write only what changed since the last call (LEAT_STATE_DELTA)
// when `kind` asks for it; it writes LEAT_STATE_FULL when that is asked for, and may always. A node without state
// writes nothing. A full piece is asked for when all pieces together are twice as long as a full one would be: a node
// that writes deltas and says how long that is (`whole`) is not asked for one as long as its state only grows.
//
// load_state is called after create and before open, once per piece: the last full piece and the deltas after it, in
// order, for every former instance of the node. With another parallelism than before, an instance is given all pieces
// of all former instances and takes what belongs to it. A plugin reads every version it ever wrote, and refuses with
// LEAT_FATAL what it cannot have written: bytes of a state are input like any other.
#ifndef LEAT_STATE_H
#define LEAT_STATE_H

#include <stddef.h>

#include <leat/error.h>
#include <leat/host.h>
#include <leat/types.h>

// Kinds of pieces. Stored as uint8_t.
#define LEAT_STATE_FULL  1
#define LEAT_STATE_DELTA 2

typedef uint64_t leat_epoch; // number of a checkpoint, rising from 1

// A piece being saved. Valid during save_state; `core` is not for plugins.
struct leat_state_out {
    uint32_t version; // out: of the layout of the bytes, set by the node; 0 is as good as any
    uint8_t kind;     // in: what is asked for; out: what was written
    void *core;       // not for plugins
    leat_epoch epoch; // in: the checkpoint being saved, so that a node knows what on_checkpoint_complete confirms
    uint64_t
        whole; // out: about how many bytes a full piece would take now, for a node that writes deltas; 0 = not known
};

// A piece being given back.
struct leat_state_in {
    uint32_t version;
    uint8_t kind;       // LEAT_STATE_*
    uint32_t instance;  // of the instance that wrote it
    uint32_t instances; // how many there were
    const uint8_t *ptr; // borrowed during the call
    size_t len;
};

// For a state that is one value of a fixed size. save writes the whole of it; load takes what save wrote and refuses
// anything else with LEAT_FATAL and `code`, a code of the plugin's. Fail as state_write and leat_fail do.
static inline leat_status leat_state_save(struct leat_ctx *ctx, struct leat_state_out *out, uint32_t version,
                                          const void *value, size_t size)
{
    out->version = version;
    out->kind = LEAT_STATE_FULL;
    return ctx->host->state_write(ctx, out, value, size);
}

static inline leat_status leat_state_load(struct leat_ctx *ctx, const struct leat_state_in *in, uint32_t version,
                                          void *value, size_t size, const char *code)
{
    if (in->version != version || in->len != size)
        return leat_fail(ctx, LEAT_FATAL, code, "the saved state has version %u and %zu bytes, not version %u and %zu",
                         in->version, in->len, version, size);
    __builtin_memcpy(value, in->ptr, size);
    return LEAT_OK;
}

#endif
