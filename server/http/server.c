// SPDX-License-Identifier: Apache-2.0
// The server: options, listener, thread, orderly end. See server.h; connections are in conn.c.
//
// The thread is the only one that touches the hub. The owner reaches it through one eventfd, which means "stop". All
// signals that are not faults are blocked in the thread: they belong to the main thread, and a SIGPIPE from a client
// that went away must not end the process (libevent writes without MSG_NOSIGNAL).
#include "http/server.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "base/error.h"
#include "base/log.h"
#include "base/metric.h"
#include "http/conn.h"

#define SPARE_CONNECTIONS 16 // open while they are told that there are too many; beyond, clients are cut off
#define ACCEPT_PAUSE_MS   100
#define STOP_MS           1000

struct http_server {
    struct http_hub hub;
    struct http_views views;
    struct http_route health[HTTP_HEALTH_ROUTES];
    struct http_address address;
    uint32_t connections_max;
    const struct base_logger *log;
    int stop_fd;
    int64_t uncounted; // where numbers go that no registry wants
    pthread_t thread;
    struct evconnlistener *listener;
    struct event *on_stop, *on_stop_late, *on_resume;
};

// Too many connections are the usual sign of clients that connect and say nothing. A client that sends its request at
// once must not suffer from them, least of all a liveness probe, so the longest waiting ones make room; only when every
// connection is taking an answer is the new one told to come back.
static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *peer, int len, void *arg)
{
    struct http_server *s = arg;
    base_metric_inc(s->hub.count.accepted, 1);
    while (s->hub.open >= s->connections_max && http_conn_evict(&s->hub))
        base_metric_inc(s->hub.count.evicted, 1);
    bool busy = s->hub.open >= s->connections_max;
    if (busy)
        base_metric_inc(s->hub.count.refused, 1);
    if (s->hub.open >= s->connections_max + SPARE_CONNECTIONS)
        close(fd);
    else
        http_conn_open(&s->hub, fd, busy);
}

// Out of descriptors, mostly. The listener stays readable, so without a pause the loop would spin.
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    struct http_server *s = arg;
    struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000};
    const char *reason = strerrordesc_np(errno);
    if (s->log != NULL)
        base_log(s->log, LEAT_LOG_WARN, "http-accept", "could not accept a connection on \"%s\": %s", s->address.text,
                 reason != NULL ? reason : "unknown error");
    (void)evconnlistener_disable(listener);
    (void)event_add(s->on_resume, &pause);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *s = arg;
    if (s->listener != NULL)
        (void)evconnlistener_enable(s->listener);
}

static void end_if_done(struct http_server *s)
{
    if (s->hub.stopping && base_list_empty(&s->hub.live))
        (void)event_base_loopbreak(s->hub.base);
}

static void on_reap(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *s = arg;
    http_conn_reap(&s->hub);
    end_if_done(s);
}

static void on_stop_late(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *s = arg;
    (void)event_base_loopbreak(s->hub.base);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *s = arg;
    struct timeval grace = {.tv_sec = STOP_MS / 1000, .tv_usec = STOP_MS % 1000 * 1000};
    s->hub.stopping = true;
    evconnlistener_free(s->listener);
    s->listener = NULL;
    http_conn_close_all(&s->hub, false);
    (void)event_add(s->on_stop_late, &grace);
    end_if_done(s);
}

static void *run(void *arg)
{
    struct http_server *s = arg;
    (void)event_base_dispatch(s->hub.base);
    http_conn_close_all(&s->hub, true);
    http_conn_reap(&s->hub);
    return NULL;
}

// A number in the registry, or one that nobody reads.
static int64_t *number(struct http_server *s, struct base_metrics *metrics, const struct base_metric_desc *desc,
                       const char *code)
{
    const struct base_metric_labels labels = {.name = code != NULL ? "code" : NULL, .value = code};
    int64_t *found = metrics != NULL ? base_metrics_add(metrics, desc, &labels) : NULL;
    return found != NULL ? found : &s->uncounted;
}

static void open_counters(struct http_server *s, struct base_metrics *metrics)
{
    static const struct base_metric_desc open = {"leat_http_connections", LEAT_METRIC_GAUGE, 0,
                                                 "Connections of the HTTP server that are open."};
    static const struct base_metric_desc accepted = {"leat_http_accepted_total", LEAT_METRIC_COUNTER, 0,
                                                     "Connections the HTTP server accepted."};
    static const struct base_metric_desc refused = {"leat_http_refused_total", LEAT_METRIC_COUNTER, 0,
                                                    "Connections turned away because all others were taking answers."};
    static const struct base_metric_desc evicted = {"leat_http_evicted_total", LEAT_METRIC_COUNTER, 0,
                                                    "Waiting connections closed to make room for new ones."};
    static const struct base_metric_desc timeouts = {"leat_http_timeouts_total", LEAT_METRIC_COUNTER, 0,
                                                     "Requests and answers cut off because a client was too slow."};
    static const struct base_metric_desc replies = {"leat_http_replies_total", LEAT_METRIC_COUNTER, 0,
                                                    "Answers of the HTTP server by class of status."};
    static const char *const classes[4] = {"2xx", "3xx", "4xx", "5xx"};
    s->hub.count = (struct http_counters){
        .open = number(s, metrics, &open, NULL),
        .accepted = number(s, metrics, &accepted, NULL),
        .refused = number(s, metrics, &refused, NULL),
        .evicted = number(s, metrics, &evicted, NULL),
        .timeouts = number(s, metrics, &timeouts, NULL),
    };
    for (size_t i = 0; i < 4; i++)
        s->hub.count.replies[i] = number(s, metrics, &replies, classes[i]);
}

static bool is_host(const char *host)
{
    char ip[HTTP_IP_TEXT];
    size_t len = strlen(host);
    if (http_ip_canonical(host, ip))
        return true;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)host[i]) && strchr("-_.", host[i]) == NULL)
            return false;
    return len > 0 && len <= 255;
}

static bool is_token(const char *token)
{
    for (const char *c = token; *c != '\0'; c++)
        if (*c <= ' ' || *c >= 0x7f)
            return false;
    return *token != '\0';
}

static bool check(const struct http_options *o, struct base_error *err)
{
    for (size_t i = 0; i < o->host_count; i++) {
        if (!is_host(o->hosts[i])) {
            (void)base_fail(err, LEAT_CONFIG, "LEAT-H0103", "\"%s\" in http.allowed-hosts is not a host", o->hosts[i]);
            base_error_hint(err,
                            "Write a name or an address without scheme, port or brackets, as in \"leat.example.org\".");
            return false;
        }
    }
    if (o->token == NULL || is_token(o->token))
        return true;
    (void)base_fail(err, LEAT_CONFIG, "LEAT-H0104", "http.token is empty or holds a character no header can carry");
    base_error_hint(err,
                    "Use letters, digits and signs of ASCII without spaces, as \"openssl rand -hex 32\" makes them.");
    return false;
}

static uint32_t or_default(uint32_t value, uint32_t standard)
{
    return value > 0 ? value : standard;
}

static void take_options(struct http_server *s, const struct http_options *o)
{
    struct http_hub *hub = &s->hub;
    s->log = o->log;
    s->connections_max = or_default(o->connections_max, 64);
    hub->limits = o->limits;
    hub->requests_max = or_default(o->requests_max, 1000);
    hub->request_ms = or_default(o->request_ms, 5000);
    hub->idle_ms = or_default(o->idle_ms, 30000);
    hub->write_ms = or_default(o->write_ms, 10000);
    hub->reply_max = o->reply_max > 0 ? o->reply_max : (size_t)8 << 20;
    hub->reply_total_max = o->reply_total_max > 0 ? o->reply_total_max : (size_t)32 << 20;
    hub->router.guard = (struct http_guard){&s->address, o->hosts, o->host_count, o->token};
    http_health_routes(&s->views, s->health);
    hub->router.tables[0] = (struct http_routes){s->health, HTTP_HEALTH_ROUTES};
    hub->router.tables[1] = o->routes;
    open_counters(s, o->metrics);
}

// The loop and its events. The listener comes last: it owns the descriptor once it exists.
static bool open_loop(struct http_server *s, int listen_fd)
{
    struct event_config *config = event_config_new();
    if (config != NULL && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
        s->hub.base = event_base_new_with_config(config);
    if (config != NULL)
        event_config_free(config);
    struct event_base *base = s->hub.base;
    s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (base == NULL || s->stop_fd < 0)
        return false;
    s->hub.reaper = event_new(base, -1, 0, on_reap, s);
    s->on_resume = evtimer_new(base, on_resume, s);
    s->on_stop_late = evtimer_new(base, on_stop_late, s);
    s->on_stop = event_new(base, s->stop_fd, EV_READ, on_stop, s);
    if (s->hub.reaper == NULL || s->on_resume == NULL || s->on_stop_late == NULL || s->on_stop == NULL)
        return false;
    if (event_add(s->on_stop, NULL) != 0)
        return false;
    s->listener = evconnlistener_new(base, on_accept, s, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, listen_fd);
    if (s->listener == NULL)
        return false;
    evconnlistener_set_error_cb(s->listener, on_accept_error);
    return true;
}

static bool start_thread(struct http_server *s)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigset_t block, before;
    (void)sigfillset(&block);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        (void)sigdelset(&block, faults[i]);
    (void)pthread_sigmask(SIG_SETMASK, &block, &before);
    bool started = pthread_create(&s->thread, NULL, run, s) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started)
        (void)pthread_setname_np(s->thread, "leat-http");
    return started;
}

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

static void destroy(struct http_server *s)
{
    if (s->listener != NULL)
        evconnlistener_free(s->listener);
    free_event(s->on_stop);
    free_event(s->on_stop_late);
    free_event(s->on_resume);
    free_event(s->hub.reaper);
    if (s->hub.base != NULL)
        event_base_free(s->hub.base);
    if (s->stop_fd >= 0)
        close(s->stop_fd);
    if (s->address.addr.ss_family == AF_UNIX)
        (void)unlink(((const struct sockaddr_un *)&s->address.addr)->sun_path);
    free(s);
}

struct http_server *http_server_start(const struct http_options *options, const struct http_views *views,
                                      struct base_error *err)
{
    struct http_address want;
    if (!check(options, err) || !http_address_parse(options->listen, &want, err))
        return NULL;
    struct http_server *s = calloc(1, sizeof *s);
    if (s == NULL) {
        (void)base_no_memory(err);
        return NULL;
    }
    s->stop_fd = -1;
    s->views = *views;
    base_list_init(&s->hub.live);
    base_list_init(&s->hub.closed);
    int fd = http_address_listen(&want, &s->address, err);
    if (fd < 0) {
        free(s);
        return NULL;
    }
    take_options(s, options);
    if (open_loop(s, fd) && start_thread(s)) {
        if (s->log != NULL)
            base_log(s->log, LEAT_LOG_INFO, "http-listen", "listening on \"%s\"", s->address.text);
        return s;
    }
    (void)base_fail(err, LEAT_RESOURCE, "LEAT-H0105", "could not start the HTTP server's thread");
    base_error_hint(err, "Memory, threads or descriptors of this process are used up.");
    if (s->listener == NULL)
        close(fd);
    destroy(s);
    return NULL;
}

const char *http_server_address(const struct http_server *server)
{
    return server->address.text;
}

void http_server_stop(struct http_server *server)
{
    const uint64_t one = 1;
    if (server == NULL)
        return;
    // an eventfd takes its first 2^64-2 without waiting, and a stop is written once
    (void)!write(server->stop_fd, &one, sizeof one);
    (void)pthread_join(server->thread, NULL);
    destroy(server);
}
