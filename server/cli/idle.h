// SPDX-License-Identifier: Apache-2.0
// Memory for work, and for rest.
//
// The client libraries ask for a buffer for each batch (librdkafka: 1 MB for each request it writes) and free it again.
// Each that the allocator maps by itself costs a page fault and a cleared page for every 4 KiB, a quarter of leat's CPU
// in a full stream; so buffers of that size come from the arenas, which keep what is freed. What they keep is given back
// once when the work is over.
// Thread: the loop of the watch.
#ifndef CLI_IDLE_H
#define CLI_IDLE_H

#include <stdbool.h>

#include "base/time.h"
#include "loop/loop.h"

struct idle {
    struct loop_timer timer;
    leat_usec used; // CPU of the process when it was looked at last
    bool busy;      // there was work since memory was given back
};

// First of all: how the allocator shares out and keeps memory.
void idle_bound_memory(void);

// Gives memory back when the work is over. False when memory is short.
bool idle_watch(struct idle *idle, struct loop *loop) LEAT_MUST_CHECK;
void idle_end(struct idle *idle); // also of a zeroed one

#endif
