// SPDX-License-Identifier: Apache-2.0
// A connection: reads one request, answers it, reads the next.
//
// The idea: at any time a connection is in one phase, and each phase has one deadline and one bound. Reading is
// switched off while an answer is under way, so a client that pipelines fills its own socket and nothing of ours
// (libevent's input buffer stops at INPUT_MAX).
//
//   READ ──request or refusal──▶ WRITE ──taken, kept alive──▶ READ
//     │ end, error, idle           │ taken, not kept          LINGER ──end, 1 s, too much──▶ CLOSED
//     ▼                            ├─────────────────────────▶ ▲
//   CLOSED ◀──error, deadline──────┘
//
// LINGER closes our direction only and throws away what still comes: closing with unread bytes would send a reset, and
// the client might lose the answer that tells it what it did wrong. A closed connection is freed on the next turn of
// the loop (hub->reaper), since libevent may still stand in one of its callbacks.
#include "http/conn.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "base/metric.h"
#include "base/str.h"

#define INPUT_MAX  16384
#define LINGER_MS  1000
#define LINGER_MAX (1u << 20) // bytes thrown away before we stop listening

enum phase { READ, WRITE, LINGER, CLOSED };

struct http_conn {
    struct base_list link;
    struct http_hub *hub;
    enum phase phase;
    bool in_request;   // the deadline of the request runs
    bool keep_alive;   // after the answer that is under way
    bool continued;    // "100 Continue" was sent, or is not wanted
    uint32_t requests; // answered so far
    size_t pending;    // bytes of the answer under way, part of hub->reply_bytes
    size_t lingered;   // bytes thrown away
    struct bufferevent *bev;
    struct event *deadline;
    struct http_parser *parser; // NULL for a client that is turned away
    char local_ip[HTTP_IP_TEXT];
};

static void set_deadline(struct http_conn *c, uint32_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    (void)event_add(c->deadline, &tv);
}

static void close_conn(struct http_conn *c)
{
    if (c->phase == CLOSED)
        return;
    c->phase = CLOSED;
    c->hub->reply_bytes -= c->pending;
    c->pending = 0;
    (void)event_del(c->deadline);
    bufferevent_setcb(c->bev, NULL, NULL, NULL, NULL);
    (void)bufferevent_disable(c->bev, EV_READ | EV_WRITE);
    base_list_remove(&c->link);
    base_list_push_back(&c->hub->closed, &c->link);
    event_active(c->hub->reaper, 0, 0);
}

static void count_reply(struct http_hub *hub, int status)
{
    int digit = status / 100;
    if (digit >= 2 && digit <= 5)
        base_metric_inc(hub->count.replies[digit - 2], 1);
}

static void free_body(const void *data, size_t len, void *body)
{
    free(body);
}

// Hands head and body to libevent, the body without a copy. Takes the body out of the reply.
static bool queue(struct http_conn *c, struct http_reply *reply, bool with_body)
{
    struct evbuffer *out = bufferevent_get_output(c->bev);
    struct base_str head;
    base_str_init(&head);
    http_reply_head(reply, c->keep_alive, (int64_t)time(NULL), &head);
    bool ok = base_str_ok(&head) && evbuffer_add(out, head.ptr, head.len) == 0;
    base_str_fini(&head);
    size_t len = reply->body.len;
    if (!ok || !with_body || len == 0)
        return ok;
    char *body = base_str_take(&reply->body);
    if (body == NULL)
        return false;
    if (evbuffer_add_reference(out, body, len, free_body, body) != 0) {
        free(body);
        return false;
    }
    c->pending = len;
    c->hub->reply_bytes += len;
    return true;
}

static void send_reply(struct http_conn *c, struct http_reply *reply, bool keep_alive, bool with_body)
{
    if (c->hub->reply_bytes + reply->body.len > c->hub->reply_total_max)
        http_reply_error(reply, 503, "too many answers wait to be read by slow clients");
    c->keep_alive = keep_alive && !c->hub->stopping;
    c->phase = WRITE;
    c->requests++;
    (void)bufferevent_disable(c->bev, EV_READ);
    set_deadline(c, c->hub->write_ms);
    count_reply(c->hub, reply->status);
    if (!queue(c, reply, with_body))
        close_conn(c);
}

static void send_error(struct http_conn *c, int status, const char *reason)
{
    struct http_reply reply;
    http_reply_init(&reply, c->hub->reply_max);
    http_reply_error(&reply, status, reason);
    send_reply(c, &reply, false, true);
    http_reply_fini(&reply);
}

static void answer(struct http_conn *c)
{
    const struct http_request *request = http_parser_request(c->parser);
    struct http_reply reply;
    http_reply_init(&reply, c->hub->reply_max);
    http_router_answer(&c->hub->router, request, c->local_ip, &reply);
    bool keep_alive = request->keep_alive && c->requests + 1 < c->hub->requests_max;
    send_reply(c, &reply, keep_alive, request->method != HTTP_HEAD);
    http_reply_fini(&reply);
}

// Puts a connection behind all others, so that the list is sorted by the begin of their phase.
static void move_back(struct http_conn *c)
{
    base_list_remove(&c->link);
    base_list_push_back(&c->hub->live, &c->link);
}

// A client that waits before it sends its body is told at once whether anybody wants it.
static void answer_expectation(struct http_conn *c)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const struct http_request *request = http_parser_request(c->parser);
    struct http_reply reply;
    c->continued = true;
    http_reply_init(&reply, c->hub->reply_max);
    if (http_router_check(&c->hub->router, request, c->local_ip, &reply) == NULL)
        send_reply(c, &reply, false, true);
    else if (bufferevent_write(c->bev, go_on, sizeof go_on - 1) != 0)
        close_conn(c);
    http_reply_fini(&reply);
}

// Feeds the first piece of the input to the parser.
static enum http_progress feed(struct http_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    struct evbuffer_iovec piece = {0};
    size_t used = 0;
    enum http_progress progress = HTTP_MORE;
    if (evbuffer_peek(in, -1, NULL, &piece, 1) > 0)
        progress = http_parser_feed(c->parser, piece.iov_base, piece.iov_len, &used);
    (void)evbuffer_drain(in, used);
    return progress;
}

static void read_request(struct http_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    while (c->phase == READ && evbuffer_get_length(in) > 0) {
        if (!c->in_request && c->requests > 0)
            set_deadline(c, c->hub->request_ms);
        c->in_request = true;
        enum http_progress progress = feed(c);
        if (progress == HTTP_DONE)
            answer(c);
        else if (progress == HTTP_BAD)
            send_error(c, http_parser_status(c->parser), http_parser_reason(c->parser));
    }
    if (c->phase == READ && !c->continued && http_parser_has_head(c->parser) &&
        http_parser_request(c->parser)->expect_continue)
        answer_expectation(c);
}

static void throw_away(struct http_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t len = evbuffer_get_length(in);
    (void)evbuffer_drain(in, len);
    c->lingered += len;
    if (c->lingered > LINGER_MAX)
        close_conn(c);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct http_conn *c = arg;
    if (c->phase == READ)
        read_request(c);
    else if (c->phase == LINGER)
        throw_away(c);
}

static void linger(struct http_conn *c)
{
    c->phase = LINGER;
    move_back(c);
    (void)shutdown(bufferevent_getfd(c->bev), SHUT_WR);
    set_deadline(c, LINGER_MS);
    throw_away(c);
    (void)bufferevent_enable(c->bev, EV_READ);
}

static void next_request(struct http_conn *c)
{
    c->phase = READ;
    move_back(c);
    c->in_request = c->continued = false;
    http_parser_reset(c->parser);
    set_deadline(c, c->hub->idle_ms);
    (void)bufferevent_enable(c->bev, EV_READ);
    read_request(c);
}

// All that was written has left for the kernel.
static void on_write(struct bufferevent *bev, void *arg)
{
    struct http_conn *c = arg;
    if (c->phase != WRITE || evbuffer_get_length(bufferevent_get_output(bev)) > 0)
        return;
    c->hub->reply_bytes -= c->pending;
    c->pending = 0;
    if (c->keep_alive && !c->hub->stopping)
        next_request(c);
    else
        linger(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    close_conn(arg);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct http_conn *c = arg;
    bool idle = c->phase == READ && !c->in_request;
    if (!idle && c->phase != LINGER)
        base_metric_inc(c->hub->count.timeouts, 1);
    if (c->phase == READ && c->in_request)
        send_error(c, 408, "the request took too long to arrive");
    else
        close_conn(c);
}

static void free_conn(struct http_conn *c)
{
    if (c->deadline != NULL)
        event_free(c->deadline);
    if (c->bev != NULL) {
        // libevent ends a bufferevent only when the loop turns; during a burst of accepts that would be too late
        int fd = bufferevent_getfd(c->bev);
        (void)bufferevent_setfd(c->bev, -1);
        bufferevent_free(c->bev);
        close(fd);
    }
    http_parser_destroy(c->parser);
    free(c);
}

static struct http_conn *create_conn(struct http_hub *hub, int fd, bool busy)
{
    struct http_conn *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->hub = hub;
    c->parser = busy ? NULL : http_parser_create(&hub->limits);
    c->deadline = evtimer_new(hub->base, on_deadline, c);
    if ((busy || c->parser != NULL) && c->deadline != NULL)
        c->bev = bufferevent_socket_new(hub->base, fd, 0);
    if (c->bev != NULL)
        return c;
    free_conn(c);
    return NULL;
}

static void note_local_ip(struct http_conn *c, int fd)
{
    struct http_address local;
    if (http_address_of_socket(fd, &local))
        memcpy(c->local_ip, local.ip, sizeof c->local_ip);
}

void http_conn_open(struct http_hub *hub, int fd, bool busy)
{
    int on = 1;
    struct http_conn *c = create_conn(hub, fd, busy);
    if (c == NULL) {
        close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // fails on unix sockets, where it means nothing
    note_local_ip(c, fd);
    hub->open++;
    base_metric_inc(hub->count.open, 1);
    base_list_push_back(&hub->live, &c->link);
    bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
    bufferevent_setwatermark(c->bev, EV_READ, 0, INPUT_MAX);
    if (busy) {
        send_error(c, 503, "too many connections are open");
        return;
    }
    set_deadline(c, hub->request_ms);
    if (bufferevent_enable(c->bev, EV_READ | EV_WRITE) != 0)
        close_conn(c);
}

void http_conn_close_all(struct http_hub *hub, bool all)
{
    BASE_LIST_EACH_SAFE(link, &hub->live)
    {
        struct http_conn *c = BASE_LIST_ITEM(link, struct http_conn, link);
        if (all || c->phase != WRITE)
            close_conn(c);
    }
}

static struct http_conn *longest_in(struct http_hub *hub, enum phase phase)
{
    BASE_LIST_EACH(link, &hub->live)
    {
        struct http_conn *c = BASE_LIST_ITEM(link, struct http_conn, link);
        if (c->phase == phase)
            return c;
    }
    return NULL;
}

bool http_conn_evict(struct http_hub *hub)
{
    struct http_conn *c = longest_in(hub, LINGER);
    c = c != NULL ? c : longest_in(hub, READ);
    if (c == NULL)
        return false;
    close_conn(c);
    http_conn_reap(hub);
    return true;
}

void http_conn_reap(struct http_hub *hub)
{
    struct base_list *link;
    while ((link = base_list_pop_front(&hub->closed)) != NULL) {
        free_conn(BASE_LIST_ITEM(link, struct http_conn, link));
        hub->open--;
        base_metric_inc(hub->count.open, -1);
    }
}
