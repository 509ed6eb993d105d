// SPDX-License-Identifier: Apache-2.0
// Who may ask: the rules that keep browsers and strangers out. Pure functions over a request.
//
// Loopback is no protection from browsers: any page the operator opens may send requests to 127.0.0.1, and by DNS
// rebinding even read the answers. So a Host must be a name or address that is ours, an Origin must be the page's own,
// and a POST must carry a content type that a foreign page cannot send without a preflight, which is never granted.
// The token guards what shows rows or changes state as soon as other machines can reach the address.
//
// Thread: any. The guard borrows everything it points to.
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "http/address.h"
#include "http/parser.h"

struct http_guard {
    const struct http_address *listen; // where the server listens, with its real port
    const char *const *hosts;          // further host names or addresses, without ports (option http.allowed-hosts)
    size_t host_count;
    const char *token; // NULL = none (option http.token)
};

// A refusal: status 0 means "may pass". The reason is static.
struct http_verdict {
    int status;
    const char *reason;
};

// Host and Origin. local_ip is the canonical address at which the connection arrived, "" for a unix socket.
struct http_verdict http_guard_source(const struct http_guard *guard, const struct http_request *request,
                                      const char *local_ip);

// The content type of a POST.
struct http_verdict http_guard_content(const struct http_request *request);

// The bearer token, for routes that show rows or change state.
struct http_verdict http_guard_token(const struct http_guard *guard, const struct http_request *request);

#endif
