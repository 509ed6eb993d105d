// SPDX-License-Identifier: Apache-2.0
// leat. Everything is in the rooms; the verbs are in cli/.
#include <signal.h>
#include <sys/resource.h>

#include "cli/verbs.h"

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
    raise_descriptors();
    // a peer that goes away is an error of its connection, not the end of the process
    signal(SIGPIPE, SIG_IGN);
    // and a file that may not grow an error of the write
    signal(SIGXFSZ, SIG_IGN);
    return cli_main(argc, argv);
}
