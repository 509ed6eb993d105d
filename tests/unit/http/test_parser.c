// SPDX-License-Identifier: Apache-2.0
// The request parser against a table of requests. Every row is fed whole, split in two at every byte, and byte by byte:
// the answer must be the same each time, and bytes behind the request must be left alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/parser.h"

#define H "Host: a\r\n"

struct row {
    const char *name;
    const char *bytes;
    size_t len;        // 0 = strlen(bytes)
    int status;        // 0 = accepted
    const char *path;  // of an accepted request
    const char *query; // NULL = none
    const char *body;  // NULL = none
    uint32_t method;   // 0 = GET
    bool closes;       // keep_alive must be false
};

static const struct row rows[] = {
    {.name = "plain", .bytes = "GET /health HTTP/1.1\r\n" H "\r\n", .path = "/health"},
    {.name = "head", .bytes = "HEAD / HTTP/1.1\r\n" H "\r\n", .path = "/", .method = HTTP_HEAD},
    {.name = "query", .bytes = "GET /a?b=c?d HTTP/1.1\r\n" H "\r\n", .path = "/a", .query = "b=c?d"},
    {.name = "empty query", .bytes = "GET /a? HTTP/1.1\r\n" H "\r\n", .path = "/a", .query = ""},
    {.name = "percent stays", .bytes = "GET /%2e%2e/a HTTP/1.1\r\n" H "\r\n", .path = "/%2e%2e/a"},
    {.name = "one empty line before", .bytes = "\r\nGET / HTTP/1.1\r\n" H "\r\n", .path = "/"},
    {.name = "1.0 without host", .bytes = "GET / HTTP/1.0\r\n\r\n", .path = "/", .closes = true},
    {.name = "1.0 keep-alive",
     .bytes = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
     .path = "/",
     .closes = true},
    {.name = "close", .bytes = "GET / HTTP/1.1\r\n" H "Connection: a , CLOSE\r\n\r\n", .path = "/", .closes = true},
    {.name = "upgrade ignored",
     .bytes = "GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
     .path = "/"},
    {.name = "white space around value", .bytes = "GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n", .path = "/"},
    {.name = "header of bytes", .bytes = "GET / HTTP/1.1\r\n" H "X: \xc3\xa4\r\n\r\n", .path = "/"},
    {.name = "empty value", .bytes = "GET / HTTP/1.1\r\n" H "X:\r\n\r\n", .path = "/"},
    {.name = "absolute form", .bytes = "GET http://A/b?c HTTP/1.1\r\n" H "\r\n", .path = "/b", .query = "c"},
    {.name = "options star", .bytes = "OPTIONS * HTTP/1.1\r\n" H "\r\n", .path = "*", .method = HTTP_OPTIONS},
    {.name = "put is known", .bytes = "PUT /a HTTP/1.1\r\n" H "\r\n", .path = "/a", .method = HTTP_OTHER},
    {.name = "post",
     .bytes = "POST /a HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n{}",
     .path = "/a",
     .body = "{}",
     .method = HTTP_POST},
    {.name = "post of nothing",
     .bytes = "POST /a HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n",
     .path = "/a",
     .method = HTTP_POST},
    {.name = "leading zeros",
     .bytes = "POST /a HTTP/1.1\r\n" H "Content-Length: 002\r\n\r\n{}",
     .path = "/a",
     .body = "{}",
     .method = HTTP_POST},
    {.name = "body with NUL",
     .bytes = "POST /a HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n\0\n",
     .len = 50,
     .path = "/a",
     .body = "\0\n",
     .method = HTTP_POST},

    {.name = "no host", .bytes = "GET / HTTP/1.1\r\n\r\n", .status = 400},
    {.name = "two hosts", .bytes = "GET / HTTP/1.1\r\n" H H "\r\n", .status = 400},
    {.name = "absolute form, other host", .bytes = "GET http://b/ HTTP/1.1\r\n" H "\r\n", .status = 400},
    {.name = "absolute form, two hosts", .bytes = "GET http://a/ HTTP/1.1\r\n" H H "\r\n", .status = 400},
    {.name = "absolute form, no host", .bytes = "GET http://a/ HTTP/1.0\r\n\r\n", .status = 400},
    {.name = "absolute form, no path", .bytes = "GET http://a HTTP/1.1\r\n" H "\r\n", .status = 400},
    {.name = "file scheme", .bytes = "GET file:///etc/passwd HTTP/1.1\r\n" H "\r\n", .status = 400},
    {.name = "authority form", .bytes = "CONNECT a:443 HTTP/1.1\r\n" H "\r\n", .status = 400},
    {.name = "get star", .bytes = "GET * HTTP/1.1\r\n" H "\r\n", .status = 400},
    {.name = "fragment", .bytes = "GET /a#b HTTP/1.1\r\n" H "\r\n", .status = 400},
    {.name = "raw byte in path", .bytes = "GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", .status = 400},
    {.name = "tab in path", .bytes = "GET /a\tb HTTP/1.1\r\n" H "\r\n", .status = 400},
    {.name = "no target", .bytes = "GET  HTTP/1.1\r\n" H "\r\n", .status = 400},
    {.name = "two words", .bytes = "GET /\r\n\r\n", .status = 400},
    {.name = "one word", .bytes = "GET\r\n\r\n", .status = 400},
    {.name = "four words", .bytes = "GET / a HTTP/1.1\r\n" H "\r\n", .status = 400},
    {.name = "leading space", .bytes = " GET / HTTP/1.1\r\n" H "\r\n", .status = 400},
    {.name = "two empty lines before", .bytes = "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", .status = 400},
    {.name = "lower case version", .bytes = "GET / http/1.1\r\n" H "\r\n", .status = 400},
    {.name = "version 2", .bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .status = 505},
    {.name = "version 1.2", .bytes = "GET / HTTP/1.2\r\n" H "\r\n", .status = 505},
    {.name = "method unknown", .bytes = "BREW / HTTP/1.1\r\n" H "\r\n", .status = 501},
    {.name = "method lower case", .bytes = "get / HTTP/1.1\r\n" H "\r\n", .status = 501},
    {.name = "method no token", .bytes = "G@T / HTTP/1.1\r\n" H "\r\n", .status = 400},
    {.name = "TLS hello", .bytes = "\x16\x03\x01\x02\x00\x01", .len = 6, .status = 400},
    {.name = "bare LF", .bytes = "GET / HTTP/1.1\n" H "\r\n", .status = 400},
    {.name = "bare LF in header", .bytes = "GET / HTTP/1.1\r\nHost: a\n\r\n", .status = 400},
    {.name = "bare CR", .bytes = "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", .status = 400},
    {.name = "CR CR LF", .bytes = "GET / HTTP/1.1\r\r\n" H "\r\n", .status = 400},
    {.name = "NUL in path", .bytes = "GET /\0 HTTP/1.1\r\n\r\n", .len = 19, .status = 400},
    {.name = "NUL in header", .bytes = "GET / HTTP/1.1\r\nHost: a\0\r\n\r\n", .len = 28, .status = 400},
    {.name = "control in header", .bytes = "GET / HTTP/1.1\r\nHost: a\x0b\r\n\r\n", .status = 400},
    {.name = "delete character", .bytes = "GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n", .status = 400},
    {.name = "folded", .bytes = "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", .status = 400},
    {.name = "folded by tab", .bytes = "GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n", .status = 400},
    {.name = "space first in headers", .bytes = "GET / HTTP/1.1\r\n Host: a\r\n\r\n", .status = 400},
    {.name = "space before colon", .bytes = "GET / HTTP/1.1\r\nHost : a\r\n\r\n", .status = 400},
    {.name = "no colon", .bytes = "GET / HTTP/1.1\r\nHost\r\n\r\n", .status = 400},
    {.name = "no name", .bytes = "GET / HTTP/1.1\r\n: a\r\n\r\n", .status = 400},
    {.name = "odd name", .bytes = "GET / HTTP/1.1\r\n" H "a(b): c\r\n\r\n", .status = 400},
    {.name = "post without length", .bytes = "POST / HTTP/1.1\r\n" H "\r\n", .status = 411},
    {.name = "chunked", .bytes = "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", .status = 411},
    {.name = "gzip coding", .bytes = "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", .status = 501},
    {.name = "chunked get", .bytes = "GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", .status = 411},
    {.name = "empty coding", .bytes = "GET / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", .status = 501},
    {.name = "chunked in 1.0", .bytes = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .status = 400},
    {.name = "CL and TE",
     .bytes = "POST / HTTP/1.1\r\n" H "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
     .status = 400},
    {.name = "TE and CL",
     .bytes = "POST / HTTP/1.1\r\n" H "Transfer-Encoding: x\r\nContent-Length: 2\r\n\r\n{}",
     .status = 400},
    {.name = "TE twice",
     .bytes = "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
     .status = 400},
    {.name = "CL twice",
     .bytes = "POST / HTTP/1.1\r\n" H "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
     .status = 400},
    {.name = "CL list", .bytes = "POST / HTTP/1.1\r\n" H "Content-Length: 2, 2\r\n\r\n{}", .status = 400},
    {.name = "CL sign", .bytes = "POST / HTTP/1.1\r\n" H "Content-Length: +2\r\n\r\n{}", .status = 400},
    {.name = "CL minus", .bytes = "POST / HTTP/1.1\r\n" H "Content-Length: -2\r\n\r\n{}", .status = 400},
    {.name = "CL hex", .bytes = "POST / HTTP/1.1\r\n" H "Content-Length: 0x2\r\n\r\n{}", .status = 400},
    {.name = "CL empty", .bytes = "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", .status = 400},
    {.name = "CL above", .bytes = "POST / HTTP/1.1\r\n" H "Content-Length: 65537\r\n\r\n", .status = 413},
    {.name = "CL wraps",
     .bytes = "POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551618\r\n\r\n{}",
     .status = 413},
    {.name = "origin twice", .bytes = "GET / HTTP/1.1\r\n" H "Origin: a\r\nOrigin: b\r\n\r\n", .status = 400},
    {.name = "type twice", .bytes = "GET / HTTP/1.1\r\n" H "Content-Type: a\r\nContent-Type: b\r\n\r\n", .status = 400},
    {.name = "authorization twice",
     .bytes = "GET / HTTP/1.1\r\n" H "Authorization: a\r\nAuthorization: a\r\n\r\n",
     .status = 400},
    {.name = "expect other", .bytes = "GET / HTTP/1.1\r\n" H "Expect: 200-ok\r\n\r\n", .status = 417},
    {.name = "expect twice",
     .bytes = "GET / HTTP/1.1\r\n" H "Expect: 100-continue\r\nExpect: 100-continue\r\n\r\n",
     .status = 400},
};

static void expect_slice(const char *row, const char *what, struct http_slice got, const char *want, size_t len)
{
    if (want == NULL ? got.ptr != NULL : got.len != len || memcmp(got.ptr, want, len) != 0)
        fail_msg("%s: %s is \"%.*s\"", row, what, (int)got.len, got.ptr != NULL ? got.ptr : "(none)");
}

// Feeds an exactly sized copy, so that a read beyond its end is seen by the sanitizer.
static enum http_progress feed(struct http_parser *p, const char *bytes, size_t len, size_t *used)
{
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    enum http_progress progress = http_parser_feed(p, copy, len, used);
    free(copy);
    return progress;
}

static void check_row(const struct row *row, struct http_parser *p, enum http_progress progress)
{
    const struct http_request *r = http_parser_request(p);
    if (row->status != 0) {
        if (progress != HTTP_BAD || http_parser_status(p) != row->status)
            fail_msg("%s: progress %d, status %d (%s)", row->name, (int)progress, http_parser_status(p),
                     progress == HTTP_BAD ? http_parser_reason(p) : "-");
        return;
    }
    if (progress != HTTP_DONE)
        fail_msg("%s: progress %d, %s", row->name, (int)progress, progress == HTTP_BAD ? http_parser_reason(p) : "-");
    assert_int_equal(r->method, row->method != 0 ? row->method : HTTP_GET);
    assert_int_equal(r->keep_alive, !row->closes);
    expect_slice(row->name, "path", r->path, row->path, strlen(row->path));
    expect_slice(row->name, "query", r->query, row->query, row->query != NULL ? strlen(row->query) : 0);
    if (row->body != NULL)
        expect_slice(row->name, "body", r->body, row->body, r->content_length);
    assert_int_equal(r->body.len, r->content_length);
}

static void test_rows_split_everywhere(void **unused)
{
    struct http_parser *p = http_parser_create(NULL);
    assert_non_null(p);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        size_t len = row->len > 0 ? row->len : strlen(row->bytes), used;
        for (size_t cut = 0; cut <= len; cut++) {
            http_parser_reset(p);
            enum http_progress progress = feed(p, row->bytes, cut, &used);
            if (progress == HTTP_MORE) {
                assert_int_equal(used, cut);
                progress = feed(p, row->bytes + cut, len - cut, &used);
            }
            check_row(row, p, progress);
        }
    }
    http_parser_destroy(p);
}

static void test_rows_byte_by_byte(void **unused)
{
    struct http_parser *p = http_parser_create(NULL);
    assert_non_null(p);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        size_t len = row->len > 0 ? row->len : strlen(row->bytes), used;
        enum http_progress progress = HTTP_MORE;
        http_parser_reset(p);
        for (size_t at = 0; at < len && progress == HTTP_MORE; at++)
            progress = feed(p, row->bytes + at, 1, &used);
        check_row(row, p, progress);
    }
    http_parser_destroy(p);
}

static void test_every_prefix_is_more(void **unused)
{
    static const char text[] = "POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    struct http_parser *p = http_parser_create(NULL);
    assert_non_null(p);
    size_t used, head = strlen(text) - 3;
    for (size_t len = 0; len < strlen(text); len++) {
        http_parser_reset(p);
        assert_int_equal(feed(p, text, len, &used), HTTP_MORE);
        assert_int_equal(http_parser_has_head(p), len >= head);
    }
    http_parser_destroy(p);
}

static void test_bytes_behind_are_left(void **unused)
{
    static const char text[] =
        "GET /a HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nxGET";
    struct http_parser *p = http_parser_create(NULL);
    assert_non_null(p);
    size_t used, at = 0;
    assert_int_equal(feed(p, text, strlen(text), &used), HTTP_DONE);
    at += used;
    assert_int_equal(feed(p, text + at, strlen(text) - at, &used), HTTP_DONE); // as before, taking nothing
    assert_int_equal(used, 0);
    http_parser_reset(p);
    assert_int_equal(feed(p, text + at, strlen(text) - at, &used), HTTP_DONE);
    at += used;
    expect_slice("second", "path", http_parser_request(p)->path, "/b", 2);
    expect_slice("second", "body", http_parser_request(p)->body, "x", 1);
    assert_string_equal(text + at, "GET");
    http_parser_destroy(p);
}

// Builds "GET /aaa… HTTP/1.1" of `line` bytes and `count` headers of together `header` bytes, and feeds it.
static int status_of(const struct http_limits *limits, size_t line, size_t header, size_t count)
{
    struct http_parser *p = http_parser_create(limits);
    assert_non_null(p);
    size_t size = line + header + 2 * count + 4, at = 0, used;
    char *text = malloc(size + 1);
    assert_non_null(text);
    at += (size_t)sprintf(text, "GET /");
    memset(text + at, 'a', line - 14);
    at += line - 14;
    at += (size_t)sprintf(text + at, " HTTP/1.1\r\nHost:a\r\n");
    header -= 6;
    for (size_t i = 1; i < count; i++) {
        size_t len = i + 1 < count ? 2 : header;
        text[at] = 'x';
        text[at + 1] = ':';
        memset(text + at + 2, 'v', len - 2);
        memcpy(text + at + len, "\r\n", 2);
        at += len + 2;
        header -= len;
    }
    memcpy(text + at, "\r\n", 2);
    at += 2;
    assert_int_equal(at, size);
    enum http_progress progress = feed(p, text, size, &used);
    int status = progress == HTTP_DONE ? 200 : progress == HTTP_BAD ? http_parser_status(p) : 0;
    free(text);
    http_parser_destroy(p);
    return status;
}

static void test_bounds_are_exact(void **unused)
{
    assert_int_equal(status_of(NULL, 8192, 100, 2), 200);
    assert_int_equal(status_of(NULL, 8193, 100, 2), 414);
    assert_int_equal(status_of(NULL, 20, 16384, 2), 200);
    assert_int_equal(status_of(NULL, 20, 16385, 2), 431);
    assert_int_equal(status_of(NULL, 8192, 16384, 64), 200);
    assert_int_equal(status_of(NULL, 20, 1000, 64), 200);
    assert_int_equal(status_of(NULL, 20, 1000, 65), 431);
    const struct http_limits small = {.line_max = 30, .header_max = 20, .header_count_max = 2};
    assert_int_equal(status_of(&small, 30, 20, 2), 200);
    assert_int_equal(status_of(&small, 31, 20, 2), 414);
    assert_int_equal(status_of(&small, 30, 21, 2), 431);
    assert_int_equal(status_of(&small, 30, 20, 3), 431);
}

static void test_a_flood_is_cut_early(void **unused)
{
    char block[4096];
    memset(block, 'a', sizeof block);
    struct http_parser *p = http_parser_create(NULL);
    assert_non_null(p);
    size_t used, taken = 0;
    enum http_progress progress = HTTP_MORE;
    for (size_t i = 0; i < 100 && progress == HTTP_MORE; i++) {
        progress = http_parser_feed(p, block, sizeof block, &used);
        taken += used;
    }
    assert_int_equal(progress, HTTP_BAD);
    assert_int_equal(http_parser_status(p), 414);
    assert_int_equal(taken, 8193);
    http_parser_destroy(p);
}

static void test_body_bound(void **unused)
{
    static const char text[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nabcd";
    const struct http_limits exact = {.body_max = 4}, less = {.body_max = 3};
    size_t used;
    struct http_parser *p = http_parser_create(&exact);
    assert_non_null(p);
    assert_int_equal(feed(p, text, strlen(text) - 4, &used), HTTP_MORE);
    assert_true(http_parser_request(p)->expect_continue);
    assert_int_equal(feed(p, "abcd", 4, &used), HTTP_DONE);
    http_parser_destroy(p);
    p = http_parser_create(&less);
    assert_non_null(p);
    assert_int_equal(feed(p, text, strlen(text), &used), HTTP_BAD);
    assert_int_equal(http_parser_status(p), 413);
    http_parser_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_split_everywhere),
        cmocka_unit_test(test_rows_byte_by_byte),
        cmocka_unit_test(test_every_prefix_is_more),
        cmocka_unit_test(test_bytes_behind_are_left),
        cmocka_unit_test(test_bounds_are_exact),
        cmocka_unit_test(test_a_flood_is_cut_early),
        cmocka_unit_test(test_body_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
