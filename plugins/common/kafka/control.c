// SPDX-License-Identifier: Apache-2.0
// See control.h. All that the thread does with the node's context it does under the lock and while not abandoned, so
// that a node which cannot wait for a blocked call can go away.
#include "control.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POST_MS 50 // between two tries to tell of a job's end when there is no memory

struct kafka_control {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct leat_ctx *ctx; // the thread's; NULL once abandoned
    struct kafka_job *jobs, **tail;
    struct kafka_job *done, **done_tail;
    uint8_t busy;
    uint8_t interrupted;
    uint8_t ending;
    uint8_t abandoned;
};

static void free_control(struct kafka_control *c)
{
    pthread_cond_destroy(&c->change);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void drop_jobs(struct kafka_job *job)
{
    for (struct kafka_job *next; job; job = next) {
        next = job->next;
        job->drop(job);
    }
}

static struct kafka_job *take(struct kafka_job **list, struct kafka_job ***tail)
{
    struct kafka_job *job = *list;
    *list = NULL;
    *tail = list;
    return job;
}

static leat_status on_done(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct kafka_control *c = arg;
    pthread_mutex_lock(&c->lock);
    struct kafka_job *job = take(&c->done, &c->done_tail);
    pthread_mutex_unlock(&c->lock);
    leat_status st = LEAT_OK;
    for (struct kafka_job *next; job; job = next) {
        next = job->next;
        leat_status one = job->done(ctx, job);
        if (st == LEAT_OK)
            st = one;
    }
    return st;
}

static struct timespec time_in(int ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += ms / 1000;
    end.tv_nsec += (long)(ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    return end;
}

// With the lock held, which is let go while there is no memory for the call: a node that is never told would wait for
// ever.
static void finish(struct kafka_control *c, struct kafka_job *job)
{
    job->next = NULL;
    if (c->abandoned) {
        job->drop(job);
        return;
    }
    *c->done_tail = job;
    c->done_tail = &job->next;
    while (!c->ending && c->ctx->host->post(c->ctx, on_done, c) != LEAT_OK) {
        struct timespec end = time_in(POST_MS);
        pthread_cond_timedwait(&c->change, &c->lock, &end);
    }
}

static void *thread_main(void *arg)
{
    struct kafka_control *c = arg;
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!c->jobs && !c->ending)
            pthread_cond_wait(&c->change, &c->lock);
        struct kafka_job *job = c->jobs;
        if (!job)
            break;
        c->jobs = job->next;
        if (!c->jobs)
            c->tail = &c->jobs;
        c->busy = 1;
        pthread_mutex_unlock(&c->lock);
        job->run(c, job);
        pthread_mutex_lock(&c->lock);
        c->busy = 0;
        finish(c, job);
    }
    int abandoned = c->abandoned;
    pthread_mutex_unlock(&c->lock);
    if (abandoned)
        free_control(c);
    return NULL;
}

static void init_change(struct kafka_control *c)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->change, &attr);
    pthread_condattr_destroy(&attr);
}

struct kafka_control *kafka_control_create(struct leat_ctx *ctx)
{
    struct kafka_control *c = calloc(1, sizeof *c);
    if (!c) {
        leat_no_memory(ctx);
        return NULL;
    }
    pthread_mutex_init(&c->lock, NULL);
    init_change(c);
    c->tail = &c->jobs;
    c->done_tail = &c->done;
    c->ctx = ctx->host->thread_ctx_create(ctx);
    int err = c->ctx ? pthread_create(&c->thread, NULL, thread_main, c) : ENOMEM;
    if (!err)
        return c;
    if (c->ctx)
        ctx->host->thread_ctx_destroy(c->ctx);
    free_control(c);
    leat_fail(ctx, LEAT_RESOURCE, "LEAT-K0203", "could not start a thread: %s", strerror(err));
    return NULL;
}

void kafka_control_run(struct kafka_control *c, struct kafka_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&c->lock);
    if (!c->busy)
        c->interrupted = 0;
    *c->tail = job;
    c->tail = &job->next;
    pthread_cond_broadcast(&c->change);
    pthread_mutex_unlock(&c->lock);
}

void kafka_control_interrupt(struct kafka_control *c)
{
    pthread_mutex_lock(&c->lock);
    struct kafka_job *waiting = take(&c->jobs, &c->tail);
    c->interrupted = 1;
    pthread_cond_broadcast(&c->change);
    pthread_mutex_unlock(&c->lock);
    drop_jobs(waiting);
}

void kafka_control_destroy(struct leat_ctx *ctx, struct kafka_control *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    struct kafka_job *waiting = take(&c->jobs, &c->tail);
    struct kafka_job *done = take(&c->done, &c->done_tail);
    pthread_t thread = c->thread;
    struct leat_ctx *thread_ctx = c->ctx;
    int busy = c->busy;
    c->interrupted = 1;
    c->ending = 1;
    if (busy) {
        c->abandoned = 1;
        c->ctx = NULL;
        pthread_detach(thread);
    }
    pthread_cond_broadcast(&c->change);
    pthread_mutex_unlock(&c->lock); // an abandoned control may be gone from here on
    drop_jobs(waiting);
    drop_jobs(done);
    if (!busy) {
        pthread_join(thread, NULL);
        free_control(c);
    }
    ctx->host->thread_ctx_destroy(thread_ctx);
}

int kafka_job_interrupted(struct kafka_control *c)
{
    pthread_mutex_lock(&c->lock);
    int interrupted = c->interrupted;
    pthread_mutex_unlock(&c->lock);
    return interrupted;
}

int kafka_job_sleep(struct kafka_control *c, int ms)
{
    struct timespec end = time_in(ms);
    pthread_mutex_lock(&c->lock);
    while (!c->interrupted && pthread_cond_timedwait(&c->change, &c->lock, &end) != ETIMEDOUT)
        ;
    int interrupted = c->interrupted;
    pthread_mutex_unlock(&c->lock);
    return interrupted;
}

void kafka_job_status(struct kafka_control *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    pthread_mutex_lock(&c->lock);
    if (!c->abandoned)
        c->ctx->host->status(c->ctx, fmt, ap);
    pthread_mutex_unlock(&c->lock);
    va_end(ap);
}
