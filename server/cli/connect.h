// SPDX-License-Identifier: Apache-2.0
// Asks the servers of one job what they have, and completes its plan with it. For `leat plan --connect`: sources and
// lookups are made and asked for their columns, nothing is opened, and everything is closed again. Thread: main.
#ifndef CLI_CONNECT_H
#define CLI_CONNECT_H

#include "base/error.h"
#include "graph/planner.h"

struct base_secrets;

// LEAT_OK: the plan is complete. Faults that the servers' answers bring go to the graph's reporter too.
leat_status plan_connect(struct graph *graph, struct plan_job *plan, struct base_secrets *secrets, leat_usec patience,
                         struct base_error *error);

#endif
