// SPDX-License-Identifier: Apache-2.0
// The health routes: /health, /health/live, /health/ready and /metrics over the views of the runtime.
//
// The room knows nothing of jobs: the runtime fills a table of views at start, and each view reads a snapshot that is
// safe to read from the server's thread. A view never blocks and never waits for a worker, since a stalled worker is
// exactly what it has to report.
//
// Thread: the server's.
#ifndef HTTP_HEALTH_H
#define HTTP_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "http/router.h"

#define HTTP_HEALTH_ROUTES 4

// What the runtime tells. Called on the server's thread at any time between start and stop.
struct http_views {
    void *self;

    // Whether every loop turns; else writes the reason, naming worker and node.
    bool (*live)(void *self, struct base_str *reason);

    // Whether every job runs, has opened its connectors and makes progress; else writes the reason.
    bool (*ready)(void *self, struct base_str *reason);

    // The key figures: an object, a new reference; NULL = no memory. Secrets are masked by the callee.
    json_t *(*health)(void *self);

    // Appends Prometheus text (format 0.0.4): whole lines, each family with HELP and TYPE.
    void (*metrics)(void *self, struct base_str *out);
};

// Fills the four routes; they borrow the views.
void http_health_routes(struct http_views *views, struct http_route routes[HTTP_HEALTH_ROUTES]);

#endif
