// SPDX-License-Identifier: Apache-2.0
// The HTTP server: a listening socket and a thread of its own, for health, metrics and control.
//
// It stands beside the data path and must never hold it up: its thread owns one libevent loop, its views read
// snapshots, and every resource a client can use is bounded (connections, bytes of a request, seconds of each phase,
// bytes of answers waiting to be read). evhttp is not used: it has no deadline for a whole request and no bound for
// headers.
//
//     struct http_options options = {.listen = "127.0.0.1:8080"};
//     struct http_server *server = http_server_start(&options, &views, &err);
//     …
//     http_server_stop(server);
//
// Thread: start and stop belong to one owner; views and handlers run on the server's thread.
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http/health.h"
#include "http/parser.h"
#include "http/router.h"

struct base_error;
struct base_logger;
struct base_metrics;

// Everything is borrowed until stop. Zero stands for the default in parentheses.
struct http_options {
    const char *listen;            // see address.h
    const char *const *hosts;      // further names or addresses a Host may have, without ports
    size_t host_count;             //
    const char *token;             // bearer token of guarded routes; NULL = none
    struct http_limits limits;     // of one request
    uint32_t connections_max;      // open at once; one more takes the place of the longest waiting one,
                                   // or gets 503 if none waits (64)
    uint32_t requests_max;         // of one connection, after which it is closed (1000)
    uint32_t request_ms;           // from the first byte of a request to its last, or from accept (5000)
    uint32_t idle_ms;              // between two requests of a connection (30000)
    uint32_t write_ms;             // for a client to take the whole answer (10000)
    size_t reply_max;              // bytes of one answer (8 MiB)
    size_t reply_total_max;        // bytes of all answers not yet taken; beyond it 503 (32 MiB)
    struct http_routes routes;     // beside the health routes; looked at after them
    struct base_metrics *metrics;  // where the server counts about itself; NULL = nowhere
    const struct base_logger *log; // NULL = silent
};

struct http_server;

// Binds, listens and starts the thread. Returns NULL with the error. The views are copied.
struct http_server *http_server_start(const struct http_options *options, const struct http_views *views,
                                      struct base_error *err);

// Where it listens, with the real port: "127.0.0.1:43121". Lives as long as the server.
const char *http_server_address(const struct http_server *server);

// Accepts nothing more, gives answers that are under way up to a second, closes everything and frees the server.
void http_server_stop(struct http_server *server);

#endif
