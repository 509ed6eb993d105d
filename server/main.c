// SPDX-License-Identifier: Apache-2.0
// leat. Everything is in the rooms; the verbs are in cli/.
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>

#include "cli/verbs.h"

// What was large is given back at once, and threads share few arenas: otherwise what each of the client libraries'
// threads had at its worst moment stays resident for ever, and the pieces in between cannot be used by others.
static void bound_idle_memory(void)
{
    mallopt(M_ARENA_MAX, 4);
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

// The usual soft limit of 1024 is for programs that use select(). Here nothing does, and a few large transactions at once
// have more files than that. Where it is refused the old limit stays.
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    bound_idle_memory();
    raise_descriptors();
    // a peer that goes away is an error of its connection, not the end of the process
    signal(SIGPIPE, SIG_IGN);
    // and a file that may not grow an error of the write
    signal(SIGXFSZ, SIG_IGN);
    return cli_main(argc, argv);
}
