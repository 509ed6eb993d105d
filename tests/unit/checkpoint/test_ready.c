// SPDX-License-Identifier: Apache-2.0
// When a job is ready, and the words when it is not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "checkpoint/ready.h"

#include <cmocka.h>

#define NOW   (1000 * BASE_SECOND)
#define LIMIT (30 * BASE_SECOND)

struct row {
    const char *what;
    struct coordinator_view view;
    struct runtime_node_view node;
    const char *reason; // a part of it; NULL = ready
};

static const struct row rows[] = {
    {"runs", {.state = JOB_RUNNING}, {.node = "a", .kind = LEAT_SOURCE}, NULL},
    {"is done", {.state = JOB_FINISHED}, {.node = "a", .kind = LEAT_SOURCE}, NULL},
    {"opens",
     {.state = JOB_STARTING},
     {.node = "a", .kind = LEAT_SOURCE, .status = "connecting"},
     "job \"j\" is starting; a: connecting"},
    {"waits for the next start",
     {.state = JOB_WAITING, .has_error = true, .error = {.message = "lost it", .code = "LEAT-X0001"}},
     {.node = "a", .kind = LEAT_SOURCE},
     "job \"j\" is restarting: lost it [LEAT-X0001]"},
    {"is failing, and closes its nodes",
     {.state = JOB_RUNNING, .has_error = true, .error = {.message = "lost it", .code = "LEAT-X0001"}},
     {.node = "a", .kind = LEAT_SOURCE},
     "job \"j\" is failing: lost it [LEAT-X0001]"},
    {"has failed",
     {.state = JOB_FAILED, .has_error = true, .error = {.message = "no", .code = "LEAT-X0002"}},
     {.node = "a", .kind = LEAT_SOURCE},
     "job \"j\" is failed: no [LEAT-X0002]"},
    {"is behind for a short time",
     {.state = JOB_RUNNING},
     {.node = "a", .kind = LEAT_SOURCE, .behind_since = NOW - LIMIT},
     NULL},
    {"is behind and does not move",
     {.state = JOB_RUNNING},
     {.node = "a", .kind = LEAT_SOURCE, .behind_since = NOW - LIMIT - BASE_SECOND},
     "source \"a\" is behind and has not moved for 31 s"},
    {"is pressed for a short time",
     {.state = JOB_RUNNING},
     {.node = "b", .kind = LEAT_SINK, .refuses_since = NOW - LIMIT},
     NULL},
    {"is not taken",
     {.state = JOB_RUNNING, .epoch_since = NOW - LIMIT - BASE_SECOND},
     {.node = "b", .kind = LEAT_SINK, .refuses_since = NOW - 90 * BASE_SECOND, .status = "2 statements under way"},
     "sink \"b\" has not taken what it was given for 90 s: 2 statements under way"},
    {"has a checkpoint that does not end",
     {.state = JOB_RUNNING, .epoch_since = NOW - 2 * LIMIT},
     {.node = "b", .kind = LEAT_SINK},
     "a checkpoint of job \"j\" has been under way for 60 s"},
};

static void a_job_is_ready_when_it_gets_on(void **unused)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct base_str reason;
        base_str_init(&reason);
        bool ready = ready_job("j", &rows[i].view, &rows[i].node, 1, NOW, LIMIT, &reason);
        if (ready != (rows[i].reason == NULL) || (rows[i].reason && !strstr(reason.ptr, rows[i].reason)))
            fail_msg("a job that %s: \"%s\"", rows[i].what, reason.len ? reason.ptr : "ready");
        base_str_fini(&reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_job_is_ready_when_it_gets_on)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
