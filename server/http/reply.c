// SPDX-License-Identifier: Apache-2.0
// Building answers: see reply.h.
#include "http/reply.h"

#include <string.h>
#include <time.h>

#include "http/parser.h"

static const struct {
    int status;
    const char *text;
} texts[] = {
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

static const char protective[] =
    "X-Content-Type-Options: nosniff\r\n"
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n";

static const char *text_of(int status)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "Other";
}

void http_reply_init(struct http_reply *reply, size_t body_max)
{
    *reply = (struct http_reply){0};
    base_str_init(&reply->body);
    reply->body.max = body_max;
}

void http_reply_fini(struct http_reply *reply)
{
    base_str_fini(&reply->body);
}

static int append(const char *bytes, size_t len, void *out)
{
    base_str_add(out, bytes, len);
    return base_str_ok(out) ? 0 : -1;
}

void http_reply_json(struct http_reply *reply, int status, json_t *take)
{
    base_str_clear(&reply->body);
    reply->status = status;
    reply->content_type = "application/json";
    bool written = take != NULL && json_dump_callback(take, append, &reply->body, JSON_INDENT(2)) == 0;
    json_decref(take);
    base_str_addc(&reply->body, '\n');
    if (written && base_str_ok(&reply->body))
        return;
    // a last word that needs no memory: the status alone
    base_str_clear(&reply->body);
    reply->status = 500;
}

void http_reply_error(struct http_reply *reply, int status, const char *reason)
{
    http_reply_json(reply, status, json_pack("{s:i, s:s}", "status", status, "error", reason));
}

// The date as HTTP wants it; strftime would follow the process's locale.
static void put_date(struct base_str *out, int64_t unix_seconds)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)unix_seconds;
    struct tm tm;
    if (gmtime_r(&t, &tm) == NULL)
        return;
    base_str_addf(out, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
                  tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void put_allow(struct base_str *out, uint32_t methods)
{
    base_str_addf(out, "Allow: %s%sOPTIONS\r\n", methods & HTTP_GET ? "GET, HEAD, " : "",
                  methods & HTTP_POST ? "POST, " : "");
}

void http_reply_head(const struct http_reply *reply, bool keep_alive, int64_t unix_seconds, struct base_str *out)
{
    base_str_addf(out, "HTTP/1.1 %d %s\r\n", reply->status, text_of(reply->status));
    put_date(out, unix_seconds);
    if (reply->content_type != NULL && reply->body.len > 0)
        base_str_addf(out, "Content-Type: %s\r\n", reply->content_type);
    if (reply->status != 204)
        base_str_addf(out, "Content-Length: %zu\r\n", reply->body.len);
    if (reply->allow != 0)
        put_allow(out, reply->allow);
    if (reply->ask_token)
        base_str_addf(out, "WWW-Authenticate: Bearer realm=\"leat\"\r\n");
    base_str_addz(out, protective);
    base_str_addf(out, "Connection: %s\r\n\r\n", keep_alive ? "keep-alive" : "close");
}
