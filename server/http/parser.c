// SPDX-License-Identifier: Apache-2.0
// The request parser: see parser.h for what it promises.
//
// The idea: bytes are gathered into lines in one fixed block, every byte is checked as it comes (bounds, NUL, bare CR
// or LF, control characters), and a line is taken apart only once it is whole. So there is no lookahead, a split at any
// byte changes nothing, and nothing is ever stored that the bounds do not cover.
//
//   LEAD ─CRLF (one, ignored)─┐
//     └─────byte──▶ LINE ──▶ HEADER ──empty line──▶ BODY ──▶ DONE          any of them ──▶ BAD
//                              └▲ (a line each)       └ skipped without a body
//
// The block is line_max plus header_max bytes (CRLFs are not kept), made once, so slices into it stay put.
#include "http/parser.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_LINE_MAX     8192
#define DEFAULT_HEADER_MAX   16384
#define DEFAULT_HEADER_COUNT 64
#define DEFAULT_BODY_MAX     65536

enum state { LEAD, LINE, HEADER, BODY, DONE, BAD };

struct http_parser {
    enum state state;
    bool blank_seen;    // the one empty line that may stand before a request was there
    bool cr;            // the last byte was CR, so LF must follow
    bool has_length;    // a Content-Length was seen
    int status;         // after BAD
    const char *reason; // after BAD, static
    struct http_limits limits;
    size_t used;       // bytes in head
    size_t line_start; // where the current line begins in head
    size_t head_end;   // where the request line ended: header bytes are counted from here
    struct http_request request;
    struct http_slice transfer_encoding;
    struct http_slice expect;
    bool connection_close;
    char *body;
    size_t body_used;
    struct http_header *headers;
    char head[];
};

static const struct {
    const char *name;
    uint32_t method;
} methods[] = {
    {"GET", HTTP_GET},         {"HEAD", HTTP_HEAD},   {"POST", HTTP_POST},
    {"OPTIONS", HTTP_OPTIONS}, {"PUT", HTTP_OTHER},   {"DELETE", HTTP_OTHER},
    {"PATCH", HTTP_OTHER},     {"TRACE", HTTP_OTHER}, {"CONNECT", HTTP_OTHER},
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// A character of a token (RFC 9110, 5.6.2): what methods and header names are made of.
static bool is_token_char(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

bool http_slice_is(struct http_slice slice, const char *text)
{
    size_t len = strlen(text);
    if (slice.ptr == NULL || slice.len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (lower(slice.ptr[i]) != lower(text[i]))
            return false;
    return true;
}

static bool same(struct http_slice slice, const char *text)
{
    size_t len = strlen(text);
    return slice.len == len && memcmp(slice.ptr, text, len) == 0;
}

static bool is_token(struct http_slice slice)
{
    for (size_t i = 0; i < slice.len; i++)
        if (!is_token_char(slice.ptr[i]))
            return false;
    return slice.len > 0;
}

static struct http_slice trim(struct http_slice slice)
{
    while (slice.len > 0 && (slice.ptr[0] == ' ' || slice.ptr[0] == '\t')) {
        slice.ptr++;
        slice.len--;
    }
    while (slice.len > 0 && (slice.ptr[slice.len - 1] == ' ' || slice.ptr[slice.len - 1] == '\t'))
        slice.len--;
    return slice;
}

static bool refuse(struct http_parser *p, int status, const char *reason)
{
    p->state = BAD;
    p->status = status;
    p->reason = reason;
    return false;
}

static struct http_limits limits_or_default(const struct http_limits *given)
{
    struct http_limits l = {0};
    if (given != NULL)
        l = *given;
    l.line_max = l.line_max > 0 ? l.line_max : DEFAULT_LINE_MAX;
    l.header_max = l.header_max > 0 ? l.header_max : DEFAULT_HEADER_MAX;
    l.header_count_max = l.header_count_max > 0 ? l.header_count_max : DEFAULT_HEADER_COUNT;
    l.body_max = l.body_max > 0 ? l.body_max : DEFAULT_BODY_MAX;
    return l;
}

struct http_parser *http_parser_create(const struct http_limits *limits)
{
    struct http_limits l = limits_or_default(limits);
    struct http_parser *p = calloc(1, sizeof *p + l.line_max + l.header_max);
    if (p == NULL)
        return NULL;
    p->headers = calloc(l.header_count_max, sizeof *p->headers);
    if (p->headers == NULL) {
        free(p);
        return NULL;
    }
    p->limits = l;
    http_parser_reset(p);
    return p;
}

void http_parser_destroy(struct http_parser *p)
{
    if (p == NULL)
        return;
    free(p->body);
    free(p->headers);
    free(p);
}

void http_parser_reset(struct http_parser *p)
{
    free(p->body);
    p->body = NULL;
    p->body_used = 0;
    p->state = LEAD;
    p->blank_seen = p->cr = p->has_length = p->connection_close = false;
    p->status = 0;
    p->reason = NULL;
    p->used = p->line_start = p->head_end = 0;
    p->request = (struct http_request){.headers = p->headers};
    p->transfer_encoding = p->expect = (struct http_slice){0};
}

static bool parse_version(struct http_parser *p, struct http_slice version)
{
    if (same(version, "HTTP/1.1"))
        p->request.minor = 1;
    else if (same(version, "HTTP/1.0"))
        p->request.minor = 0;
    else if (version.len == 8 && memcmp(version.ptr, "HTTP/", 5) == 0 && is_digit(version.ptr[5]) &&
             version.ptr[6] == '.' && is_digit(version.ptr[7]))
        return refuse(p, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    else
        return refuse(p, 400, "the request line does not end in an HTTP version");
    return true;
}

static bool parse_method(struct http_parser *p, struct http_slice method)
{
    if (!is_token(method))
        return refuse(p, 400, "the request line does not begin with a method");
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (same(method, methods[i].name)) {
            p->request.method = methods[i].method;
            return true;
        }
    }
    return refuse(p, 501, "the method is not known");
}

// "http://host:port/path", which clients send to proxies: its authority is kept as `host` and must equal the Host
// header.
static bool strip_authority(struct http_parser *p, struct http_slice *target)
{
    size_t scheme = 0;
    if (target->len >= 7 && memcmp(target->ptr, "http://", 7) == 0)
        scheme = 7;
    else if (target->len >= 8 && memcmp(target->ptr, "https://", 8) == 0)
        scheme = 8;
    else
        return refuse(p, 400, "the request target is not a path");
    const char *start = target->ptr + scheme;
    const char *slash = memchr(start, '/', target->len - scheme);
    if (slash == NULL || slash == start)
        return refuse(p, 400, "the request target has no path behind the host");
    p->request.host = (struct http_slice){start, (size_t)(slash - start)};
    target->len -= (size_t)(slash - target->ptr);
    target->ptr = slash;
    return true;
}

static bool parse_target(struct http_parser *p, struct http_slice target)
{
    if (target.len == 0)
        return refuse(p, 400, "the request line has no target");
    for (size_t i = 0; i < target.len; i++)
        if (target.ptr[i] <= ' ' || target.ptr[i] >= 0x7f || target.ptr[i] == '#')
            return refuse(p, 400, "the request target holds a character that must be written as %XX");
    if (same(target, "*")) {
        if (p->request.method != HTTP_OPTIONS)
            return refuse(p, 400, "only OPTIONS may ask about \"*\"");
    } else if (target.ptr[0] != '/' && !strip_authority(p, &target)) {
        return false;
    }
    const char *mark = memchr(target.ptr, '?', target.len);
    p->request.path = target;
    if (mark != NULL) {
        p->request.path.len = (size_t)(mark - target.ptr);
        p->request.query = (struct http_slice){mark + 1, target.len - p->request.path.len - 1};
    }
    return true;
}

// METHOD SP target SP version: exactly two spaces.
static bool parse_request_line(struct http_parser *p, struct http_slice line)
{
    const char *end = line.ptr + line.len;
    const char *first = memchr(line.ptr, ' ', line.len);
    if (first == NULL)
        return refuse(p, 400, "the request line is not \"METHOD target HTTP/1.1\"");
    const char *second = memchr(first + 1, ' ', (size_t)(end - first - 1));
    if (second == NULL || memchr(second + 1, ' ', (size_t)(end - second - 1)) != NULL)
        return refuse(p, 400, "the request line is not \"METHOD target HTTP/1.1\"");
    // the version first, so that a client of HTTP/2 is told so
    return parse_version(p, (struct http_slice){second + 1, (size_t)(end - second - 1)}) &&
           parse_method(p, (struct http_slice){line.ptr, (size_t)(first - line.ptr)}) &&
           parse_target(p, (struct http_slice){first + 1, (size_t)(second - first - 1)});
}

// Digits only: no sign, no list, no white space. A length beyond the bound is 413, however many digits it has.
static bool parse_content_length(struct http_parser *p, struct http_slice value)
{
    if (p->has_length)
        return refuse(p, 400, "Content-Length was sent twice");
    if (value.len == 0)
        return refuse(p, 400, "Content-Length is not a number");
    size_t n = 0;
    bool over = false;
    for (size_t i = 0; i < value.len; i++) {
        if (!is_digit(value.ptr[i]))
            return refuse(p, 400, "Content-Length is not a number");
        n = n * 10 + (size_t)(value.ptr[i] - '0');
        over = over || n > p->limits.body_max;
        n = over ? 0 : n;
    }
    if (over)
        return refuse(p, 413, "the body is larger than this server takes");
    p->has_length = true;
    p->request.content_length = n;
    return true;
}

// A comma-separated list of options, of which only "close" means something to us: nothing is ever upgraded.
static void parse_connection(struct http_parser *p, struct http_slice value)
{
    const char *at = value.ptr, *end = value.ptr + value.len;
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;
        if (http_slice_is(trim((struct http_slice){at, (size_t)(stop - at)}), "close"))
            p->connection_close = true;
        at = stop + 1;
    }
}

static bool set_once(struct http_parser *p, struct http_slice *slot, struct http_slice value, const char *reason)
{
    if (slot->ptr != NULL)
        return refuse(p, 400, reason);
    *slot = value;
    return true;
}

static bool parse_host(struct http_parser *p, struct http_slice value)
{
    // the authority of an absolute target stands in `host` already: both must say the same
    if (p->request.host.ptr != NULL && p->request.host.ptr < p->head + p->head_end) {
        if (p->request.host.len != value.len || strncasecmp(p->request.host.ptr, value.ptr, value.len) != 0)
            return refuse(p, 400, "Host differs from the host of the request target");
        p->request.host = value;
        return true;
    }
    return set_once(p, &p->request.host, value, "Host was sent twice");
}

// The headers that decide framing, routing or rights; each may stand once.
static bool apply_header(struct http_parser *p, struct http_slice name, struct http_slice value)
{
    struct http_request *r = &p->request;
    if (http_slice_is(name, "host"))
        return parse_host(p, value);
    if (http_slice_is(name, "content-length"))
        return parse_content_length(p, value);
    if (http_slice_is(name, "transfer-encoding"))
        return set_once(p, &p->transfer_encoding, value, "Transfer-Encoding was sent twice");
    if (http_slice_is(name, "origin"))
        return set_once(p, &r->origin, value, "Origin was sent twice");
    if (http_slice_is(name, "content-type"))
        return set_once(p, &r->content_type, value, "Content-Type was sent twice");
    if (http_slice_is(name, "authorization"))
        return set_once(p, &r->authorization, value, "Authorization was sent twice");
    if (http_slice_is(name, "expect"))
        return set_once(p, &p->expect, value, "Expect was sent twice");
    if (http_slice_is(name, "connection"))
        parse_connection(p, value);
    return true;
}

static bool parse_header(struct http_parser *p, struct http_slice line)
{
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return refuse(p, 400, "a header line is folded");
    const char *colon = memchr(line.ptr, ':', line.len);
    if (colon == NULL)
        return refuse(p, 400, "a header line has no colon");
    struct http_slice name = {line.ptr, (size_t)(colon - line.ptr)};
    if (!is_token(name))
        return refuse(p, 400, "a header name holds a character that is not allowed");
    if (p->request.header_count == p->limits.header_count_max)
        return refuse(p, 431, "the request has more headers than this server takes");
    struct http_slice value = trim((struct http_slice){colon + 1, line.len - name.len - 1});
    p->headers[p->request.header_count++] = (struct http_header){name, value};
    return apply_header(p, name, value);
}

// The empty line: what no single header could decide.
static bool finish_head(struct http_parser *p)
{
    struct http_request *r = &p->request;
    if (p->transfer_encoding.ptr != NULL) {
        if (p->has_length || r->minor == 0)
            return refuse(p, 400, "Transfer-Encoding cannot stand beside Content-Length, nor in HTTP/1.0");
        if (http_slice_is(p->transfer_encoding, "chunked"))
            return refuse(p, 411, "a chunked body is not taken, send Content-Length");
        return refuse(p, 501, "the transfer coding is not known, send Content-Length");
    }
    bool host_header = r->host.ptr != NULL && r->host.ptr >= p->head + p->head_end;
    if (!host_header && (r->minor == 1 || r->host.ptr != NULL))
        return refuse(p, 400, "the request has no Host");
    if (p->expect.ptr != NULL && !http_slice_is(p->expect, "100-continue"))
        return refuse(p, 417, "only \"Expect: 100-continue\" can be met");
    if (r->method == HTTP_POST && !p->has_length)
        return refuse(p, 411, "a POST needs Content-Length");
    // HTTP/1.0 clients that want to keep a connection say so in a dialect of their own: they are not kept
    r->keep_alive = r->minor == 1 && !p->connection_close;
    r->expect_continue = p->expect.ptr != NULL && r->minor == 1 && r->content_length > 0;
    p->state = r->content_length > 0 ? BODY : DONE;
    if (p->state == BODY && (p->body = malloc(r->content_length)) == NULL)
        return refuse(p, 503, "no memory for the body");
    return true;
}

// A whole line stands at line_start, without its CRLF.
static bool on_line(struct http_parser *p)
{
    struct http_slice line = {p->head + p->line_start, p->used - p->line_start};
    if (p->state == LEAD) {
        if (p->blank_seen)
            return refuse(p, 400, "empty lines stand before the request");
        p->blank_seen = true;
        return true;
    }
    bool ok;
    if (p->state == LINE) {
        ok = parse_request_line(p, line);
        p->head_end = p->used;
        if (ok)
            p->state = HEADER;
    } else {
        ok = line.len == 0 ? finish_head(p) : parse_header(p, line);
    }
    p->line_start = p->used;
    return ok;
}

// Keeps one byte of a line if its bound allows.
static bool keep(struct http_parser *p, char c)
{
    if (p->state == LEAD)
        p->state = LINE;
    if (p->state == LINE && p->used == p->limits.line_max)
        return refuse(p, 414, "the request line is longer than this server takes");
    if (p->state == HEADER && p->used - p->head_end == p->limits.header_max)
        return refuse(p, 431, "the headers are larger than this server takes");
    p->head[p->used++] = c;
    return true;
}

static bool take_head_byte(struct http_parser *p, char c)
{
    if (p->cr) {
        p->cr = false;
        return c == '\n' ? on_line(p) : refuse(p, 400, "a CR stands alone");
    }
    if (c == '\r') {
        p->cr = true;
        return true;
    }
    if (c == '\n')
        return refuse(p, 400, "a LF stands alone");
    if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f)
        return refuse(p, 400, "the request holds a control character");
    return keep(p, c);
}

static size_t take_body(struct http_parser *p, const char *data, size_t len)
{
    struct http_request *r = &p->request;
    size_t want = r->content_length - p->body_used;
    size_t n = len < want ? len : want;
    memcpy(p->body + p->body_used, data, n);
    p->body_used += n;
    if (p->body_used == r->content_length) {
        r->body = (struct http_slice){p->body, p->body_used};
        p->state = DONE;
    }
    return n;
}

enum http_progress http_parser_feed(struct http_parser *p, const void *data, size_t len, size_t *used)
{
    const char *bytes = data;
    size_t at = 0;
    while (at < len && p->state != DONE && p->state != BAD) {
        if (p->state == BODY)
            at += take_body(p, bytes + at, len - at);
        else
            (void)take_head_byte(p, bytes[at++]);
    }
    *used = at;
    return p->state == DONE ? HTTP_DONE : p->state == BAD ? HTTP_BAD : HTTP_MORE;
}

const struct http_request *http_parser_request(const struct http_parser *p)
{
    return &p->request;
}

bool http_parser_has_head(const struct http_parser *p)
{
    return p->state == BODY || p->state == DONE;
}

int http_parser_status(const struct http_parser *p)
{
    return p->status;
}

const char *http_parser_reason(const struct http_parser *p)
{
    return p->reason;
}
