// SPDX-License-Identifier: Apache-2.0
// The server over real sockets on loopback: good clients, and those that are slow, greedy, rude or gone.
//
// Every wait has an end: a read gives up after WAIT_MS, which is far beyond the deadlines the tests give the server.
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/metric.h"
#include "base/str.h"
#include "base/time.h"
#include "http/server.h"

// last, since it defines `fail` as a macro, and leat/host.h has a member of that name
#include <cmocka.h>

#define WAIT_MS 10000

// What the views tell; read by the server's thread.
struct world {
    int live, ready, broken;
    size_t metric_bytes; // padding of /metrics
    struct base_metrics *metrics;
};

static bool view_live(void *self, struct base_str *reason)
{
    struct world *w = self;
    base_str_addz(reason, "worker 1 stands in node \"s\\u\"");
    return __atomic_load_n(&w->live, __ATOMIC_SEQ_CST) != 0;
}

static bool view_ready(void *self, struct base_str *reason)
{
    struct world *w = self;
    base_str_addz(reason, w->broken ? "\xff\xfe" : "job \"a\" connects");
    return __atomic_load_n(&w->ready, __ATOMIC_SEQ_CST) != 0;
}

static json_t *view_health(void *self)
{
    struct world *w = self;
    return w->broken ? NULL : json_pack("{s:i, s:s}", "jobs", 3, "status", "never seen");
}

static void view_metrics(void *self, struct base_str *out)
{
    struct world *w = self;
    base_str_fill(out, '#', w->metric_bytes);
    base_str_addz(out, "\n");
    base_metrics_print(w->metrics, out);
}

static void handle_echo(void *self, const struct http_request *request, struct http_reply *reply)
{
    reply->status = 200;
    reply->content_type = "application/json";
    base_str_add(&reply->body, request->body.ptr, request->body.len);
}

static const struct http_route extra[] = {
    {"/echo", HTTP_POST, HTTP_ROUTE_GUARDED, handle_echo, NULL},
};

struct fixture {
    struct world world;
    struct http_options options;
    struct http_server *server;
    struct sockaddr_in addr;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->world = (struct world){.live = 1, .ready = 1, .metrics = base_metrics_create()};
    assert_non_null(f->world.metrics);
    f->options = (struct http_options){.listen = "127.0.0.1:0", .routes = {extra, 1}, .metrics = f->world.metrics};
    *state = f;
    return 0;
}

static void start(struct fixture *f)
{
    const struct http_views views = {&f->world, view_live, view_ready, view_health, view_metrics};
    struct base_error err = {0};
    f->server = http_server_start(&f->options, &views, &err);
    if (f->server == NULL)
        fail_msg("%s", err.message);
    unsigned port = 0;
    (void)sscanf(http_server_address(f->server), "127.0.0.1:%u", &port);
    f->addr = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    http_server_stop(f->server);
    base_metrics_destroy(f->world.metrics);
    free(f);
    return 0;
}

static int dial(const struct fixture *f)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&f->addr, sizeof f->addr), 0);
    return fd;
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

// Reads once into the text: >0 bytes, 0 at the end or a reset, -1 when nothing came within ms.
static ssize_t read_some(int fd, struct base_str *in, int ms)
{
    char block[65536];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, ms) == 0)
        return -1;
    ssize_t n = recv(fd, block, sizeof block, 0);
    if (n <= 0)
        return 0;
    base_str_add(in, block, (size_t)n);
    return n;
}

static void read_to_end(int fd, struct base_str *in)
{
    ssize_t n;
    while ((n = read_some(fd, in, WAIT_MS)) > 0)
        ;
    if (n < 0)
        fail_msg("the connection was not closed; so far: %.200s", in->ptr);
}

// Reads one reply: its head, and a body of Content-Length unless the request was HEAD. What follows stays in `rest`.
static int read_reply(int fd, struct base_str *rest, struct base_str *reply, bool head_only)
{
    const char *end;
    while ((end = strstr(rest->ptr, "\r\n\r\n")) == NULL)
        if (read_some(fd, rest, WAIT_MS) <= 0)
            return 0;
    const char *length = strstr(rest->ptr, "Content-Length: ");
    size_t want = (size_t)(end - rest->ptr) + 4;
    if (!head_only && length != NULL && length < end)
        want += strtoul(length + 16, NULL, 10);
    while (rest->len < want)
        if (read_some(fd, rest, WAIT_MS) <= 0)
            return 0;
    base_str_clear(reply);
    base_str_add(reply, rest->ptr, want);
    memmove(rest->ptr, rest->ptr + want, rest->len - want + 1);
    rest->len -= want;
    return (int)strtol(reply->ptr + strlen("HTTP/1.1 "), NULL, 10);
}

// One request on its own connection; the whole answer lands in `reply`.
static int ask(const struct fixture *f, const char *text, struct base_str *reply)
{
    int fd = dial(f);
    base_str_clear(reply);
    send_text(fd, text);
    (void)shutdown(fd, SHUT_WR);
    read_to_end(fd, reply);
    close(fd);
    return reply->len > 12 ? (int)strtol(reply->ptr + strlen("HTTP/1.1 "), NULL, 10) : 0;
}

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define HEAD(path) "HEAD " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

static int64_t number(const struct fixture *f, const char *name, uint8_t type)
{
    const struct base_metric_desc desc = {name, type, 0, ""};
    const struct base_metric_labels none = {0};
    return base_metric_get(base_metrics_add(f->world.metrics, &desc, &none));
}

// Waits for a counter of the server to reach a value.
static void wait_for(const struct fixture *f, const char *name, uint8_t type, int64_t value)
{
    leat_usec end = base_time_mono() + (leat_usec)WAIT_MS * 1000;
    while (number(f, name, type) != value) {
        if (base_time_mono() > end)
            fail_msg("%s is %ld, not %ld", name, (long)number(f, name, type), (long)value);
        (void)poll(NULL, 0, 5);
    }
}

static void has(const struct base_str *reply, const char *part)
{
    if (strstr(reply->ptr, part) == NULL)
        fail_msg("\"%s\" is not in: %.600s", part, reply->ptr);
}

static void test_health(void **state)
{
    struct fixture *f = *state;
    struct base_str r;
    base_str_init(&r);
    start(f);
    assert_int_equal(ask(f, GET("/health/live"), &r), 200);
    has(&r, "\"live\"");
    assert_int_equal(ask(f, GET("/health/ready"), &r), 200);
    assert_int_equal(ask(f, GET("/health"), &r), 200);
    has(&r, "\"status\": \"ok\"");
    has(&r, "\"jobs\": 3");
    __atomic_store_n(&f->world.ready, 0, __ATOMIC_SEQ_CST);
    assert_int_equal(ask(f, GET("/health/live"), &r), 200);
    assert_int_equal(ask(f, GET("/health/ready"), &r), 503);
    has(&r, "job \\\"a\\\" connects");
    assert_int_equal(ask(f, GET("/health"), &r), 503);
    has(&r, "\"status\": \"not ready\"");
    __atomic_store_n(&f->world.live, 0, __ATOMIC_SEQ_CST);
    assert_int_equal(ask(f, GET("/health/live"), &r), 503);
    has(&r, "worker 1 stands");
    assert_int_equal(ask(f, GET("/health"), &r), 503);
    has(&r, "\"status\": \"stalled\"");
    base_str_fini(&r);
}

static void test_broken_views_are_500_and_broken_words_shown(void **state)
{
    struct fixture *f = *state;
    struct base_str r;
    base_str_init(&r);
    f->world.broken = 1;
    f->world.ready = 0;
    start(f);
    assert_int_equal(ask(f, GET("/health"), &r), 500);
    assert_int_equal(ask(f, GET("/health/ready"), &r), 503);
    has(&r, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    base_str_fini(&r);
}

static void test_metrics_and_headers(void **state)
{
    struct fixture *f = *state;
    struct base_str r;
    base_str_init(&r);
    start(f);
    assert_int_equal(ask(f, GET("/nothing"), &r), 404);
    has(&r, "\"error\": \"there is nothing at this path\"");
    assert_int_equal(ask(f, GET("/metrics"), &r), 200);
    has(&r, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    has(&r, "leat_http_replies_total{code=\"4xx\"} 1\n");
    has(&r, "leat_http_connections 1\n");
    has(&r, "X-Content-Type-Options: nosniff\r\n");
    has(&r, "Content-Security-Policy: default-src 'none'");
    assert_null(strstr(r.ptr, "Access-Control"));
    base_str_fini(&r);
}

static void test_browser_rules_hold_on_the_wire(void **state)
{
    struct fixture *f = *state;
    struct base_str r;
    base_str_init(&r);
    start(f);
    assert_int_equal(ask(f, "GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", &r), 421);
    assert_int_equal(ask(f, "GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n", &r), 403);
    assert_int_equal(ask(f, "OPTIONS /echo HTTP/1.1\r\nHost: localhost\r\n\r\n", &r), 204);
    has(&r, "Allow: POST, OPTIONS\r\n");
    assert_null(strstr(r.ptr, "Content-Length"));
    assert_int_equal(ask(f, "DELETE /echo HTTP/1.1\r\nHost: localhost\r\n\r\n", &r), 405);
    assert_int_equal(ask(f, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", &r), 415);
    base_str_fini(&r);
}

static void test_wildcard_address(void **state)
{
    struct fixture *f = *state;
    static const char plain[] = "POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                                "Content-Length: 2\r\n\r\n{}";
    static const char token[] = "POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                                "Authorization: Bearer t0ken\r\nContent-Length: 2\r\n\r\n{}";
    struct base_str r;
    base_str_init(&r);
    f->options.listen = "0.0.0.0:0";
    f->options.token = "t0ken";
    const struct http_views views = {&f->world, view_live, view_ready, view_health, view_metrics};
    struct base_error err = {0};
    f->server = http_server_start(&f->options, &views, &err);
    assert_non_null(f->server);
    unsigned port = 0;
    assert_int_equal(sscanf(http_server_address(f->server), "0.0.0.0:%u", &port), 1);
    f->addr = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(ask(f, GET("/health/live"), &r), 200);
    assert_int_equal(ask(f, plain, &r), 401);
    has(&r, "WWW-Authenticate: Bearer");
    assert_int_equal(ask(f, token, &r), 200);
    base_str_fini(&r);
}

static void test_head_has_no_body(void **state)
{
    struct fixture *f = *state;
    struct base_str r;
    base_str_init(&r);
    start(f);
    assert_int_equal(ask(f, HEAD("/health"), &r), 200);
    const char *length = strstr(r.ptr, "Content-Length: ");
    assert_non_null(length);
    assert_true(strtoul(length + 16, NULL, 10) > 10);
    assert_string_equal(strstr(r.ptr, "\r\n\r\n"), "\r\n\r\n");
    base_str_fini(&r);
}

static void test_keep_alive_up_to_the_cap(void **state)
{
    struct fixture *f = *state;
    struct base_str rest, r;
    base_str_init(&rest);
    base_str_init(&r);
    f->options.requests_max = 3;
    start(f);
    int fd = dial(f);
    for (int i = 1; i <= 3; i++) {
        send_text(fd, i == 2 ? HEAD("/health/live") : GET("/health/live"));
        assert_int_equal(read_reply(fd, &rest, &r, i == 2), 200);
        has(&r, i < 3 ? "Connection: keep-alive\r\n" : "Connection: close\r\n");
    }
    read_to_end(fd, &rest);
    assert_int_equal(rest.len, 0);
    close(fd);
    fd = dial(f);
    send_text(fd, "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    read_to_end(fd, &rest);
    has(&rest, "Connection: close\r\n");
    close(fd);
    base_str_fini(&rest);
    base_str_fini(&r);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
    struct fixture *f = *state;
    struct base_str many, rest, r;
    base_str_init(&many);
    base_str_init(&rest);
    base_str_init(&r);
    start(f);
    // far more than the input buffer holds
    for (int i = 0; i < 900; i++)
        base_str_addz(&many, i % 3 == 0 ? GET("/health/live") : i % 3 == 1 ? GET("/nothing") : GET("/metrics"));
    int fd = dial(f);
    send_text(fd, many.ptr);
    (void)shutdown(fd, SHUT_WR);
    for (int i = 0; i < 900; i++)
        assert_int_equal(read_reply(fd, &rest, &r, false), i % 3 == 1 ? 404 : 200);
    read_to_end(fd, &rest);
    assert_int_equal(rest.len, 0);
    close(fd);
    base_str_fini(&many);
    base_str_fini(&rest);
    base_str_fini(&r);
}

static void test_half_a_request_and_the_end(void **state)
{
    struct fixture *f = *state;
    struct base_str r;
    base_str_init(&r);
    start(f);
    assert_int_equal(ask(f, "GET /health HT", &r), 0);
    assert_int_equal(ask(f, "", &r), 0);
    assert_int_equal(ask(f, GET("/health/live"), &r), 200); // ask() always closes its half first
    base_str_fini(&r);
}

static void test_expectations(void **state)
{
    struct fixture *f = *state;
    struct base_str rest, r;
    base_str_init(&rest);
    base_str_init(&r);
    start(f);
    int fd = dial(f);
    send_text(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_int_equal(read_reply(fd, &rest, &r, false), 100);
    send_text(fd, "[1");
    send_text(fd, ",2]");
    assert_int_equal(read_reply(fd, &rest, &r, false), 200);
    assert_string_equal(strstr(r.ptr, "\r\n\r\n"), "\r\n\r\n[1,2]");
    send_text(fd, "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_int_equal(read_reply(fd, &rest, &r, false), 404); // at once, and the connection ends
    read_to_end(fd, &rest);
    close(fd);
    base_str_fini(&rest);
    base_str_fini(&r);
}

static void test_slow_loris(void **state)
{
    struct fixture *f = *state;
    struct base_str r;
    base_str_init(&r);
    f->options.request_ms = 200;
    start(f);
    int fd = dial(f);
    leat_usec begun = base_time_mono();
    const char *drip = "GET /health HTTP/1.1\r\nHost: localhost\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    ssize_t n = -1;
    for (; *drip != '\0' && n < 0; drip++) { // a byte every 10 ms: no single gap is long
        assert_int_equal(send(fd, drip, 1, MSG_NOSIGNAL), 1);
        n = read_some(fd, &r, 10);
    }
    read_to_end(fd, &r);
    assert_true(base_time_mono() - begun < 5 * BASE_SECOND);
    has(&r, "HTTP/1.1 408 ");
    assert_int_equal(number(f, "leat_http_timeouts_total", LEAT_METRIC_COUNTER), 1);
    close(fd);
    base_str_fini(&r);
}

static void test_slow_body_silence_and_idling(void **state)
{
    struct fixture *f = *state;
    struct base_str rest, r;
    base_str_init(&rest);
    base_str_init(&r);
    f->options.request_ms = 500;
    f->options.idle_ms = 300;
    start(f);
    int body = dial(f), silent = dial(f), idle = dial(f);
    send_text(body,
              "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[");
    send_text(idle, GET("/health/live"));
    assert_int_equal(read_reply(idle, &rest, &r, false), 200);
    read_to_end(idle, &rest);
    read_to_end(silent, &rest);
    assert_int_equal(rest.len, 0); // both were closed without a word
    read_to_end(body, &rest);
    has(&rest, "HTTP/1.1 408 ");
    close(body);
    close(silent);
    close(idle);
    base_str_fini(&rest);
    base_str_fini(&r);
}

static void test_endless_header(void **state)
{
    struct fixture *f = *state;
    char block[65536];
    struct base_str r;
    base_str_init(&r);
    start(f);
    int fd = dial(f);
    send_text(fd, "GET /health HTTP/1.1\r\nHost: localhost\r\nX: ");
    memset(block, 'a', sizeof block);
    size_t sent = 0;
    ssize_t n = 1;
    while (n > 0 && sent < (size_t)64 << 20) {
        n = send(fd, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if (n < 0 && errno == EAGAIN)
            n = poll(&p, 1, WAIT_MS);
    }
    assert_true(n < 0); // cut off long before the end
    wait_for(f, "leat_http_connections", LEAT_METRIC_GAUGE, 0);
    close(fd);
    // a smaller one reads its refusal
    base_str_addz(&r, "GET /health HTTP/1.1\r\nHost: localhost\r\nX: ");
    base_str_fill(&r, 'a', 300000);
    char *text = base_str_take(&r);
    assert_int_equal(ask(f, text, &r), 431);
    free(text);
    base_str_fini(&r);
}

// A client that asks for a large answer and never reads it. Returns when the answer is under way.
static int dial_stuck(const struct fixture *f)
{
    int fd = dial(f), small = 4096;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    send_text(fd, GET("/metrics"));
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, WAIT_MS), 1);
    return fd;
}

static void test_too_many_connections(void **state)
{
    struct fixture *f = *state;
    struct base_str r;
    base_str_init(&r);
    f->options.connections_max = 2;
    f->world.metric_bytes = (size_t)7 << 20;
    start(f);
    int held[2] = {dial_stuck(f), dial_stuck(f)};
    for (int i = 0; i < 40; i++) { // more than there are spare connections
        assert_int_equal(ask(f, GET("/health/live"), &r), 503);
        has(&r, "too many connections are open");
    }
    assert_int_equal(number(f, "leat_http_refused_total", LEAT_METRIC_COUNTER), 40);
    wait_for(f, "leat_http_connections", LEAT_METRIC_GAUGE, 2);
    close(held[0]);
    wait_for(f, "leat_http_connections", LEAT_METRIC_GAUGE, 1);
    assert_int_equal(ask(f, GET("/health/live"), &r), 200);
    close(held[1]);
    base_str_fini(&r);
}

static void test_a_flood_of_slow_clients_does_not_lock_others_out(void **state)
{
    struct fixture *f = *state;
    struct base_str r;
    int slow[200];
    base_str_init(&r);
    f->options.connections_max = 8;
    start(f);
    for (int i = 0; i < 200; i++) {
        slow[i] = dial(f);
        if (i % 2 == 0)
            send_text(slow[i], "GET /he");
        if (i % 10 == 9)
            assert_int_equal(ask(f, GET("/health/live"), &r), 200);
    }
    assert_int_equal(number(f, "leat_http_refused_total", LEAT_METRIC_COUNTER), 0);
    assert_true(number(f, "leat_http_connections", LEAT_METRIC_GAUGE) <= 8);
    assert_true(number(f, "leat_http_evicted_total", LEAT_METRIC_COUNTER) >= 190);
    for (int i = 0; i < 200; i++)
        close(slow[i]);
    base_str_fini(&r);
}

static void test_what_waits_for_slow_clients_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct base_str r;
    base_str_init(&r);
    f->world.metric_bytes = (size_t)7 << 20;
    f->options.reply_total_max = (size_t)8 << 20;
    f->options.write_ms = 60000;
    start(f);
    int fd = dial_stuck(f);
    assert_int_equal(ask(f, GET("/metrics"), &r), 503);
    has(&r, "slow clients");
    assert_int_equal(ask(f, GET("/health/live"), &r), 200);
    close(fd);
    wait_for(f, "leat_http_connections", LEAT_METRIC_GAUGE, 0);
    assert_int_equal(ask(f, GET("/metrics"), &r), 200);
    assert_true(r.len > f->world.metric_bytes);
    base_str_fini(&r);
}

static void test_clients_that_do_not_read_are_dropped(void **state)
{
    struct fixture *f = *state;
    f->world.metric_bytes = (size_t)7 << 20;
    f->options.write_ms = 200;
    start(f);
    int fd = dial_stuck(f);
    wait_for(f, "leat_http_timeouts_total", LEAT_METRIC_COUNTER, 1);
    wait_for(f, "leat_http_connections", LEAT_METRIC_GAUGE, 0);
    close(fd);
}

static void test_an_answer_beyond_its_bound(void **state)
{
    struct fixture *f = *state;
    struct base_str r;
    base_str_init(&r);
    f->world.metric_bytes = 10000;
    f->options.reply_max = 5000;
    start(f);
    assert_int_equal(ask(f, GET("/metrics"), &r), 500);
    has(&r, "larger than this server gives");
    base_str_fini(&r);
}

static void test_clients_that_vanish(void **state)
{
    struct fixture *f = *state;
    const struct linger reset = {.l_onoff = 1};
    struct base_str r;
    base_str_init(&r);
    f->world.metric_bytes = (size_t)4 << 20;
    start(f);
    for (int i = 0; i < 20; i++) {
        int fd = dial(f);
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        send_text(fd, GET("/metrics") GET("/metrics"));
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (i % 2 == 0)
            assert_int_equal(poll(&p, 1, WAIT_MS), 1);
        if (i % 4 < 2)
            (void)shutdown(fd, SHUT_WR); // a reset after this is EPIPE for the server, without care a SIGPIPE
        close(fd);
    }
    assert_int_equal(ask(f, GET("/health/live"), &r), 200);
    wait_for(f, "leat_http_connections", LEAT_METRIC_GAUGE, 0);
    base_str_fini(&r);
}

static void test_stop_is_prompt(void **state)
{
    struct fixture *f = *state;
    struct base_str r;
    base_str_init(&r);
    f->world.metric_bytes = (size_t)7 << 20;
    start(f);
    int idle = dial(f), stuck = dial_stuck(f);
    leat_usec begun = base_time_mono();
    http_server_stop(f->server);
    f->server = NULL;
    assert_true(base_time_mono() - begun < 5 * BASE_SECOND);
    read_to_end(idle, &r);
    assert_int_equal(r.len, 0);
    close(idle);
    close(stuck);
    base_str_fini(&r);
}

static void test_unix_socket(void **state)
{
    struct fixture *f = *state;
    char folder[] = "/tmp/leat-http-XXXXXX", listen[64];
    const struct http_views views = {&f->world, view_live, view_ready, view_health, view_metrics};
    struct base_error err = {0};
    struct base_str rest, r;
    base_str_init(&rest);
    base_str_init(&r);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(listen, sizeof listen, "unix:%s/s", folder);
    f->options.listen = listen;
    f->server = http_server_start(&f->options, &views, &err);
    assert_non_null(f->server);
    assert_string_equal(http_server_address(f->server), listen);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    (void)snprintf(un.sun_path, sizeof un.sun_path, "%s", listen + 5);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&un, sizeof un), 0);
    send_text(fd, GET("/health/live"));
    assert_int_equal(read_reply(fd, &rest, &r, false), 200);
    close(fd);
    http_server_stop(f->server);
    f->server = NULL;
    assert_int_equal(rmdir(folder), 0); // the socket file went with the server
    base_str_fini(&rest);
    base_str_fini(&r);
}

static void test_refused_options(void **state)
{
    struct fixture *f = *state;
    const struct http_views views = {&f->world, view_live, view_ready, view_health, view_metrics};
    struct base_error err = {0};
    const char *const bad[] = {"http://leat", "leat:80", "[::1]", "", "a b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        f->options.hosts = &bad[i];
        f->options.host_count = 1;
        assert_null(http_server_start(&f->options, &views, &err));
        assert_string_equal(err.code, "LEAT-H0103");
    }
    f->options.host_count = 0;
    f->options.token = "planted secret";
    assert_null(http_server_start(&f->options, &views, &err));
    assert_string_equal(err.code, "LEAT-H0104");
    assert_null(strstr(err.message, "planted"));
    f->options.token = NULL;
    f->options.listen = "nowhere";
    assert_null(http_server_start(&f->options, &views, &err));
    assert_string_equal(err.code, "LEAT-H0101");
    f->options.listen = "127.0.0.1:0";
    start(f);
    char taken[64];
    (void)snprintf(taken, sizeof taken, "%s", http_server_address(f->server));
    f->options.listen = taken;
    assert_null(http_server_start(&f->options, &views, &err));
    assert_string_equal(err.code, "LEAT-H0102");
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_health),
        CASE(test_broken_views_are_500_and_broken_words_shown),
        CASE(test_metrics_and_headers),
        CASE(test_browser_rules_hold_on_the_wire),
        CASE(test_wildcard_address),
        CASE(test_head_has_no_body),
        CASE(test_keep_alive_up_to_the_cap),
        CASE(test_pipelined_requests_are_answered_in_order),
        CASE(test_half_a_request_and_the_end),
        CASE(test_expectations),
        CASE(test_slow_loris),
        CASE(test_slow_body_silence_and_idling),
        CASE(test_endless_header),
        CASE(test_too_many_connections),
        CASE(test_a_flood_of_slow_clients_does_not_lock_others_out),
        CASE(test_what_waits_for_slow_clients_is_bounded),
        CASE(test_clients_that_do_not_read_are_dropped),
        CASE(test_an_answer_beyond_its_bound),
        CASE(test_clients_that_vanish),
        CASE(test_stop_is_prompt),
        CASE(test_unix_socket),
        CASE(test_refused_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
