// SPDX-License-Identifier: Apache-2.0
// See ready.h.
#include "checkpoint/ready.h"

#include "base/str.h"
#include "base/time.h"

static bool too_long(leat_usec since, leat_usec now, leat_usec limit)
{
    return since && now - since > limit;
}

static bool not_running(const char *name, const struct coordinator_view *view, const struct runtime_node_view *nodes,
                        uint32_t count, struct base_str *reason)
{
    base_str_addf(reason, "job \"%s\" is %s", name,
                  view->state == JOB_RUNNING ? "failing" : job_state_name(view->state));
    if (view->has_error)
        base_str_addf(reason, ": %s [%s]", view->error.message, view->error.code);
    for (uint32_t i = 0; !view->has_error && i < count; i++)
        if (nodes[i].status[0])
            base_str_addf(reason, "; %s: %s", nodes[i].node, nodes[i].status);
    return false;
}

static bool node_moves(const struct runtime_node_view *node, leat_usec now, leat_usec limit, struct base_str *reason)
{
    leat_usec since = node->kind == LEAT_SINK ? node->refuses_since : node->behind_since;
    if (!too_long(since, now, limit))
        return true;
    long long seconds = (now - since) / BASE_SECOND;
    if (node->kind == LEAT_SINK)
        base_str_addf(reason, "sink \"%s\" has not taken what it was given for %lld s", node->node, seconds);
    else
        base_str_addf(reason, "source \"%s\" is behind and has not moved for %lld s", node->node, seconds);
    if (node->status[0])
        base_str_addf(reason, ": %s", node->status);
    return false;
}

bool ready_job(const char *name, const struct coordinator_view *view, const struct runtime_node_view *nodes,
               uint32_t count, leat_usec now, leat_usec limit, struct base_str *reason)
{
    if (view->state == JOB_FINISHED)
        return true;
    // a run with an error is over, though its nodes are still being closed
    if (view->state != JOB_RUNNING || view->has_error)
        return not_running(name, view, nodes, count, reason);
    // whoever does not take rows is the cause; a source or checkpoint that stands still behind it is not
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < count; i++)
            if ((nodes[i].kind == LEAT_SINK) == (pass == 0) && !node_moves(&nodes[i], now, limit, reason))
                return false;
    if (!too_long(view->epoch_since, now, limit))
        return true;
    base_str_addf(reason, "a checkpoint of job \"%s\" has been under way for %lld s", name,
                  (long long)(now - view->epoch_since) / BASE_SECOND);
    return false;
}
