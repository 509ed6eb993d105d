// SPDX-License-Identifier: Apache-2.0
// One connection of the HTTP server; for this room only. What it promises is told in conn.c.
//
// Thread: the server's.
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "base/list.h"
#include "http/router.h"

// Counters, borrowed from the registry of metrics; never NULL.
struct http_counters {
    int64_t *open, *accepted, *refused, *evicted, *timeouts;
    int64_t *replies[4]; // 2xx to 5xx
};

// What connections share. Belongs to the server.
struct http_hub {
    struct event_base *base;
    struct http_router router;
    struct http_limits limits;
    uint32_t requests_max, request_ms, idle_ms, write_ms;
    size_t reply_max, reply_total_max;
    size_t reply_bytes;      // of answers that clients have not taken yet
    uint32_t open;           // connections that hold a descriptor
    bool stopping;           // no connection lives on after its answer
    struct base_list live;   // of struct http_conn
    struct base_list closed; // closed ones, freed on the next turn of the loop by `reaper`
    struct event *reaper;
    struct http_counters count;
};

// Takes the descriptor and reads the first request. `busy` turns the client away with 503 instead. Closes the
// descriptor when memory is short.
void http_conn_open(struct http_hub *hub, int fd, bool busy);

// Makes room: closes and frees the connection that was answered longest ago and only lingers, else the one that has
// kept us waiting for a request the longest. Returns false when all are taking answers. Not from a connection's
// callback.
bool http_conn_evict(struct http_hub *hub);

// Closes all connections that are not about to answer; with `all`, every one.
void http_conn_close_all(struct http_hub *hub, bool all);

// Frees what is closed; the reaper's work.
void http_conn_reap(struct http_hub *hub);

#endif
