// SPDX-License-Identifier: Apache-2.0
// What the core offers to a plugin: one table of functions, reached through the context of every call.
//
// A context (struct leat_ctx) stands for one node instance on its home worker, or for one helper thread of it
// (leat_thread_ctx). It carries the host table and the last error; plugins have no globals and need no core symbol.
//
// Thread rules. Callbacks of a component run on the node's home worker, one at a time, and never block. Functions below
// are called in one of them, with the node's own context, unless they say "any thread". A helper thread of a plugin
// uses only those marked so, with its own thread context: not the node's, not that of another thread. Who breaks such a
// rule fails its job with LEAT-R0014 or its like, which names node, plugin, function and rule; what only debug builds
// of leat notice is listed in docs/guide/write-a-plugin.md.
//
// Times are microseconds, sizes bytes. A function that returns a leat_status and fails has described its error in the
// context, except where it is said that it has not.
//
// Static calls (check, describe, inputs, bind, a format's check) have a context with memory, errors, diagnostics, a
// silent log and the clocks: the members up to `log`, now and monotonic; describe, inputs and bind have format_open, too.
// The others are NULL there.
//
// Strings that a plugin hands over are copied during the call. Strings are NUL-terminated where they are `const char *`,
// and not where they are `struct leat_bytes`.
//
// The table grows at its end; ask LEAT_HOST_HAS(host, member) before using a member newer than your plugin's minimum.
#ifndef LEAT_HOST_H
#define LEAT_HOST_H

#include <stdarg.h>
#include <stddef.h>

#include <leat/batch.h>
#include <leat/error.h>
#include <leat/schema.h>
#include <leat/types.h>

// Borrowed during the call it comes with; the context that create is given stays the same until destroy.
struct leat_ctx {
    const struct leat_host *host;
    void *core; // the core's; not for plugins
};

// Log levels.
#define LEAT_LOG_ERROR 1 // an operator must act
#define LEAT_LOG_WARN  2 // degraded, and what we do about it
#define LEAT_LOG_INFO  3 // life cycle and settings
#define LEAT_LOG_DEBUG 4 // per batch

// What a watched descriptor is ready for.
#define LEAT_READ  1u
#define LEAT_WRITE 2u

// Metric types.
#define LEAT_METRIC_COUNTER 1
#define LEAT_METRIC_GAUGE   2

// A number that /metrics shows. The struct is fixed: it never grows.
struct leat_metric {
    const char *name; // "leat_source_lag_bytes"; counters end in _total, units are spelt out
    uint8_t type;     // LEAT_METRIC_*
    const char *help; // a sentence
};

// A callback of a timer, a watch or a posted call; `ready` is LEAT_READ, LEAT_WRITE or both for a watch, else 0. Runs on
// the home worker; a failure it returns fails the node.
typedef leat_status (*leat_event_fn)(struct leat_ctx *ctx, void *arg, uint32_t ready);

struct leat_event;     // a timer or watch; opaque
struct leat_format;    // format.h
struct leat_state_out; // state.h

struct leat_host {
    uint32_t struct_size;
    uint16_t abi_major, abi_minor;

    // --- memory: any thread. Not zeroed; NULL when there is none. free takes what alloc gave, and NULL.
    void *(*alloc)(struct leat_ctx *ctx, size_t size);
    void (*free)(struct leat_ctx *ctx, void *ptr);

    // --- errors and diagnostics (see error.h). Any thread, each with its own context. fail replaces what the context
    // held and returns `failure`; the others add to it. Longer texts are cut.
    leat_status (*fail)(struct leat_ctx *ctx, leat_status failure, const char *code, const char *fmt, va_list ap);
    void (*error_detail)(struct leat_ctx *ctx, const char *fmt, va_list ap);
    void (*error_hint)(struct leat_ctx *ctx, const char *fmt, va_list ap);
    void (*error_native)(struct leat_ctx *ctx, const char *code, const char *text); // SQLSTATE, Kafka error, errno
    // Copies the error of a helper thread's context into the node's and returns `failure`. The thread must be done with
    // it.
    leat_status (*error_move)(struct leat_ctx *ctx, struct leat_ctx *from, leat_status failure);
    // A fault found while the pipeline is checked. `option` is the option's name (NULL: the node as a whole), `offset`
    // a byte offset in that option's string value (0 if it has no meaning). Any number may be given in one call.
    void (*diag)(struct leat_ctx *ctx, uint8_t severity, const char *code, const char *option, uint32_t offset,
                 const char *hint, const char *fmt, va_list ap);

    // --- log and numbers: any thread.
    void (*log)(struct leat_ctx *ctx, uint8_t level, const char *event, const char *fmt, va_list ap);
    // Declares a metric of this node (copied); the returned number is the plugin's to change with relaxed atomics.
    // Never NULL; the same name gives the same number, in every instance of the node. Lives as long as the node.
    int64_t *(*metric)(struct leat_ctx *ctx, const struct leat_metric *metric);
    // One sentence for health: what the node is doing ("reading snapshot of business.orders, 45 %"). Copied.
    void (*status)(struct leat_ctx *ctx, const char *fmt, va_list ap);

    // --- time: any thread. Wall clock (types.h) and monotonic clock, both in microseconds.
    leat_usec (*now)(struct leat_ctx *ctx);
    int64_t (*monotonic)(struct leat_ctx *ctx);

    // --- events of the home worker's loop. Only the node that made one uses it. The callback may close its own event.
    // Closing is at once: no call follows, and the pointer is not used again. What is open after destroy is closed
    // then. watch and timer return NULL, without describing it, when there is no memory or epoll refuses the
    // descriptor; `fd` stays the plugin's, and is closed after its watch. `usec` counts from now; 0 = in the loop's
    // next turn.
    struct leat_event *(*watch)(struct leat_ctx *ctx, int32_t fd, uint32_t ready, leat_event_fn fn, void *arg);
    leat_status (*watch_for)(struct leat_event *watch, uint32_t ready); // change what to wait for; 0 = nothing
    struct leat_event *(*timer)(struct leat_ctx *ctx, int64_t usec, leat_event_fn fn, void *arg); // fires once
    leat_status (*timer_again)(struct leat_event *timer, int64_t usec);                           // arm again
    void (*event_close)(struct leat_event *event);                                                // NULL is fine
    // Any thread: whatever answered LEAT_AGAIN (discover, open, poll, write, flush, process, close) is called again
    // soon. Cheap when pending.
    void (*wake)(struct leat_ctx *ctx);
    // Any thread: runs fn(the node's context, arg, 0) on the home worker. Calls of one thread keep their order. After
    // destroy they are dropped, and `arg` with them. Fails with LEAT_RESOURCE; then fn is not called.
    leat_status (*post)(struct leat_ctx *ctx, leat_event_fn fn, void *arg);
    // A context for a helper thread of this node: made on the home worker before the thread begins (NULL when there is
    // no memory), destroyed there after it has ended, at the latest in destroy.
    struct leat_ctx *(*thread_ctx_create)(struct leat_ctx *ctx);
    void (*thread_ctx_destroy)(struct leat_ctx *thread_ctx);

    // --- batches. create: any thread with its own context; capacity 1 … LEAT_BATCH_ROWS_MAX; `bare` = no column memory
    // yet; `schema` is borrowed and lives as long as the batch, as that of a port does. Returns NULL when there is no
    // memory. keep: `b` keeps `other` alive (a reference is taken). attach: `release` is called once, on any thread,
    // when the batch dies; not when attach failed. Both fail with LEAT_RESOURCE, without describing it. grow: used by
    // leat_batch_alloc. All three: on the thread that builds the batch, before it is emitted. ref and unref: any
    // thread; as many unrefs as there were refs, and one for create unless the batch was emitted.
    struct leat_batch *(*batch_create)(struct leat_ctx *ctx, const struct leat_schema *schema, uint32_t capacity,
                                       uint8_t bare);
    leat_status (*batch_keep)(struct leat_batch *b, const struct leat_batch *other);
    leat_status (*batch_attach)(struct leat_batch *b, void (*release)(void *arg), void *arg);
    void *(*batch_grow)(struct leat_batch *b, size_t size, size_t align);
    void (*batch_ref)(const struct leat_batch *b);
    void (*batch_unref)(const struct leat_batch *b);

    // --- output. Takes the batch (also when it fails) and passes it on from `port`. An empty batch tells only,
    // without LEAT_BATCH_TXN_OPEN, that the transaction which the port's last batch left open is over.
    // `port` is the number of the port in ports of describe, discover or bind, the batch's schema that port's.
    // LEAT_OK; LEAT_AGAIN = accepted, but the way is now full: return LEAT_AGAIN soon, you are called again when there
    // is room. Only in poll, process, process_answer and input_end; who hears of rows in the callback of an event wakes
    // its poll.
    leat_status (*emit)(struct leat_ctx *ctx, uint32_t port, struct leat_batch *b);

    // --- state (state.h): appends bytes (copied) to the state being saved. Only in save_state. Fails with
    // LEAT_RESOURCE.
    leat_status (*state_write)(struct leat_ctx *ctx, struct leat_state_out *out, const void *ptr, size_t len);

    // --- formats (format.h): opens the format named by the FORMAT option `option` of this node. `schema` and `columns`
    // live as long as the format, which is the caller's to close before destroy returns. Fails as the format's check
    // and create do, and then leaves *format alone.
    leat_status (*format_open)(struct leat_ctx *ctx, const char *option, uint8_t direction,
                               const struct leat_schema *schema, const uint32_t *columns, uint32_t column_count,
                               struct leat_format **format);

    // --- sources only.
    // The initial snapshot is over; all its rows have been emitted.
    void (*snapshot_done)(struct leat_ctx *ctx);
    // Everything that was there when the node was asked to catch up has been emitted (see leat_open.catch_up).
    void (*caught_up)(struct leat_ctx *ctx);
    // Is the node that writes `resource` (a name given in bind, as in "kafka://host:9092/topic") in this server
    // finished with its initial snapshot, and are those rows durable? 1 also when no node of this server writes it.
    uint8_t (*resource_settled)(struct leat_ctx *ctx, const char *resource);
    // Where the source stands and where its end is, in its own growing numbers: health says "not ready" when `end` is
    // beyond `current` and `current` does not move. `behind` in bytes, or -1 when nobody knows.
    void (*progress)(struct leat_ctx *ctx, uint64_t current, uint64_t end, int64_t behind);

    // --- lookups only (lookup.h): takes `rows` (NULL = none), borrows `key_of_row` during the call. One answer a
    // ticket.
    void (*lookup_answer)(struct leat_ctx *ctx, uint64_t ticket, struct leat_batch *rows, const uint32_t *key_of_row);

    // --- operators only: asks lookup input `input`, from process or process_answer. The answer comes later as
    // process_answer(ticket), in the order in which the lookup answers; tickets of one input that are under way differ.
    // The core keeps a reference of the keys, which are not changed any more. Fails with what the lookup's ask fails
    // with.
    leat_status (*lookup_ask)(struct leat_ctx *ctx, uint32_t input, const struct leat_batch *keys, uint64_t ticket);

    // A row that cannot be taken: say by leat_fail with LEAT_DATA what is wrong with it, then call this. The core
    // applies the node's on-error policy to the error in `ctx`. LEAT_OK: skip the row and go on (it was counted, or
    // went to the dead letter sink); otherwise return what this returned. `raw` are the record's bytes (may be empty),
    // `where` says where it stood ("topic orders, partition 0, offset 17").
    leat_status (*bad_row)(struct leat_ctx *ctx, struct leat_bytes raw, const char *where);

    // --- since 1.1
    // The error that fail has described lies at byte `offset` of the value of the string option `option` (a query): log,
    // health and the command line tell its line and column in the file. After error_detail. Any thread.
    void (*error_place)(struct leat_ctx *ctx, const char *option, uint32_t offset);
};

// Does this host offer it?
#define LEAT_HOST_HAS(host, member)                                                                                    \
    ((host)->struct_size >= offsetof(struct leat_host, member) + sizeof((host)->member) && (host)->member)

// --- convenience over the table

#define LEAT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args), unused))

// Describes an error and returns its class, so that `return leat_fail(...)` is the usual form.
LEAT_PRINTF(4, 5)
static inline leat_status leat_fail(struct leat_ctx *ctx, leat_status failure, const char *code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    leat_status st = ctx->host->fail(ctx, failure, code, fmt, ap);
    va_end(ap);
    return st;
}

// The usual answer to an allocation that failed.
static inline leat_status leat_no_memory(struct leat_ctx *ctx)
{
    return leat_fail(ctx, LEAT_RESOURCE, "LEAT-R0001", "out of memory");
}

// A sentence with more of what happened, and a sentence that says what to do.
LEAT_PRINTF(2, 3)
static inline void leat_error_detail(struct leat_ctx *ctx, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ctx->host->error_detail(ctx, fmt, ap);
    va_end(ap);
}

LEAT_PRINTF(2, 3)
static inline void leat_error_hint(struct leat_ctx *ctx, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ctx->host->error_hint(ctx, fmt, ap);
    va_end(ap);
}

// Where the error lies within an option's text: see `error_place` of the table. A core before 1.1 tells no place.
__attribute__((unused)) static inline void leat_error_place(struct leat_ctx *ctx, const char *option, uint32_t offset)
{
    if (LEAT_HOST_HAS(ctx->host, error_place))
        ctx->host->error_place(ctx, option, offset);
}

// A fault or a warning of a static call: see `diag` of the table.
LEAT_PRINTF(7, 8)
static inline void leat_diag(struct leat_ctx *ctx, uint8_t severity, const char *code, const char *option,
                             uint32_t offset, const char *hint, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ctx->host->diag(ctx, severity, code, option, offset, hint, fmt, ap);
    va_end(ap);
}

// leat_log(ctx, LEAT_LOG_INFO, "slot-created", "created replication slot \"%s\"", name): event word, then the message.
LEAT_PRINTF(4, 5)
static inline void leat_log(struct leat_ctx *ctx, uint8_t level, const char *event, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ctx->host->log(ctx, level, event, fmt, ap);
    va_end(ap);
}

// One sentence for health: see `status` of the table.
LEAT_PRINTF(2, 3)
static inline void leat_say_status(struct leat_ctx *ctx, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ctx->host->status(ctx, fmt, ap);
    va_end(ap);
}

// A batch of the caller's, with memory for its columns; NULL when there is none. `capacity`: leat_batch_rows_for the
// schema is usual.
static inline struct leat_batch *leat_batch_new(struct leat_ctx *ctx, const struct leat_schema *schema,
                                                uint32_t capacity)
{
    return ctx->host->batch_create(ctx, schema, capacity, 0);
}

// A batch of the caller's for rows of `from` that move as they are (leat_batch_copy_row): of the same columns, with
// room for all of them, and `from` lives as long as it. NULL when there is no memory.
static inline struct leat_batch *leat_batch_like(struct leat_ctx *ctx, const struct leat_batch *from)
{
    struct leat_batch *b = leat_batch_new(ctx, from->schema, from->rows ? from->rows : 1);
    if (!b)
        return 0;
    if (ctx->host->batch_keep(b, from) < 0) {
        ctx->host->batch_unref(b);
        return 0;
    }
    b->arrived = from->arrived; // latency is measured from there
    return b;
}

// Gives a reference back; the last one frees. NULL is fine.
static inline void leat_batch_unref(const struct leat_batch *b)
{
    if (b)
        b->host->batch_unref(b);
}

// Memory that lives as long as the batch, aligned to `align` (a power of two, at most 16); NULL when there is none.
static inline void *leat_batch_alloc(struct leat_batch *b, size_t size, size_t align)
{
    uintptr_t at = ((uintptr_t)b->arena_next + (align - 1)) & ~(uintptr_t)(align - 1);
    if (b->arena_next && at <= (uintptr_t)b->arena_end && size <= (uintptr_t)b->arena_end - at) {
        b->arena_next = (uint8_t *)(at + size);
        return (void *)at;
    }
    return b->host->batch_grow(b, size, align);
}

// Copies bytes into the arena. 0 = no memory.
static inline int leat_batch_set_bytes(struct leat_batch *b, uint32_t col, uint32_t row, const void *ptr, uint32_t len)
{
    uint8_t *copy = (uint8_t *)leat_batch_alloc(b, len ? len : 1, 1);
    if (!copy)
        return 0;
    if (len)
        __builtin_memcpy(copy, ptr, len);
    leat_batch_set_slice(b, col, row, copy, len);
    return 1;
}

// Memory for a column of a bare batch. 0 = no memory.
static inline int leat_batch_own_column(struct leat_batch *b, uint32_t col)
{
    union leat_cell *cells = (union leat_cell *)leat_batch_alloc(b, (size_t)b->capacity * sizeof *cells, 16);
    uint8_t *states = (uint8_t *)leat_batch_alloc(b, b->capacity, 1);
    if (!cells || !states)
        return 0;
    b->columns[col].cells = cells;
    b->columns[col].states = states;
    return 1;
}

// Column `col` of a bare batch becomes column `from_col` of `from`, without copying; call batch_keep(b, from) once.
static inline void leat_batch_borrow(struct leat_batch *b, uint32_t col, const struct leat_batch *from,
                                     uint32_t from_col)
{
    b->columns[col] = from->columns[from_col];
}

#endif
