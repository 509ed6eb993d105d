// SPDX-License-Identifier: Apache-2.0
// The loop's inside, for the files of this room.
#ifndef LOOP_LOOP_INT_H
#define LOOP_LOOP_INT_H

#include "loop/loop.h"

// Many writers, one reader. Writers push onto a stack with one compare-and-swap; the reader takes all of it and turns
// it round. Whoever pushes onto an empty stack writes the eventfd, unless it is the reader: one write, however much mail,
// until drained. The reader reads the eventfd when it is told that there is something in it, and takes the mail behind
// that: of whoever comes in between the mail is taken now, and the eventfd read in the next turn.
struct mailbox {
    struct loop_mail *head; // atomic
    int fd;                 // eventfd, non-blocking
    uint64_t wakes;         // atomic
};

struct loop {
    struct event_base *base;
    struct event *mail_event;  // the eventfd is readable
    struct event *timer_event; // the kernel's timer has gone off
    int timer_fd;              // a timerfd of the monotonic clock
    leat_usec armed;           // when it goes off or went off; 0 = never
    struct mailbox mailbox;
    struct loop_timer **heap; // from 1
    size_t timers, heap_cap;  // armed; room (at least the inited ones)
    size_t timers_inited;
    struct base_list dead, dying; // to be freed in the next turn; in this one
    struct loop_clock *clock;
    leat_usec budget;
    char name[16];
    bool stop; // atomic
    // read by any thread, relaxed
    struct loop_stats stats;
    leat_usec since; // beginning of the present callback, 0 = none
};

bool mailbox_init(struct mailbox *box);
void mailbox_fini(struct mailbox *box);
// True: there was none, so the reader may sleep and is to be woken.
bool mailbox_push(struct mailbox *box, struct loop_mail *mail) LEAT_MUST_CHECK;
void mailbox_wake(struct mailbox *box);
// Reads the eventfd, before the mail is taken.
void mailbox_hush(struct mailbox *box);
// All mail, oldest first, linked by next.
struct loop_mail *mailbox_take(struct mailbox *box);

// Time of the earliest timer, INT64_MAX if none is armed.
leat_usec timers_next(const struct loop *loop);
// Fires what was due when the call began.
void timers_fire(struct loop *loop);

// Brackets around every callback.
void loop_enter(struct loop *loop);
void loop_leave(struct loop *loop);

#endif
