// SPDX-License-Identifier: Apache-2.0
// Operators: rows in, other rows out.
//
//     inputs -> bind -> create -> load_state* -> open -> (process | process_answer | input_end)… -> close -> destroy
//                                                        save_state, on_checkpoint_complete between        -> unbind
//
// `inputs` and `bind` are static: they answer, without I/O and in `leat check` too, which names the operator reads and
// what it makes of their columns. bind's result, `bound`, is the compiled operator: read-only, shared by all instances.
// bind may be called several times with what has become known; each `bound` gets its unbind. Otherwise life, thread and
// waiting are those of sources (source.h).
#ifndef LEAT_OPERATOR_H
#define LEAT_OPERATOR_H

#include <leat/source.h>

#define LEAT_INPUTS_MAX 64

// Kinds of inputs. Stored as uint8_t.
#define LEAT_INPUT_STREAM 1
#define LEAT_INPUT_LOOKUP 2 // asked by key (lookup.h)

// One name that the operator reads.
struct leat_input_name {
    struct leat_bytes name; // as the file names it: "orders", "pg.business.orders"
    uint8_t kind;           // LEAT_INPUT_*
    const char *option;     // where the name stands, for messages: the option and the byte offset in it
    uint32_t offset;
};

#define LEAT_INPUT_NAME_SIZE_1_0 40u // sizeof(struct leat_input_name) in version 1.0

// What `inputs` answers. Memory of the plugin until the next call of inputs for this node, or unbind.
struct leat_input_names {
    uint32_t count; // at most LEAT_INPUTS_MAX
    const struct leat_input_name *items;
    uint32_t stride; // sizeof(struct leat_input_name) as the plugin was compiled; 0 = LEAT_INPUT_NAME_SIZE_1_0
};

// One input as bind sees it.
struct leat_input {
    const struct leat_schema *schema; // NULL = known only when connected
    uint8_t mode;                     // LEAT_MODE_*
    uint8_t kind;                     // LEAT_INPUT_*
};

#define LEAT_INPUT_SIZE_1_0 16u // sizeof(struct leat_input) in version 1.0

// What bind is told. Borrowed: `config` lives as long as the node, schemas as long as `bound`, the rest during the call.
struct leat_operator_request {
    uint32_t struct_size;
    const void *config;
    const struct leat_input *inputs; // one for each name of `inputs`, in its order; step with leat_operator_input
    uint32_t input_count;
    const char *local_time_zone; // IANA name
    uint32_t input_stride;       // sizeof(struct leat_input) as the core was compiled; 0 = LEAT_INPUT_SIZE_1_0
};

// What the operator needs of one input.
struct leat_input_need {
    uint8_t mode;       // LEAT_MODE_ALL: an upsert input must be normalised first; LEAT_MODE_UPSERT: -U may be dropped;
                        // LEAT_MODE_INSERT_ONLY: updates are refused; 0 = takes whatever comes
    uint8_t wait_first; // 1 = a dimension: read it up to its end before rows of the other inputs are released
    // Streams: with several instances, rows that agree in these columns must meet in one; NULL = any instance.
    // Lookups: the columns of the lookup's schema that make the key it is asked by.
    const uint32_t *partition;
    uint32_t partition_count;
    // 1 = also before each batch of the other inputs: what the dimension holds at that moment is read first. The input
    // must come straight from a source that offers catch_up, and from another one than the other inputs.
    uint8_t wait_always;
    uint8_t wait_go_on;   // when wait_timeout is over: 1 = go on without, with a warning; 0 = the job fails
    int64_t wait_timeout; // microseconds that either kind of waiting may take; 0 = as long as it takes
};

#define LEAT_INPUT_NEED_SIZE_1_0 32u // sizeof(struct leat_input_need) in version 1.0

// What bind answers. Comes zeroed but for struct_size. What it points to is memory of `bound`.
struct leat_operator_plan {
    uint32_t struct_size;
    struct leat_ports ports;             // NULL as schema while the inputs' schemas are not known
    const struct leat_input_need *needs; // input_count of them; NULL = takes whatever comes
    uint8_t has_state;                   // 1 = save_state writes something
    uint32_t parallel_max;               // 1 = only one instance; 0 = as many as you like
    const char *explain;                 // for `leat plan`: what it does, one step a line
    uint32_t need_stride; // sizeof(struct leat_input_need) as the plugin was compiled; 0 = LEAT_INPUT_NEED_SIZE_1_0
};

// An operator's functions. Those without "may be NULL" are required.
struct leat_operator_ops {
    uint32_t struct_size;
    // The names it reads, in the order in which process numbers them. Where it cannot tell (a syntax error) it gives a
    // diagnostic and fails with LEAT_CONFIG.
    leat_status (*inputs)(struct leat_ctx *ctx, const void *config, struct leat_input_names *names);
    // From the inputs' schemas and modes to output ports, needs and `bound`. Schemas that are not known yet are NULL:
    // then it checks what it can, and gives the schemas of its ports as far as it can tell: NULL, or with columns of
    // LEAT_TYPE_IS_UNKNOWN. Gives diagnostics, fails with LEAT_CONFIG; a bind that failed may have filled `ports` all
    // the same (memory of the plugin until the next bind on this thread): then faults of its readers are found too.
    leat_status (*bind)(struct leat_ctx *ctx, const struct leat_operator_request *request,
                        struct leat_operator_plan *plan, void **bound);
    // Frees `bound`, after the last destroy. May be NULL when bind makes nothing.
    void (*unbind)(void *bound);
    // As for sources (source.h). load_state and open may be NULL.
    leat_status (*create)(struct leat_ctx *ctx, const void *bound, void **self);
    leat_status (*load_state)(struct leat_ctx *ctx, void *self, const struct leat_state_in *in);
    leat_status (*open)(struct leat_ctx *ctx, void *self, const struct leat_open *open);
    // One batch of one input (borrowed). Emits any number of batches. LEAT_OK = done with it; LEAT_AGAIN = more is to
    // come out of this batch: called again with it when there is room (host->emit said LEAT_AGAIN) or after a wake.
    leat_status (*process)(struct leat_ctx *ctx, void *self, uint32_t input, const struct leat_batch *batch);
    // The answer to host->lookup_ask: rows (borrowed; NULL = none) and for each the number of the key it belongs to.
    // LEAT_AGAIN = call again with it when there is room. As long as an answer is owed, barriers and the end wait; batches
    // go on coming until process says LEAT_AGAIN. May be NULL: the operator asks no lookups.
    leat_status (*process_answer)(struct leat_ctx *ctx, void *self, uint64_t ticket, const struct leat_batch *rows,
                                  const uint32_t *key_of_row);
    // The input is at its end (bounded). May be NULL.
    leat_status (*input_end)(struct leat_ctx *ctx, void *self, uint32_t input);
    // As for sources. save_state comes when everything before the barrier has been processed; may be NULL.
    leat_status (*save_state)(struct leat_ctx *ctx, void *self, struct leat_state_out *out);
    leat_status (*on_checkpoint_complete)(struct leat_ctx *ctx, void *self, leat_epoch epoch);
    leat_status (*close)(struct leat_ctx *ctx, void *self);
    void (*destroy)(struct leat_ctx *ctx, void *self);
    // 64 bits that name the shape of the state (which query, which columns): a start with another number is refused
    // with "its state cannot follow". 0 = any. May be NULL: any.
    uint64_t (*state_shape)(const void *bound);
    // The same in words, for the message of that refusal: lines "what: how it is", one for each thing that the shape
    // rests on. Memory of `bound`; NULL = no words. May be NULL.
    const char *(*state_words)(const void *bound);
};

_Static_assert(sizeof(struct leat_input_name) >= LEAT_INPUT_NAME_SIZE_1_0, "structs only grow");
_Static_assert(sizeof(struct leat_input) >= LEAT_INPUT_SIZE_1_0, "structs only grow");
_Static_assert(sizeof(struct leat_input_need) >= LEAT_INPUT_NEED_SIZE_1_0, "structs only grow");

// One stream that the option `option` names, the usual case: *names = leat_one_input(&name, "input", config->input).
// `name` is the caller's, valid until the next call of `inputs` on this thread (static _Thread_local).
static inline struct leat_input_names leat_one_input(struct leat_input_name *name, const char *option, const char *node)
{
    struct leat_input_name stream = {.name = leat_text(node), .kind = LEAT_INPUT_STREAM, .option = option};
    struct leat_input_names names = {.count = 1, .items = name, .stride = sizeof *name};
    *name = stream;
    return names;
}

// Name number `i`, which is below `names->count`; what its plugin does not know yet is zero.
static inline struct leat_input_name leat_input_names_get(const struct leat_input_names *names, uint32_t i)
{
    struct leat_input_name name = {.kind = 0};
    uint32_t stride = names->stride ? names->stride : LEAT_INPUT_NAME_SIZE_1_0;
    uint32_t size = stride < sizeof name ? stride : (uint32_t)sizeof name;
    __builtin_memcpy(&name, (const uint8_t *)names->items + (size_t)i * stride, size);
    return name;
}

// Input number `i`, which is below `request->input_count`.
static inline const struct leat_input *leat_operator_input(const struct leat_operator_request *request, uint32_t i)
{
    uint32_t stride = request->input_stride ? request->input_stride : LEAT_INPUT_SIZE_1_0;
    return (const struct leat_input *)(const void *)((const uint8_t *)request->inputs + (size_t)i * stride);
}

// What the operator needs of input `i`: all zero when it takes whatever comes.
static inline struct leat_input_need leat_operator_need(const struct leat_operator_plan *plan, uint32_t i)
{
    struct leat_input_need need = {.mode = 0};
    uint32_t stride = plan->need_stride ? plan->need_stride : LEAT_INPUT_NEED_SIZE_1_0;
    uint32_t size = stride < sizeof need ? stride : (uint32_t)sizeof need;
    if (plan->needs)
        __builtin_memcpy(&need, (const uint8_t *)plan->needs + (size_t)i * stride, size);
    return need;
}

#endif
