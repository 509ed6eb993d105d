// SPDX-License-Identifier: Apache-2.0
// Fuzz target: a connection's bytes through parser and router.
//
// Input: one byte that decides how the rest is cut into pieces, then the bytes. Beyond "no crash", it is held that
// cutting changes nothing: the same bytes, fed whole and in pieces, give the same requests and the same refusal; that a
// request keeps its bounds; and that every request gets an answer with a status.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../require.h"
#include "base/error.h"
#include "http/router.h"

static const struct http_limits limits = {.line_max = 300, .header_max = 500, .header_count_max = 12, .body_max = 200};

static void handle(void *self, const struct http_request *request, struct http_reply *reply)
{
    reply->status = 200;
    base_str_add(&reply->body, request->body.ptr, request->body.len);
}

static const struct http_route table[] = {
    {"/", HTTP_GET, 0, handle, NULL},
    {"/rows", HTTP_GET | HTTP_POST, HTTP_ROUTE_GUARDED, handle, NULL},
};

static void check_answer(const struct http_request *request)
{
    static const char *const hosts[] = {"leat.example.org", "10.0.0.5"};
    struct http_address listen;
    struct base_error err;
    struct http_reply reply;
    struct base_str head;
    REQUIRE(http_address_parse("0.0.0.0:80", &listen, &err));
    const struct http_router router = {.guard = {&listen, hosts, 2, "token"}, .tables = {{table, 2}, {NULL, 0}}};
    http_reply_init(&reply, 1000);
    base_str_init(&head);
    http_router_answer(&router, request, "10.0.0.7", &reply);
    REQUIRE(reply.status >= 200 && reply.status < 600);
    REQUIRE(reply.body.len <= 1000);
    http_reply_head(&reply, request->keep_alive, 0, &head);
    REQUIRE(base_str_ok(&head) && head.len < 1024);
    base_str_fini(&head);
    http_reply_fini(&reply);
}

static void check_request(const struct http_request *request)
{
    size_t bytes = 0;
    REQUIRE(request->body.len == request->content_length && request->body.len <= limits.body_max);
    REQUIRE(request->header_count <= limits.header_count_max);
    REQUIRE(request->path.len > 0 && request->path.len + request->query.len <= limits.line_max);
    REQUIRE(request->host.ptr != NULL || request->minor == 0);
    for (size_t i = 0; i < request->header_count; i++) {
        bytes += request->headers[i].name.len + request->headers[i].value.len;
        REQUIRE(memchr(request->headers[i].value.ptr, '\n', request->headers[i].value.len) == NULL);
    }
    REQUIRE(bytes <= limits.header_max);
}

static int same_slice(struct http_slice a, struct http_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

// Feeds one request in pieces of 1 to `step` bytes; *used as of http_parser_feed.
static enum http_progress feed_in_pieces(struct http_parser *p, const uint8_t *data, size_t len, size_t step,
                                         size_t *used)
{
    enum http_progress progress = HTTP_MORE;
    size_t at = 0, turn = 0;
    while (progress == HTTP_MORE && at < len) {
        size_t n = turn++ % step + 1, taken;
        n = n < len - at ? n : len - at;
        progress = http_parser_feed(p, data + at, n, &taken);
        at += taken;
    }
    *used = at;
    return progress;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t step = len > 0 ? data[0] % 16 + 1u : 1, at = len > 0;
    struct http_parser *whole = http_parser_create(&limits), *pieces = http_parser_create(&limits);
    REQUIRE(whole != NULL && pieces != NULL);
    enum http_progress progress = HTTP_DONE;
    while (progress == HTTP_DONE && at < len) {
        size_t used, used_in_pieces;
        http_parser_reset(whole);
        http_parser_reset(pieces);
        progress = http_parser_feed(whole, data + at, len - at, &used);
        REQUIRE(progress == feed_in_pieces(pieces, data + at, len - at, step, &used_in_pieces));
        REQUIRE(used == used_in_pieces && used > 0);
        const struct http_request *a = http_parser_request(whole), *b = http_parser_request(pieces);
        REQUIRE(progress != HTTP_BAD || http_parser_status(whole) == http_parser_status(pieces));
        REQUIRE(progress != HTTP_BAD || http_parser_reason(whole) == http_parser_reason(pieces));
        if (progress == HTTP_DONE) {
            REQUIRE(same_slice(a->path, b->path) && same_slice(a->query, b->query) && same_slice(a->body, b->body));
            REQUIRE(same_slice(a->host, b->host) && a->method == b->method && a->keep_alive == b->keep_alive);
            check_request(a);
            check_answer(a);
        }
        at += used;
    }
    http_parser_destroy(whole);
    http_parser_destroy(pieces);
    return 0;
}
