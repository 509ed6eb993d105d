// SPDX-License-Identifier: Apache-2.0
// Connections of this plugin: options and URL to libpq's parameters, and the results of what was sent.
// Thread: home worker.
#ifndef JDBC_SESSION_H
#define JDBC_SESSION_H

#include "options.h"
#include "pq.h"
#include "url.h"

// Begins to connect. `zone` is the session's TimeZone: it rules the casts between TIMESTAMP and timestamptz.
LEAT_MUST_CHECK leat_status jdbc_connect(struct leat_ctx *ctx, const struct jdbc_config *config,
                                         const struct jdbc_url *url, const char *zone, pq_notify_fn notify, void *arg,
                                         struct pq_conn **out);

// Once connected: notices of the server's triggers and functions are not printed.
void jdbc_connected(struct pq_conn *conn);

// "host:port/database", for messages.
void jdbc_where(const struct jdbc_url *url, char *out, size_t size);

// Rules across options, for sink and lookup.
leat_status jdbc_check(struct leat_ctx *ctx, const void *config);

#endif
