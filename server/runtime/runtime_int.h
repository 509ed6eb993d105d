// SPDX-License-Identifier: Apache-2.0
// The runtime's own objects. For this room only.
//
// Who touches what: everything in an instance and a task belongs to its worker, but for the fields said to be atomic or
// the control loop's. Mails between a worker and the control loop are embedded, one for each purpose, so that telling
// never needs memory: an instance has at most one command and one reply under way.
#ifndef RUNTIME_RUNTIME_INT_H
#define RUNTIME_RUNTIME_INT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/crash.h"
#include "base/list.h"
#include "loop/loop.h"
#include "runtime/channel.h"
#include "runtime/runtime.h"

struct answer;
struct consolidate;
struct question;

struct worker {
    struct runtime *runtime;
    struct loop *loop;
    pthread_t thread;
    uint32_t id;
    struct base_crash_place place; // whom it is calling
    leat_usec told;                // control loop's: how long a stall was when it was last logged; 0 = there is none
};

// Whom a worker calls; kept by the runtime, since who watches may read it when the job is gone.
struct site {
    struct site *next;
    struct base_crash_site names;
};

struct runtime {
    struct runtime_options options;
    struct worker *workers;
    uint32_t worker_count;
    uint32_t next_worker; // where the next task goes
    struct base_arena *arena;
    struct site *sites;
    struct loop_timer watch; // over stalls
};

// A step of an instance's life, told by the control loop, done on the worker.
enum life_step {
    LIFE_NONE,
    LIFE_CREATE,   // create and load_state
    LIFE_DISCOVER, // sources
    LIFE_OPEN,
    LIFE_RUN,    // lets the task run
    LIFE_FORGET, // closes and destroys a lookup that was only asked for its columns
    LIFE_CLOSE,  // close and destroy
};

// What a context stands for: an instance on its worker, or a helper thread of it.
struct ctx_core {
    struct inst *inst;
    struct base_error error;
    leat_usec skips_since; // rows skipped since, see host.c
    uint32_t skips;
    _Atomic(pthread_t) thread; // a helper thread's context: who uses it; 0 = nobody yet
};

// One way out of an instance's port.
struct route {
    const struct plan_edge *edge;
    struct inst *direct;       // chained: the reader on the same worker
    struct channel **channels; // else one per reader instance; for PLAN_FORWARD only one is used
    uint32_t channel_count;
    uint32_t turn;  // PLAN_REBALANCE
    bool *txn_open; // per way: the last batch left its transaction open
};

// What an instance was given and has not taken yet. Marks queue behind rows.
struct pending {
    struct pending *next;
    enum element_kind kind;         // ELEMENT_BATCH, _END or _CAUGHT_UP
    const struct leat_batch *batch; // a reference
    uint32_t input;
    int32_t opens; // how many more ways have a transaction open from now on: -1, 0 or 1
};

// What host->state_write fills.
struct state_buffer {
    uint8_t *ptr;
    size_t len, cap;
};

struct inst_metrics {
    int64_t *rows_in, *rows_out, *bytes_out, *batches_out, *errors, *skipped, *behind;
    int64_t *idle, *busy, *blocked, *queue_batches, *queue_bytes; // set when somebody looks
};

struct inst {
    struct leat_ctx ctx; // first: plugins' context
    struct runtime_job *job;
    struct task *task;
    const struct plan_node *node;
    uint32_t instance;
    void *self;
    struct ctx_core core;
    struct base_logger logger;
    const struct base_crash_site *site;
    struct inst_metrics metrics;

    struct route *routes; // all routes of all ports; route_of[port] … route_of[port + 1]
    uint32_t *route_of;
    uint32_t route_count;

    struct pending *pending_head, **pending_tail; // not yet taken, oldest first
    uint32_t ways_in_txn;                         // ways in whose transaction is open: then what goes out is open too
    struct consolidate *consolidate;              // sinks whose edge consolidates
    bool emitting_allowed;
    bool told_full; // an emit of this instance said LEAT_AGAIN since it was last called
    bool dirty;     // sinks: written to since the last idle flush
    bool ended;     // sources: poll said LEAT_END
    bool caught_up; // sources: host->caught_up was called
    bool gave;      // sources: a sign of life since the last poll (rules_poll)
    bool empty_told;
    uint32_t empty_polls; // that said LEAT_OK without a sign, one behind the other
    leat_usec empty_since;
    bool end_sent, caught_up_sent;
    bool ending;           // sinks: every input is at its end, the last flush is under way
    uint32_t *ways_open;   // per input: ways (channels, or the direct one) that are not at their end
    uint32_t *ways_behind; // per input: ways that have not caught up

    // questions and answers (lookup.c)
    struct inst **lookups;  // operators: by input, who is asked; NULL = none, or an input that flows
    struct inst *asker;     // lookups: whose they are
    struct question *asked; // lookups: not answered yet, oldest first
    struct answer *answers; // operators: not taken yet, oldest first
    uint32_t asking;        // operators: questions whose answers were not taken

    // life
    enum life_step step; // under way; LIFE_NONE between steps
    bool ports_told;
    bool destroyed;
    struct base_list events; // timers and watches of the plugin
    struct leat_ports discovered;
    struct loop_mail command; // control -> worker: do command_step
    enum life_step command_step;
    struct loop_mail reply; // worker -> control: done, with reply_status
    leat_status reply_status;
    struct loop_mail close;  // control -> worker, at any time
    struct loop_mail closed; // worker -> control
    bool closed_told;        // control loop's: `closed` has arrived
    struct loop_mail sink_ended;

    // checkpoint
    struct loop_mail complete_mail;
    leat_epoch saved_epoch; // control loop's: the newest barrier that has passed
    _Atomic(leat_epoch) complete_epoch;
    atomic_bool complete_posted;

    // what health shows
    pthread_mutex_t view_lock;
    char status[256];
    atomic_uint_fast64_t view_current, view_end;
    _Atomic(int64_t) view_behind;
    _Atomic(int64_t) view_behind_since, view_refuses_since; // monotonic; 0 = not
    atomic_bool snapshot_done;

    atomic_bool wake_wanted;
};

struct task_input {
    struct channel channel;
    struct inst *to;
    uint32_t input; // of `to`
    bool wait_first;
    bool gated;       // held back until the dimensions are read
    bool wait_always; // a dimension that is read up to its end again and again, see dimension.c
    uint64_t reached; // the newest question that it has answered
    uint32_t covered; // elements that the question under way covers
    uint32_t allowed; // elements that may pass
    bool aligned;     // its barrier has arrived, wait for the others
    bool txn_open;
    bool caught_up;
    bool ended;
};

// What a task's time is spent on, see spend.c.
enum { SPEND_IDLE, SPEND_BUSY, SPEND_BLOCKED, SPEND_KINDS };

struct task {
    struct runtime_job *job;
    struct worker *worker;
    struct inst **insts; // in topological order; insts[0] is the source, if the task has one
    uint32_t inst_count;
    struct task_input **inputs;
    uint32_t input_count;
    uint32_t turn;

    bool running; // between opened and stop
    struct loop_mail run_mail;
    atomic_bool run_posted;

    // barrier under way in this task
    bool in_barrier;
    leat_epoch epoch;
    uint32_t barrier_at;                // next instance to do
    _Atomic(leat_epoch) barrier_wanted; // source tasks: set by control

    // waiting for dimensions, see dimension.c
    bool asks, asking;
    uint64_t ask; // number of the newest question
    int64_t waiting_since;
    bool wait_said;
    struct leat_event *wait_timer;
    // a source's task that is asked
    _Atomic(uint64_t) end_wanted;
    uint64_t end_sought;
    bool seeking_end;
    bool holds_barrier;               // somebody asks it: it gets barriers last
    atomic_uint barrier_hold;         // readers through which the barrier has to come first
    _Atomic(leat_epoch) barrier_next; // what is wanted then

    // shares of time, see spend.c
    _Atomic(uint32_t) account; // odd = being written
    _Atomic(int64_t) mark;     // monotonic, when the present kind of time began
    _Atomic(uint8_t) kind;     // of the present time: SPEND_*
    _Atomic(int64_t) spent[SPEND_KINDS];
};

struct last_mail {
    struct runtime_job *job;
    struct worker *worker;
    struct loop_mail there, back;
};

struct runtime_job {
    struct runtime *runtime;
    struct runtime_job_options options;
    struct runtime_events events;
    struct plan_job *plan;
    struct base_arena *arena;
    struct task **tasks;
    uint32_t task_count;
    struct inst **insts;
    uint32_t inst_count;
    struct inst ***by_node; // by_node[node id][instance]
    // of plan, insts and by_node while they are completed, against views, which may hold the coordinator's lock: who has
    // this one takes none of the coordinator's
    pthread_mutex_t shape;

    // control loop's
    enum life_step phase;
    uint32_t waiting; // replies outstanding in this phase
    bool discovering; // only sources exist so far
    bool to_read;     // all but the sources is open
    bool open, stopping, stopped;
    uint32_t to_close;     // instances that are not closed yet
    uint32_t to_come_back; // workers that may still hold mail of this job
    struct last_mail *last_mails;
    leat_epoch epoch; // barrier under way; 0 = none
    uint32_t to_save; // instances that have not saved yet
    uint32_t to_end;  // sinks that are not at their end
    bool (*want_full)(void *arg, const struct plan_node *node, uint32_t instance);

    atomic_uint gated;       // tasks with inputs that are held back
    _Atomic(uint64_t) asked; // questions so far, see dimension.c

    _Atomic(leat_epoch) last_epoch; // sources give nothing behind its barrier; 0 = there is no last one yet

    // mail from workers: the first failure
    atomic_bool failure_posted;
    struct base_error failure;
    struct loop_mail failure_mail;
};

// --- worker.c
// Brackets around every call of a plugin; they nest (poll emits into process).
struct call_was {
    const struct base_crash_site *site;
    const char *call;
};
struct call_was worker_enter(struct inst *inst, const char *call);
void worker_leave(struct inst *inst, struct call_was was);
// Control loop. NULL without memory.
const struct base_crash_site *runtime_site(struct runtime *rt, const char *pipeline, const struct plan_node *node);

// --- emit.c (worker). emit takes the batch.
leat_status inst_emit(struct inst *inst, uint32_t port, struct leat_batch *batch);
leat_status inst_send_end_reached(struct inst *inst, uint64_t number); // to those who ask
leat_status inst_send_mark(struct inst *inst, enum element_kind kind, leat_epoch epoch);
bool inst_outputs_full(struct inst *inst);
// Is a source transaction open on any of its ways?
bool inst_txn_open(const struct inst *inst);
// Tells every reader that a transaction is over where the last batch left it open.
leat_status inst_end_txn(struct inst *inst);

// --- rules.c
#define RULES_AGAIN 1u
#define RULES_END   2u
// `st` as it is, or a bug if the callback may not answer so.
leat_status rules_status(struct inst *inst, const char *call, leat_status st, unsigned may);
// A source that asks to be called again at once, and gives nothing, for seconds, is named in the log, once.
void rules_poll(struct inst *inst, leat_status st);
// Was this what save_state was asked for, with `len` bytes of it?
leat_status rules_saved(struct inst *inst, uint8_t asked, uint8_t kind, size_t len);
// May the instance emit this batch, here and now? Any thread: being the wrong one is told as a failure of the job.
leat_status rules_emit(struct inst *inst, uint32_t port, const struct leat_batch *b);
// May the lookup answer on this thread (any thread), and the question of these keys (NULL = none that is open) with
// these rows (worker)? If not, the job has failed.
leat_status rules_answer_here(struct inst *inst, struct leat_batch *rows); // drops them if not
leat_status rules_answer_taken(struct inst *inst); // fails: it was answered, and ask says that it was not taken
leat_status rules_answer(struct inst *inst, const struct leat_batch *keys, const struct leat_batch *rows,
                         const uint32_t *key_of_row);

// What a function of the host table asks of its caller, beyond a context of the calling thread's own.
#define RULES_HOME     1u // a callback of the node: its worker, its own context
#define RULES_SOURCE   2u
#define RULES_OPERATOR 4u
// May it be called with this context, here and now? If not, the job has failed with a bug that names the function.
bool rules_call(struct leat_ctx *ctx, const char *function, unsigned asks);
// The same for what any thread may call: looked at in debug builds.
#ifdef NDEBUG
#define rules_call_any(ctx, function) true
#else
#define rules_call_any(ctx, function) rules_call(ctx, function, 0)
#endif
// Is the node of this instance in a callback of that name?
bool rules_is_in(const struct inst *inst, const char *call);
// Fails the job: `function` was called "…rule…". Any thread.
leat_status rules_broken(struct inst *inst, const char *function, const char *rule);

// --- lookup.c (worker, but for the first two)
// An instance of every lookup for each instance of the operator, in its task.
bool lookups_build(struct runtime_job *job, const struct plan_node *op);
bool lookups_build_to_discover(struct runtime_job *job);
leat_status lookup_ask(struct inst *asker, uint32_t input, const struct leat_batch *keys, uint64_t ticket);
void lookup_answer(struct inst *lookup, uint64_t ticket, struct leat_batch *rows, const uint32_t *key_of_row);
// Gives the operator what was answered, and asks again what a lookup had no room for. LEAT_AGAIN: the way is full.
leat_status lookup_step(struct inst *inst);
void lookup_drop(struct inst *inst);

// --- life.c (worker)
void inst_command_mail(struct loop_mail *mail);
void inst_close_mail(struct loop_mail *mail);
void inst_step(struct inst *inst);
void inst_complete_mail(struct loop_mail *mail);

// --- host.c
extern const struct leat_host runtime_host;
void host_close_events(struct inst *inst);
// Timers of the core's own on the loop of an instance; closed with the plugin's.
struct leat_event *inst_timer(struct inst *inst, int64_t usec, leat_event_fn fn, void *arg);
leat_status inst_timer_again(struct leat_event *timer, int64_t usec);
static inline struct inst *inst_of(struct leat_ctx *ctx)
{
    return ((struct ctx_core *)ctx->core)->inst;
}

// --- job_build.c (control loop). False or NULL: no memory.
bool job_build_to_discover(struct runtime_job *job); // what is asked for its columns before the plan is complete
bool job_build(struct runtime_job *job);             // everything that is not built yet
struct inst *job_add_inst(struct runtime_job *job, const struct plan_node *node, uint32_t instance, struct task *t);
struct task *job_add_task(struct runtime_job *job);

// --- job.c (control loop): mail from workers
void job_reply_mail(struct loop_mail *mail);
void job_closed_mail(struct loop_mail *mail);
void job_sink_ended_mail(struct loop_mail *mail);

// --- job.c, job_epoch.c (called on workers)
void job_reply(struct inst *inst, leat_status status);
void job_closed(struct inst *inst);
// A failure of an instance: told to the control loop once per job. `inst->core.error` holds it.
void job_fail(struct inst *inst);
void job_fail_by(struct runtime_job *job, const struct base_error *error); // any thread
void job_saved(struct inst *inst, leat_epoch epoch, const struct leat_state_out *out, uint8_t *bytes, size_t len);
void job_sink_ended(struct inst *inst);

#endif
