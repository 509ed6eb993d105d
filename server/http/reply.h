// SPDX-License-Identifier: Apache-2.0
// What is answered: status, a body in a bounded buffer, and the head that goes before it.
//
// Handlers fill a reply; the connection writes it. The head carries the same protective headers for every answer: no
// sniffing, no storing, no framing, no scripts, and never a CORS header.
//
// Thread: the server's. Ownership: the caller's; http_reply_fini frees the body.
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/str.h"

struct http_reply {
    int status;               // 0 = nothing answered yet
    const char *content_type; // static
    uint32_t allow;           // methods of the Allow header; 0 = no such header
    bool ask_token;           // adds WWW-Authenticate
    struct base_str body;
};

// body_max bounds the body in bytes.
void http_reply_init(struct http_reply *reply, size_t body_max);
void http_reply_fini(struct http_reply *reply);

// Answers with a JSON value and takes it; NULL stands for "no memory". A body that does not fit becomes an error.
void http_reply_json(struct http_reply *reply, int status, json_t *take);

// {"status":404,"error":"…"}; drops what was written before.
void http_reply_error(struct http_reply *reply, int status, const char *reason);

// Appends the status line and all headers; less than a kilobyte.
void http_reply_head(const struct http_reply *reply, bool keep_alive, int64_t unix_seconds, struct base_str *out);

#endif
