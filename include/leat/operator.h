// SPDX-License-Identifier: Apache-2.0
// Operators.
//
//   inputs              static, no I/O: the names it reads, in the order in which process numbers them. With a syntax
//   error it
//                       gives a diagnostic and fails.
//   bind                static, no I/O: from the inputs' schemas and modes to output ports, needs per input, and
//   `bound`: the
//                       compiled operator, read-only and shared by all instances until unbind. Schemas that are not
//                       known yet are NULL; then bind checks what it can and leaves its own ports' schemas NULL.
//   create, load_state*, open, close, destroy      as for sources.
//   process             one batch of one input (borrowed). Emits any number of batches. LEAT_OK = done with it.
//   LEAT_AGAIN =
//                       more is to come out of this batch, call again with it when there is room (after emit said
//                       LEAT_AGAIN).
//   process_answer      a lookup's answer (operators that ask lookups): rows (borrowed) and the key each belongs to.
//   input_end           input is at its end (bounded).
//   save_state          see state.h.
#ifndef LEAT_OPERATOR_H
#define LEAT_OPERATOR_H

#include <leat/source.h>

#define LEAT_INPUTS_MAX 64

#define LEAT_INPUT_STREAM 1
#define LEAT_INPUT_LOOKUP 2

// One name that the operator reads.
struct leat_input_name {
    struct leat_bytes name; // as the file names it: "orders", "pg.business.orders"
    uint8_t kind;           // LEAT_INPUT_STREAM, or LEAT_INPUT_LOOKUP (asked by key)
    const char *option;     // where the name stands, for messages: the option and the byte offset in it
    uint32_t offset;
};

struct leat_input_names {
    uint32_t count;
    const struct leat_input_name *items; // memory of the plugin until the next call of inputs or unbind
};

// One input as bind sees it.
struct leat_input {
    const struct leat_schema *schema; // NULL = known only when connected
    uint8_t mode;                     // LEAT_MODE_*
    uint8_t kind;                     // LEAT_INPUT_*
};

struct leat_operator_request {
    uint32_t struct_size;
    const void *config;
    const struct leat_input *inputs;
    uint32_t input_count;
    const char *local_time_zone; // IANA name
};

// What the operator needs of one input.
struct leat_input_need {
    uint8_t mode; // LEAT_MODE_ALL: an upsert input must be normalised first; LEAT_MODE_UPSERT: -U may be dropped …;
                  // LEAT_MODE_INSERT_ONLY: updates are refused; 0 = takes whatever comes
    uint8_t wait_first; // a dimension: read it up to its end before rows of the other inputs are released
    // Streams: with several instances, rows that agree in these columns must meet in one; NULL = any instance.
    // Lookups: the columns of the lookup's schema that make the key it is asked by.
    const uint32_t *partition;
    uint32_t partition_count;
};

struct leat_operator_plan {
    uint32_t struct_size;
    struct leat_ports ports;             // memory of `bound`
    const struct leat_input_need *needs; // input_count of them; memory of `bound`
    uint8_t has_state;
    uint32_t parallel_max; // 0 = as many as you like
    const char *explain;   // a line or more for `leat plan`: what it does, one step a line; memory of `bound`
};

struct leat_operator_ops {
    uint32_t struct_size;
    leat_status (*inputs)(struct leat_ctx *ctx, const void *config, struct leat_input_names *names);
    leat_status (*bind)(struct leat_ctx *ctx, const struct leat_operator_request *request,
                        struct leat_operator_plan *plan, void **bound);
    void (*unbind)(void *bound);
    leat_status (*create)(struct leat_ctx *ctx, const void *bound, void **self);
    leat_status (*load_state)(struct leat_ctx *ctx, void *self, const struct leat_state_in *in);
    leat_status (*open)(struct leat_ctx *ctx, void *self, const struct leat_open *open);
    leat_status (*process)(struct leat_ctx *ctx, void *self, uint32_t input, const struct leat_batch *batch);
    leat_status (*process_answer)(struct leat_ctx *ctx, void *self, uint64_t ticket, const struct leat_batch *rows,
                                  const uint32_t *key_of_row);
    leat_status (*input_end)(struct leat_ctx *ctx, void *self, uint32_t input);
    leat_status (*save_state)(struct leat_ctx *ctx, void *self, struct leat_state_out *out);
    leat_status (*on_checkpoint_complete)(struct leat_ctx *ctx, void *self, leat_epoch epoch);
    leat_status (*close)(struct leat_ctx *ctx, void *self);
    void (*destroy)(struct leat_ctx *ctx, void *self);
    // 64 bits that name the shape of the state (which query, which columns): a start with another number is refused
    // with "its state cannot follow". 0 or NULL function: any. Called on `bound`.
    uint64_t (*state_shape)(const void *bound);
};

#endif
