// SPDX-License-Identifier: Apache-2.0
// Bytes of a connection to one HTTP/1.x request: pure, incremental, bounded. It does no I/O and knows no clock.
//
// The parser owns the memory of the request: one block for the head, made once, and one for the body, made when the
// head has promised its length. A request's slices point into them and live until http_parser_reset or
// http_parser_destroy. It reads strictly (RFC 9112 without its leniencies): whatever two servers could read differently
// is refused, since that is what request smuggling lives on. After a refusal the connection cannot be used again.
//
// Thread: any, one at a time. Ownership: the caller owns the parser.
#ifndef HTTP_PARSER_H
#define HTTP_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Borrowed text, not terminated. ptr is NULL where the request has no such part.
struct http_slice {
    const char *ptr;
    size_t len;
};

// Bounds of one request. Zero stands for the default in parentheses.
struct http_limits {
    size_t line_max;         // bytes of the request line (8 KiB)
    size_t header_max;       // bytes of all header lines together (16 KiB)
    size_t header_count_max; // header lines (64)
    size_t body_max;         // bytes of the body (64 KiB)
};

// Methods, as bits, so that a route can name the set it takes.
#define HTTP_GET     1u
#define HTTP_HEAD    2u
#define HTTP_POST    4u
#define HTTP_OPTIONS 8u
#define HTTP_OTHER   16u // a method of the standard that no route takes: PUT, DELETE, PATCH, TRACE, CONNECT

struct http_header {
    struct http_slice name;  // as sent; compare with http_slice_is
    struct http_slice value; // without the white space around it
};

struct http_request {
    uint32_t method;         // HTTP_GET …
    uint32_t minor;          // HTTP/1.minor: 0 or 1
    bool keep_alive;         // the client lets the connection be used again
    bool expect_continue;    // the client waits for "100 Continue" before it sends the body
    struct http_slice path;  // begins with "/", or is "*"; never decoded
    struct http_slice query; // behind the "?", without it
    struct http_slice host;  // name or address, perhaps with a port
    struct http_slice origin;
    struct http_slice content_type;
    struct http_slice authorization;
    const struct http_header *headers;
    size_t header_count;
    size_t content_length; // what the head promised
    struct http_slice body;
};

enum http_progress {
    HTTP_MORE, // all bytes were taken and the request is not complete
    HTTP_DONE, // the request is complete; bytes behind it were not taken
    HTTP_BAD,  // refused: http_parser_status and http_parser_reason say why
};

struct http_parser;

// Returns NULL when memory is short. limits may be NULL.
struct http_parser *http_parser_create(const struct http_limits *limits);
void http_parser_destroy(struct http_parser *p);

// Forgets the request, ready for the next one of the same connection.
void http_parser_reset(struct http_parser *p);

// Takes bytes; *used says how many. Feeding again after HTTP_DONE or HTTP_BAD takes nothing and answers the same.
enum http_progress http_parser_feed(struct http_parser *p, const void *data, size_t len, size_t *used);

// The request. Complete after HTTP_DONE; all but its body is valid from http_parser_has_head on.
const struct http_request *http_parser_request(const struct http_parser *p);
bool http_parser_has_head(const struct http_parser *p);

// After HTTP_BAD: the status to answer with, and a static sentence for the reply.
int http_parser_status(const struct http_parser *p);
const char *http_parser_reason(const struct http_parser *p);

// Whether the slice is this text; letters match in either case (ASCII only).
bool http_slice_is(struct http_slice slice, const char *text);

#endif
