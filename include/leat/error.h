// SPDX-License-Identifier: Apache-2.0
// Results and errors.
//
// Every fallible ABI function returns a leat_status: LEAT_OK, LEAT_AGAIN, LEAT_END, or a failure, which is negative and
// is at the same time the error's class. A failing function has described the error in its context first:
//
//     if (fd < 0)
//         return leat_fail(ctx, LEAT_TRANSIENT, "LEAT-J0101", "could not connect to server \"%s\"", name);
//
// and may add to it: leat_error_detail, leat_error_hint, leat_error_place, host->error_native. On failure all other outputs are untouched.
// Messages are lower case without full stop; details and hints are sentences. Whoever fails does not log: the core
// logs, shows the error in health, and reacts by class. A code ("LEAT-J0101") is stable for ever; its cause and cure
// stand in the plugin's table of codes (plugin.h): "LEAT-", a letter, four digits. Letters that leat uses itself: B to H,
// J, K, N, P, R, S, T; a plugin from elsewhere takes X.
//
// The functions are in host.h. Thread: each with its own context.
#ifndef LEAT_ERROR_H
#define LEAT_ERROR_H

#include <leat/types.h>

// LEAT_OK, LEAT_AGAIN, LEAT_END or a failure.
typedef int32_t leat_status;

#define LEAT_OK    0
#define LEAT_AGAIN 1 // not now; the callee wakes the node when it makes sense to call again
#define LEAT_END   2 // nothing will ever follow (a bounded source is done)

// Failures. The class tells the core what to do.
#define LEAT_CONFIG    (-1) // the user's configuration is wrong: refuse to start, or stop the job without restarts
#define LEAT_TRANSIENT (-2) // an outside system failed: close and start the job again with back-off
#define LEAT_DATA      (-3) // a row is bad: the node's on-error policy decides
#define LEAT_RESOURCE  (-4) // memory, disk, descriptors: pause, report, try later
#define LEAT_FATAL     (-5) // this job cannot go on without an operator; the others run on
#define LEAT_BUG       (-6) // a broken invariant of ours

// Severities (uint8_t) of diagnostics given while a pipeline is checked.
#define LEAT_DIAG_ERROR   1
#define LEAT_DIAG_WARNING 2

// For declarations: the result must be looked at.
#define LEAT_MUST_CHECK __attribute__((warn_unused_result))

#endif
