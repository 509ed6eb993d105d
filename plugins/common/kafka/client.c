// SPDX-License-Identifier: Apache-2.0
// See client.h.
#include "client.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <syslog.h>
#include <unistd.h>

#include <zlib.h>

#include "trouble.h"

#define QUIET_USEC (600 * INT64_C(1000000)) // until the same trouble is logged again

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    struct kafka_client *c = rd_kafka_opaque(rk);
    int warns = level <= LOG_WARNING && strcmp(facility, "FAIL") != 0; // connections that fail are on_error's
    if (c->ctx)
        leat_log(c->ctx, warns ? LEAT_LOG_WARN : LEAT_LOG_DEBUG, "kafka-client", "%s %s", facility, text);
}

// 1 = this kind of trouble with this broker was not logged lately. A client tries again every other second, and what it
// says of a broker that is away changes: the connection was reset, then refused, by one address and by another.
static int is_news(struct kafka_client *c, const char *about)
{
    uint32_t hash = (uint32_t)crc32(0, (const Bytef *)about, (uInt)strlen(about));
    int64_t now = c->ctx->host->monotonic(c->ctx);
    struct kafka_told *oldest = c->told;
    for (struct kafka_told *t = c->told; t < c->told + KAFKA_TOLD; t++) {
        if (t->when && t->hash == hash && now - t->when < QUIET_USEC)
            return 0;
        if (t->when < oldest->when)
            oldest = t;
    }
    *oldest = (struct kafka_told){hash, now};
    return 1;
}

// Has a broker told this client of its cluster? What is known is asked for, nobody else.
static int has_met(rd_kafka_t *rk)
{
    char *cluster = rd_kafka_clusterid(rk, 0);
    if (cluster)
        rd_kafka_mem_free(rk, cluster);
    return cluster != NULL;
}

static void take_trouble(struct kafka_client *c, rd_kafka_t *rk, int err, const char *reason)
{
    struct kafka_trouble t;
    kafka_trouble_explain(err, reason, has_met(rk), &t);
    snprintf(c->trouble, sizeof c->trouble, "%s [%s]", t.text, t.code);
    if (t.severity && c->ctx && is_news(c, t.about))
        leat_diag(c->ctx, t.severity, t.code, t.option, 0, t.hint, "%s", t.text);
}

static void on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
    struct kafka_client *c = opaque;
    if (err == RD_KAFKA_RESP_ERR__FATAL) {
        c->fatal = 1;
        rd_kafka_fatal_error(rk, c->trouble, sizeof c->trouble);
        return;
    }
    if (err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
        err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
        c->gone = err;
    if (c->fatal || err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        return;
    if (c->gone)
        snprintf(c->trouble, sizeof c->trouble, "%s", reason);
    else
        take_trouble(c, rk, err, reason);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct kafka_client *c = opaque;
    if (!message->err && !c->fatal)
        c->trouble[0] = 0;
    c->on_delivery(c->arg, message);
}

static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *offsets, void *opaque)
{
    struct kafka_client *c = opaque;
    if (c->on_commit)
        c->on_commit(c->arg, err);
}

static leat_status on_ready(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct kafka_client *c = arg;
    uint64_t count;
    if (read(c->event_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        return leat_fail(ctx, LEAT_BUG, "LEAT-K0902", "could not read an eventfd");
    rd_kafka_poll(c->rk, 0);
    return c->on_ready(ctx, c->arg);
}

static void watch_queue(rd_kafka_queue_t *queue, int fd)
{
    uint64_t one = 1;
    rd_kafka_queue_io_event_enable(queue, fd, &one, sizeof one);
}

void kafka_client_add_queue(struct kafka_client *c, rd_kafka_queue_t *queue)
{
    watch_queue(queue, c->event_fd);
}

static leat_status start(struct leat_ctx *ctx, struct kafka_client *c, rd_kafka_conf_t *conf, uint8_t role)
{
    char text[512];
    rd_kafka_conf_set_opaque(conf, c);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    if (role != KAFKA_CONSUMER)
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    else
        rd_kafka_conf_set_offset_commit_cb(conf, on_commit);
    c->rk = rd_kafka_new(role == KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!c->rk) {
        rd_kafka_conf_destroy(conf);
        leat_fail(ctx, LEAT_CONFIG, "LEAT-K0201", "could not create a Kafka client");
        ctx->host->error_native(ctx, "librdkafka", text);
        return LEAT_CONFIG;
    }
    rd_kafka_set_log_queue(c->rk, NULL);
    rd_kafka_queue_t *main_queue = rd_kafka_queue_get_main(c->rk);
    watch_queue(main_queue, c->event_fd);
    rd_kafka_queue_destroy(main_queue);
    // what came before the queue was watched rings no bell any more: have a look
    if (eventfd_write(c->event_fd, 1) < 0)
        return leat_fail(ctx, LEAT_BUG, "LEAT-K0902", "could not write to an eventfd");
    c->watch = ctx->host->watch(ctx, c->event_fd, LEAT_READ, on_ready, c);
    return c->watch ? LEAT_OK : leat_no_memory(ctx);
}

// As the configuration has them, from wherever they came. Those that are too long are not kept, and none are renewed.
static void keep_credentials(struct kafka_client *c, const rd_kafka_conf_t *conf)
{
    size_t user = sizeof c->sasl_user, password = sizeof c->sasl_password;
    c->has_credentials = 1;
    if (rd_kafka_conf_get(conf, "sasl.username", c->sasl_user, &user) != RD_KAFKA_CONF_OK)
        c->sasl_user[0] = 0;
    if (rd_kafka_conf_get(conf, "sasl.password", c->sasl_password, &password) != RD_KAFKA_CONF_OK)
        c->sasl_password[0] = 0;
    if (user > sizeof c->sasl_user || password > sizeof c->sasl_password)
        c->has_credentials = 0;
}

leat_status kafka_client_create(struct leat_ctx *ctx, const struct kafka_options *o, uint8_t role, void *arg,
                                struct kafka_client **out)
{
    rd_kafka_conf_t *conf = kafka_conf_create(ctx, o, role);
    if (!conf)
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-K0100", "the options of the Kafka connector are wrong");
    struct kafka_client *c = calloc(1, sizeof *c);
    if (!c) {
        rd_kafka_conf_destroy(conf);
        return leat_no_memory(ctx);
    }
    atomic_store(&c->refs, 1);
    c->ctx = ctx;
    c->arg = arg;
    keep_credentials(c, conf);
    c->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    leat_status st = LEAT_OK;
    if (c->event_fd < 0) {
        rd_kafka_conf_destroy(conf);
        st = leat_fail(ctx, LEAT_RESOURCE, "LEAT-K0202", "could not create an eventfd: %s", strerror(errno));
    } else {
        st = start(ctx, c, conf, role);
    }
    if (st != LEAT_OK) {
        kafka_client_detach(c);
        kafka_client_unref(c, 0);
        return st;
    }
    *out = c;
    return LEAT_OK;
}

void kafka_client_detach(struct kafka_client *c)
{
    if (c->watch)
        c->ctx->host->event_close(c->watch);
    c->watch = NULL;
    c->ctx = NULL;
}

void kafka_client_ref(struct kafka_client *c)
{
    atomic_fetch_add(&c->refs, 1);
}

static void destroy(struct kafka_client *c)
{
    if (c->rk)
        rd_kafka_destroy(c->rk);
    if (c->event_fd >= 0)
        close(c->event_fd);
    explicit_bzero(c->sasl_password, sizeof c->sasl_password);
    free(c);
}

static void *reap(void *arg)
{
    destroy(arg);
    return NULL;
}

void kafka_client_unref(struct kafka_client *c, int may_block)
{
    pthread_t thread;
    if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
        return;
    if (!may_block && c->rk && pthread_create(&thread, NULL, reap, c) == 0)
        pthread_detach(thread);
    else
        destroy(c);
}

void kafka_client_nudge(struct kafka_client *c)
{
    // The one public call that wakes the broker threads of a consumer is the one that renews credentials: it is given
    // those that are set already. Without SASL nobody reads them.
    if (!c->has_credentials)
        return;
    rd_kafka_error_t *error = rd_kafka_sasl_set_credentials(c->rk, c->sasl_user, c->sasl_password);
    if (error)
        rd_kafka_error_destroy(error);
}
