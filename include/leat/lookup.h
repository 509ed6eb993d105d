// SPDX-License-Identifier: Apache-2.0
// Lookups: a table asked by key, for operators that join rows with it.
//
//     describe -> create -> discover? -> open -> ask … -> close -> destroy
//
// A lookup is a source (source.h) with exactly one port, which answers questions instead of giving rows: it keeps no
// position and saves no state. Thread and waiting are the same. Each instance of an operator has an instance of each lookup
// that it asks, on the same worker. One whose schema is not known is made and discovered once, closed, and made again
// where it is asked.
#ifndef LEAT_LOOKUP_H
#define LEAT_LOOKUP_H

#include <leat/source.h>

// A lookup's functions; discover, open and close may be NULL.
struct leat_lookup_ops {
    uint32_t struct_size;
    // As for sources.
    leat_status (*describe)(struct leat_ctx *ctx, const struct leat_source_request *request,
                            struct leat_source_plan *plan);
    leat_status (*create)(struct leat_ctx *ctx, const struct leat_source_request *request, void **self);
    leat_status (*discover)(struct leat_ctx *ctx, void *self, struct leat_ports *ports);
    leat_status (*open)(struct leat_ctx *ctx, void *self, const struct leat_open *open);
    // A batch of distinct keys (borrowed until answered; there may be none), all of one shape: its columns are the columns key_columns[0 …
    // key_count - 1] of the lookup's schema. Every ticket is answered exactly once, within the call or later, by
    // host->lookup_answer: rows of the lookup's schema in a batch (taken; NULL = none), and for each row the number of
    // its key. LEAT_AGAIN = too many questions are open: this one was not taken, ask again after a wake.
    leat_status (*ask)(struct leat_ctx *ctx, void *self, const uint32_t *key_columns, uint32_t key_count,
                       const struct leat_batch *keys, uint64_t ticket);
    leat_status (*close)(struct leat_ctx *ctx, void *self);
    void (*destroy)(struct leat_ctx *ctx, void *self);
};

#endif
