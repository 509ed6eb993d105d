// SPDX-License-Identifier: Apache-2.0
// Lookups: a table asked by key.
//
//   describe, create, discover, open, close, destroy     as for sources; exactly one port.
//   ask                 a batch of keys (borrowed until answered), all of one shape: columns key_columns of the
//   lookup's schema.
//                       The answer is given once, later or within the call, by host->lookup_answer(ticket, rows,
//                       key_of_row): rows of the lookup's schema in a batch (taken; NULL = none), and for each the
//                       number of its key row. LEAT_AGAIN = too many questions are open, ask again after a wake.
#ifndef LEAT_LOOKUP_H
#define LEAT_LOOKUP_H

#include <leat/source.h>

struct leat_lookup_ops {
    uint32_t struct_size;
    leat_status (*describe)(struct leat_ctx *ctx, const struct leat_source_request *request,
                            struct leat_source_plan *plan);
    leat_status (*create)(struct leat_ctx *ctx, const struct leat_source_request *request, void **self);
    leat_status (*discover)(struct leat_ctx *ctx, void *self, struct leat_ports *ports);
    leat_status (*open)(struct leat_ctx *ctx, void *self, const struct leat_open *open);
    leat_status (*ask)(struct leat_ctx *ctx, void *self, const uint32_t *key_columns, uint32_t key_count,
                       const struct leat_batch *keys, uint64_t ticket);
    leat_status (*close)(struct leat_ctx *ctx, void *self);
    void (*destroy)(struct leat_ctx *ctx, void *self);
};

#endif
