// SPDX-License-Identifier: Apache-2.0
// leat. Everything is in the rooms; the verbs are in cli/.
#include <signal.h>

#include "cli/verbs.h"

int main(int argc, char **argv)
{
    // a peer that goes away is an error of its connection, not the end of the process
    signal(SIGPIPE, SIG_IGN);
    return cli_main(argc, argv);
}
