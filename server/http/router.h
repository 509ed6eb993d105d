// SPDX-License-Identifier: Apache-2.0
// From a request to a reply: the guard's rules, the table of routes, the methods of each. No I/O.
//
// The order of refusals: Host and Origin (400, 421, 403), path (404), method (405), body where none belongs (400),
// content type (415), token (403, 401). HEAD follows GET and OPTIONS is answered everywhere; neither is listed.
//
// Thread: the server's. The router borrows the routes and the guard.
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "http/guard.h"
#include "http/parser.h"
#include "http/reply.h"

#define HTTP_ROUTE_GUARDED 1u // shows rows or changes state: needs the token

// Answers a request that passed every rule. Runs on the server's thread and must not block.
typedef void (*http_handle_fn)(void *self, const struct http_request *request, struct http_reply *reply);

struct http_route {
    const char *path; // matched whole, byte by byte; never decoded
    uint32_t methods; // HTTP_GET and HTTP_POST
    uint32_t flags;   // HTTP_ROUTE_*
    http_handle_fn handle;
    void *self; // passed to handle
};

// A table of routes; several are searched in order.
struct http_routes {
    const struct http_route *items;
    size_t count;
};

struct http_router {
    struct http_guard guard;
    struct http_routes tables[2]; // the health routes, and those of the caller
};

// Applies the rules. Returns the route whose handler may answer, or NULL after filling the reply (a refusal, or the
// answer to OPTIONS). Needs the head only. local_ip: see http_guard_source.
const struct http_route *http_router_check(const struct http_router *router, const struct http_request *request,
                                           const char *local_ip, struct http_reply *reply);

// Checks and answers a complete request; the reply has a status afterwards.
void http_router_answer(const struct http_router *router, const struct http_request *request, const char *local_ip,
                        struct http_reply *reply);

#endif
