// SPDX-License-Identifier: Apache-2.0
// An event loop of one thread: timers, watches, mail from other threads.
//
// Objects (timers, watches, mail) are embedded in their owner, who inits and finis them; the loop links them but
// owns none. A callback may fini its own object, but memory that the loop may still look at during this turn is given
// to loop_free_later. Callbacks must not block: each is timed, see loop_stats and loop_stall.
// Thread: the loop's own, unless a function says "any".
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "leat/host.h"

struct event;
struct loop;

typedef void (*loop_fn)(void *arg);

// A clock that a test moves by hand. `now` is read and written with atomics; after a move, turn the loops.
struct loop_clock {
    leat_usec now;
};

struct loop_options {
    const char *name;         // for the thread and for messages; copied
    leat_usec budget;         // a callback that takes longer is counted; 0 = 10 ms
    struct loop_clock *clock; // NULL = the system's monotonic clock; borrowed
};

struct loop *loop_create(const struct loop_options *options, struct base_error *err);
// All objects must be closed before. Mail that is still queued is dropped without a call.
void loop_destroy(struct loop *loop);

// Turns until loop_stop. The calling thread becomes the loop's own.
void loop_run(struct loop *loop);
// One turn. With `wait` it sleeps until something happens; without, it does what is ready. For tests and for draining.
void loop_turn(struct loop *loop, bool wait);
// Any thread: loop_run returns at the end of the turn. Stays in force; a stopped loop does not run again.
void loop_stop(struct loop *loop);

// The monotonic time of the loop's clock, read now.
leat_usec loop_now(const struct loop *loop);
const char *loop_name(const struct loop *loop);

// --- timers: fire once, in the order of their time

struct loop_timer {
    struct loop *loop; // NULL = not inited
    loop_fn fn;
    void *arg;
    leat_usec due;
    size_t place; // in the heap, from 1; 0 = not armed
};

// False when memory is short. Room for the timer is reserved here, so that arming cannot fail.
bool loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_fn fn, void *arg) LEAT_MUST_CHECK;
// Arms it to fire `usec` from now (at once when negative), again if it was armed.
void loop_timer_set(struct loop_timer *timer, leat_usec usec);
void loop_timer_cancel(struct loop_timer *timer);
void loop_timer_fini(struct loop_timer *timer);

// --- watches: a descriptor's readiness, reported again each turn while it lasts

typedef void (*loop_watch_fn)(void *arg, uint32_t ready); // LEAT_READ | LEAT_WRITE

struct loop_watch {
    struct loop *loop; // NULL = not inited
    struct event *event;
    loop_watch_fn fn;
    void *arg;
    int fd;         // borrowed: close it after fini
    uint32_t ready; // what is waited for
};

bool loop_watch_init(struct loop_watch *watch, struct loop *loop, int fd, loop_watch_fn fn, void *arg) LEAT_MUST_CHECK;
// What to wait for: LEAT_READ, LEAT_WRITE, both, or 0. False when the kernel refuses.
bool loop_watch_for(struct loop_watch *watch, uint32_t ready) LEAT_MUST_CHECK;
void loop_watch_fini(struct loop_watch *watch);

// --- what is freed later

// Calls release(ptr) when the turn after this one begins.
bool loop_free_later(struct loop *loop, void *ptr, void (*release)(void *ptr)) LEAT_MUST_CHECK;

// --- mail: a call in the loop's thread, asked for by any thread

struct loop_mail {
    struct loop_mail *next;             // the mailbox's while it is under way
    void (*fn)(struct loop_mail *mail); // may free the mail, or post it again
};

// Any thread. The loop borrows the mail until fn is called; it may not be under way already. Mail of one thread keeps
// its order. After loop_stop mail may never be delivered.
void loop_post(struct loop *loop, struct loop_mail *mail);

// --- figures

struct loop_stats {
    uint64_t turns;
    uint64_t wakes;    // writes to the eventfd: by other threads
    uint64_t overruns; // callbacks beyond the budget
    leat_usec busy;    // time in callbacks
    leat_usec longest; // the longest callback so far
};

// Any thread.
void loop_stats(const struct loop *loop, struct loop_stats *out);

// Any thread: for how long the loop has been in its present callback, 0 when it waits.
leat_usec loop_stall(const struct loop *loop);

// Moves a test's clock. Any thread; turn the loops afterwards.
static inline void loop_clock_advance(struct loop_clock *clock, leat_usec usec)
{
    __atomic_fetch_add(&clock->now, usec, __ATOMIC_RELAXED);
}

#endif
