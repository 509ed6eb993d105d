// SPDX-License-Identifier: Apache-2.0
// Addresses, the browser rules, the token and the routes, without a socket but for the two tests of binding.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "http/router.h"

static void test_addresses(void **unused)
{
    static const struct {
        const char *text, *canonical; // canonical NULL = refused
        bool loopback;
    } rows[] = {
        {"127.0.0.1:8080", "127.0.0.1:8080", true},
        {"localhost:0", "127.0.0.1:0", true},
        {"127.9.9.9:1", "127.9.9.9:1", true},
        {"0.0.0.0:65535", "0.0.0.0:65535", false},
        {"[::1]:80", "[::1]:80", true},
        {"[0:0::1]:80", "[::1]:80", true},
        {"[::]:80", "[::]:80", false},
        {"[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:80", true},
        {"[fe80::1]:80", "[fe80::1]:80", false},
        {"unix:/tmp/x", "unix:/tmp/x", true},
        {"", NULL, false},
        {":8080", NULL, false},
        {"8080", NULL, false},
        {"*:8080", NULL, false},
        {"127.0.0.1", NULL, false},
        {"127.0.0.1:", NULL, false},
        {"127.0.0.1:65536", NULL, false},
        {"127.0.0.1:-1", NULL, false},
        {"127.0.0.1:80x", NULL, false},
        {"127.0.0.1:000080", NULL, false},
        {"127.1:80", NULL, false},
        {"example.org:80", NULL, false},
        {"::1:80", NULL, false},
        {"[::1]", NULL, false},
        {"[::1:80", NULL, false},
        {"[]:80", NULL, false},
        {"[:80", NULL, false},
        {"]:80", NULL, false},
        {"[127.0.0.1]:80", NULL, false},
        {"http://127.0.0.1:80", NULL, false},
        {"unix:", NULL, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct http_address a;
        struct base_error err = {0};
        bool ok = http_address_parse(rows[i].text, &a, &err);
        if (ok != (rows[i].canonical != NULL))
            fail_msg("\"%s\" was %s", rows[i].text, ok ? "taken" : "refused");
        if (ok) {
            assert_string_equal(a.text, rows[i].canonical);
            assert_int_equal(a.loopback, rows[i].loopback);
        } else {
            assert_string_equal(err.code, "LEAT-H0101");
            assert_int_equal(err.failure, LEAT_CONFIG);
            assert_true(strlen(err.hint) > 0);
        }
    }
}

static void test_long_addresses_are_refused(void **unused)
{
    char text[1024] = "unix:";
    struct http_address a;
    struct base_error err;
    memset(text + 5, 'a', 108);
    text[5 + 108] = '\0';
    assert_false(http_address_parse(text, &a, &err));
    text[5 + 107] = '\0';
    assert_true(http_address_parse(text, &a, &err));
    memset(text, '1', sizeof text - 1);
    memcpy(text + sizeof text - 4, ":80", 4);
    assert_false(http_address_parse(text, &a, &err));
    text[0] = '[';
    text[sizeof text - 5] = ']';
    assert_false(http_address_parse(text, &a, &err));
}

static void test_port_zero_is_told_and_a_taken_port_explained(void **unused)
{
    struct http_address want, got, again;
    struct base_error err;
    assert_true(http_address_parse("127.0.0.1:0", &want, &err));
    int fd = http_address_listen(&want, &got, &err);
    assert_true(fd >= 0);
    assert_string_not_equal(got.text, "127.0.0.1:0");
    assert_int_equal(http_address_listen(&got, &again, &err), -1);
    assert_string_equal(err.code, "LEAT-H0102");
    assert_string_equal(err.native_code, "EADDRINUSE");
    assert_non_null(strstr(err.message, got.text));
    assert_non_null(strstr(err.hint, "ss -ltnp"));
    close(fd);
}

static void test_socket_file_is_private_and_replaced_when_dead(void **unused)
{
    char folder[] = "/tmp/leat-http-XXXXXX", text[64];
    struct http_address want, got;
    struct base_error err;
    struct stat st;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(text, sizeof text, "unix:%s/s", folder);
    assert_true(http_address_parse(text, &want, &err));
    int fd = http_address_listen(&want, &got, &err);
    assert_true(fd >= 0);
    assert_int_equal(stat(text + 5, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(http_address_listen(&want, &got, &err), -1); // alive
    close(fd);
    fd = http_address_listen(&want, &got, &err); // dead: its file is a leftover
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(unlink(text + 5), 0);
    FILE *file = fopen(text + 5, "w"); // not a socket: never removed
    assert_non_null(file);
    fclose(file);
    assert_int_equal(http_address_listen(&want, &got, &err), -1);
    assert_non_null(strstr(err.hint, "it is no socket"));
    assert_int_equal(unlink(text + 5), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void answer(void *self, const struct http_request *request, struct http_reply *reply)
{
    ++*(int *)self;
    http_reply_json(reply, 200, json_object());
}

// Asks a router that listens on `listen` and returns the status; calls counts handler calls.
struct ask {
    const char *listen, *local_ip, *token, *request;
    int calls;
    uint32_t allow;
    bool ask_token;
    char body[256];
};

static int ask(struct ask *a)
{
    static const char *const hosts[] = {"Leat.Example.org", "2001:db8:0::1"};
    const struct http_route routes[] = {
        {"/open", HTTP_GET, 0, answer, &a->calls},
        {"/rows", HTTP_GET, HTTP_ROUTE_GUARDED, answer, &a->calls},
        {"/stop", HTTP_POST, HTTP_ROUTE_GUARDED, answer, &a->calls},
    };
    struct http_address listen;
    struct base_error err;
    size_t used;
    assert_true(http_address_parse(a->listen, &listen, &err));
    const struct http_router router = {.guard = {&listen, hosts, 2, a->token}, .tables = {{NULL, 0}, {routes, 3}}};
    struct http_parser *parser = http_parser_create(NULL);
    struct http_reply reply;
    assert_non_null(parser);
    http_reply_init(&reply, 4096);
    if (http_parser_feed(parser, a->request, strlen(a->request), &used) != HTTP_DONE)
        fail_msg("not a request: %s", a->request);
    a->calls = 0;
    http_router_answer(&router, http_parser_request(parser), a->local_ip != NULL ? a->local_ip : "", &reply);
    int status = reply.status;
    a->allow = reply.allow;
    a->ask_token = reply.ask_token;
    (void)snprintf(a->body, sizeof a->body, "%s", reply.body.ptr);
    http_reply_fini(&reply);
    http_parser_destroy(parser);
    assert_int_equal(a->calls, status == 200);
    return status;
}

static void test_hosts(void **unused)
{
    static const struct {
        const char *listen, *local_ip, *host;
        int status;
    } rows[] = {
        {"127.0.0.1:80", "127.0.0.1", "127.0.0.1:80", 200},
        {"127.0.0.1:80", "127.0.0.1", "127.0.0.1:9999", 200}, // a tunnel's port
        {"127.0.0.1:80", "127.0.0.1", "LocalHost", 200},
        {"127.0.0.1:80", "127.0.0.1", "localhost.:80", 200},
        {"127.0.0.1:80", "127.0.0.1", "[::1]:80", 200},
        {"127.0.0.1:80", "127.0.0.1", "leat.example.ORG:80", 200},
        {"127.0.0.1:80", "127.0.0.1", "[2001:db8::1]", 200},
        {"127.0.0.1:80", "127.0.0.1", "evil.example", 421},
        {"127.0.0.1:80", "127.0.0.1", "127.0.0.1.evil.example", 421},
        {"127.0.0.1:80", "127.0.0.1", "localhost.evil.example", 421},
        {"127.0.0.1:80", "127.0.0.1", "10.0.0.5", 421},
        {"127.0.0.1:80", "127.0.0.1", "0x7f.1", 421},
        {"127.0.0.1:80", "127.0.0.1", "2130706433", 421},
        {"127.0.0.1:80", "127.0.0.1", "a:80:80", 400},
        {"127.0.0.1:80", "127.0.0.1", "localhost:80x", 400},
        {"127.0.0.1:80", "127.0.0.1", "localhost:123456", 400},
        {"127.0.0.1:80", "127.0.0.1", "::1", 400},
        {"127.0.0.1:80", "127.0.0.1", "[::1", 400},
        {"127.0.0.1:80", "127.0.0.1", "[localhost]", 400},
        {"127.0.0.1:80", "127.0.0.1", "[::1]x", 400},
        {"127.0.0.1:80", "127.0.0.1", "", 400},
        {"127.0.0.1:80", "127.0.0.1", ":80", 400},
        {"0.0.0.0:80", "10.0.0.5", "10.0.0.5:80", 200},
        {"[::]:80", "10.0.0.5", "[::ffff:10.0.0.5]:80", 200},
        {"0.0.0.0:80", "10.0.0.5", "10.0.0.6", 421},
        {"10.0.0.5:80", "10.0.0.5", "10.0.0.5", 200},
        {"unix:/tmp/s", "", "localhost", 200},
        {"unix:/tmp/s", "", "other", 421},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "GET /open HTTP/1.1\r\nHost: %s\r\n\r\n", rows[i].host);
        struct ask a = {.listen = rows[i].listen, .local_ip = rows[i].local_ip, .request = text};
        int status = ask(&a);
        if (status != rows[i].status)
            fail_msg("Host \"%s\" at %s: %d, not %d", rows[i].host, rows[i].listen, status, rows[i].status);
    }
}

static void test_origins(void **unused)
{
    static const struct {
        const char *host, *origin;
        int status;
    } rows[] = {
        {"localhost:80", "http://localhost:80", 200},
        {"localhost:80", "HTTP://LOCALHOST:80", 200},
        {"localhost", "https://localhost", 200},
        {"localhost:80", "http://localhost:81", 403},
        {"localhost:80", "http://localhost", 403},
        {"localhost:80", "http://127.0.0.1:80", 403},
        {"localhost:80", "http://evil.example", 403},
        {"localhost:80", "null", 403},
        {"localhost:80", "", 403},
        {"localhost:80", "http://", 403},
        {"localhost:80", "file://localhost:80", 403},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "GET /open HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\n\r\n", rows[i].host,
                       rows[i].origin);
        struct ask a = {.listen = "127.0.0.1:80", .request = text};
        int status = ask(&a);
        if (status != rows[i].status)
            fail_msg("Origin \"%s\" at %s: %d, not %d", rows[i].origin, rows[i].host, status, rows[i].status);
    }
}

static void test_methods(void **unused)
{
    static const struct {
        const char *line, *headers;
        int status;
        uint32_t allow;
    } rows[] = {
        {"GET /open", "", 200, 0},
        {"GET /open?a=b", "", 200, 0},
        {"HEAD /open", "", 200, 0},
        {"OPTIONS /open", "", 204, HTTP_GET},
        {"OPTIONS /stop", "", 204, HTTP_POST},
        {"OPTIONS *", "", 204, HTTP_GET | HTTP_POST},
        {"OPTIONS /none", "", 404, 0},
        {"GET /none", "", 404, 0},
        {"GET /open/", "", 404, 0},
        {"GET //open", "", 404, 0},
        {"GET /OPEN", "", 404, 0},
        {"GET /%6fpen", "", 404, 0},
        {"GET /../open", "", 404, 0},
        {"PUT /open", "", 405, HTTP_GET},
        {"GET /stop", "", 405, HTTP_POST},
        {"HEAD /stop", "", 405, HTTP_POST},
        {"POST /open", "Content-Type: application/json\r\nContent-Length: 2\r\n", 405, HTTP_GET},
        {"GET /open", "Content-Length: 2\r\n", 400, 0},
        {"POST /stop", "Content-Type: application/json\r\nContent-Length: 2\r\n", 200, 0},
        {"POST /stop", "Content-Type: Application/JSON ; charset=utf-8\r\nContent-Length: 2\r\n", 200, 0},
        {"POST /stop", "Content-Type: text/plain\r\nContent-Length: 2\r\n", 415, 0},
        {"POST /stop", "Content-Type: application/jsonp\r\nContent-Length: 2\r\n", 415, 0},
        {"POST /stop", "Content-Type: text/plain;application/json\r\nContent-Length: 2\r\n", 415, 0},
        {"POST /stop", "Content-Type:\r\nContent-Length: 2\r\n", 415, 0},
        {"POST /stop", "Content-Length: 2\r\n", 415, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n{}", rows[i].line, rows[i].headers);
        struct ask a = {.listen = "127.0.0.1:80", .request = text};
        int status = ask(&a);
        if (status != rows[i].status || a.allow != rows[i].allow)
            fail_msg("%s, %s: %d, not %d (allow %u)", rows[i].line, rows[i].headers, status, rows[i].status, a.allow);
    }
}

static void test_tokens(void **unused)
{
    static const struct {
        const char *listen, *token, *path, *authorization; // authorization NULL = none sent
        int status;
    } rows[] = {
        {"127.0.0.1:80", NULL, "/rows", NULL, 200},
        {"unix:/tmp/s", NULL, "/rows", NULL, 200},
        {"0.0.0.0:80", NULL, "/open", NULL, 200},
        {"0.0.0.0:80", NULL, "/rows", NULL, 403},
        {"0.0.0.0:80", NULL, "/rows", "Bearer x", 403},
        {"0.0.0.0:80", "secret", "/open", NULL, 200},
        {"0.0.0.0:80", "secret", "/rows", NULL, 401},
        {"0.0.0.0:80", "secret", "/rows", "Bearer secret", 200},
        {"0.0.0.0:80", "secret", "/rows", "bearer secret", 200},
        {"0.0.0.0:80", "secret", "/rows", "Bearer Secret", 401},
        {"0.0.0.0:80", "secret", "/rows", "Bearer secre", 401},
        {"0.0.0.0:80", "secret", "/rows", "Bearer secretsecret", 401},
        {"0.0.0.0:80", "secret", "/rows", "Bearer ", 401},
        {"0.0.0.0:80", "secret", "/rows", "Basic secret", 401},
        {"0.0.0.0:80", "secret", "/rows", "secret", 401},
        {"127.0.0.1:80", "secret", "/rows", NULL, 401}, // who sets a token means it
        {"127.0.0.1:80", "secret", "/rows", "Bearer secret", 200},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        const char *sent = rows[i].authorization;
        (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s%s%s\r\n", rows[i].path,
                       sent != NULL ? "Authorization: " : "", sent != NULL ? sent : "", sent != NULL ? "\r\n" : "");
        struct ask a = {.listen = rows[i].listen, .token = rows[i].token, .request = text};
        int status = ask(&a);
        if (status != rows[i].status || a.ask_token != (status == 401))
            fail_msg("%s %s \"%s\": %d, not %d", rows[i].listen, rows[i].path, sent != NULL ? sent : "-", status,
                     rows[i].status);
        assert_null(strstr(a.body, "secret"));
    }
}

static void test_no_host_in_1_0(void **unused)
{
    struct ask a = {.listen = "127.0.0.1:80", .request = "GET /open HTTP/1.0\r\n\r\n"};
    assert_int_equal(ask(&a), 200);
    a.request = "GET /open HTTP/1.0\r\nOrigin: http://localhost\r\n\r\n";
    assert_int_equal(ask(&a), 403);
}

static void test_a_head_fits_its_bound(void **unused)
{
    struct http_reply reply;
    struct base_str head;
    http_reply_init(&reply, 100);
    base_str_init(&head);
    http_reply_error(&reply, 431, "x");
    reply.allow = HTTP_GET | HTTP_POST;
    reply.ask_token = true;
    http_reply_head(&reply, true, 784111777, &head);
    assert_true(base_str_ok(&head));
    assert_true(head.len < 1024);
    assert_non_null(strstr(head.ptr, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
    assert_non_null(strstr(head.ptr, "Allow: GET, HEAD, POST, OPTIONS\r\n"));
    assert_non_null(strstr(head.ptr, "X-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(head.ptr, "Cache-Control: no-store\r\n"));
    assert_null(strstr(head.ptr, "Access-Control"));
    base_str_fini(&head);
    http_reply_fini(&reply);
}

static void test_a_body_beyond_its_bound_is_an_error(void **unused)
{
    struct http_reply reply;
    http_reply_init(&reply, 60);
    http_reply_json(&reply, 200, json_pack("{s:s}", "long", "0123456789012345678901234567890123456789012345678901234"));
    assert_int_equal(reply.status, 500);
    assert_int_equal(reply.body.len, 0);
    http_reply_json(&reply, 200, NULL);
    assert_int_equal(reply.status, 500);
    http_reply_error(&reply, 404, "x");
    assert_int_equal(reply.status, 404);
    http_reply_fini(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_long_addresses_are_refused),
        cmocka_unit_test(test_port_zero_is_told_and_a_taken_port_explained),
        cmocka_unit_test(test_socket_file_is_private_and_replaced_when_dead),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_no_host_in_1_0),
        cmocka_unit_test(test_a_head_fits_its_bound),
        cmocka_unit_test(test_a_body_beyond_its_bound_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
