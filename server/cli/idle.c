// SPDX-License-Identifier: Apache-2.0
// See idle.h.
#include "cli/idle.h"

#include <malloc.h>
#include <sys/resource.h>

#define LOOK     (5 * BASE_SECOND)
#define WORK     (LOOK / 5)  // of CPU between two looks
#define REST     (LOOK / 20) // less is rest
#define MAP_FROM (2 << 20)   // above what librdkafka's requests take by default
#define KEEP     (4 << 20)   // at the end of an arena

// Threads share few arenas: otherwise what each of the client libraries' threads had at its worst moment stays for each,
// and the pieces in between cannot be used by others.
void idle_bound_memory(void)
{
    mallopt(M_ARENA_MAX, 4);
    mallopt(M_MMAP_THRESHOLD, MAP_FROM);
    mallopt(M_TRIM_THRESHOLD, KEEP);
}

static leat_usec cpu_used(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * BASE_SECOND + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

// Between work and rest nothing is done: a steady trickle shall not wait for it time and again.
static void look(void *arg)
{
    struct idle *idle = arg;
    leat_usec now = cpu_used(), spent = now - idle->used;
    idle->used = now;
    if (spent > WORK)
        idle->busy = true;
    if (idle->busy && spent < REST) {
        malloc_trim(0);
        idle->busy = false;
    }
    loop_timer_set(&idle->timer, LOOK);
}

bool idle_watch(struct idle *idle, struct loop *loop)
{
    *idle = (struct idle){.busy = true}; // what the start took
    if (!loop_timer_init(&idle->timer, loop, look, idle))
        return false;
    loop_timer_set(&idle->timer, LOOK);
    return true;
}

void idle_end(struct idle *idle)
{
    if (idle->timer.loop)
        loop_timer_fini(&idle->timer);
}
