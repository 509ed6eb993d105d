// SPDX-License-Identifier: Apache-2.0
// The inside of a connection and of the resolver, for the files of this folder only.
#ifndef PLUGINS_COMMON_PQ_INT_H
#define PLUGINS_COMMON_PQ_INT_H

#include "pq.h"

enum pq_state { PQ_NEW, PQ_RESOLVING, PQ_CONNECTING, PQ_READY, PQ_BROKEN };

struct pq_resolver;

struct pq_conn {
    struct leat_ctx *ctx;
    PGconn *pg;
    enum pq_state state;
    char **keys, **values; // NULL-terminated copies of the parameters; values[i] belongs to keys[i]
    uint32_t count;
    char *where;
    pq_notify_fn notify;
    void *arg;
    struct leat_event *watch;
    int watch_fd;
    uint32_t awaiting;        // what the watch is armed for
    struct leat_event *timer; // of the connect
    struct leat_event *nap;
    int64_t timeout;
    uint8_t timed_out;
    struct pq_resolver *resolver;
    PGresult *last; // newest result of the query under way
};

// Looks `host` up on a thread of its own. The descriptor becomes readable when the answer is there.
struct pq_resolver *pq_resolver_start(const char *host, const char *port, int *fd);
// 0 = addresses, a comma list of numeric ones; otherwise getaddrinfo's error. `count` says how many.
int pq_resolver_answer(struct pq_resolver *r, const char **addresses, unsigned *count);
// May come before the answer: the thread then frees the rest.
void pq_resolver_drop(struct pq_resolver *r);

#endif
