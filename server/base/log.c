// SPDX-License-Identifier: Apache-2.0
// The log's ring, its thread, and the folding of repeats. See log.h.
//
// The ring and its counters are under `lock`; everything about folding belongs to the log's thread alone.
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log_int.h"
#include "base/metric.h"
#include "base/time.h"

#define QUEUE_DEFAULT 1024
#define FOLD_DEFAULT  (5 * BASE_SECOND)
#define FOLD_SLOTS    32   // messages watched for repeats at once; the oldest gives way
#define WRITE_PIECE   4096 // a pipe that polls writable takes this much without blocking
#define STOP_PATIENCE 2000 // milliseconds without a reader after which a stopping log gives up

struct fold {
    bool used;
    leat_usec since;          // when the line was last written
    uint32_t repeats;         // seen since
    struct log_record record; // the last repeat
};

struct base_log {
    struct base_log_options options;
    pthread_mutex_t lock;
    pthread_cond_t filled;  // a record came, or stop
    pthread_cond_t drained; // everything taken so far is written
    pthread_t thread;
    struct log_record *ring;
    uint32_t head, count; // first record and how many
    bool stop, busy;      // busy: the thread holds records that are not written yet
    bool flush;           // somebody waits: folded lines are due now
    uint64_t dropped, dropped_told;
    // the log's thread only
    struct fold folds[FOLD_SLOTS];
    struct base_str line;
    bool dead; // the reader is gone or does not read: lines are thrown away
};

static leat_usec wall(const struct base_log *log)
{
    return log->options.wall ? log->options.wall(log->options.wall_arg) : base_time_wall();
}

// --- writing, on the log's thread

// False if it did not come out whole.
static bool write_line(struct base_log *log, const char *ptr, size_t len)
{
    while (len && !log->dead) {
        struct pollfd p = {.fd = log->options.fd, .events = POLLOUT};
        int ready = poll(&p, 1, STOP_PATIENCE);
        if (ready == 0) {
            pthread_mutex_lock(&log->lock);
            log->dead = log->stop;
            pthread_mutex_unlock(&log->lock);
            continue;
        }
        ssize_t n = write(log->options.fd, ptr, len < WRITE_PIECE ? len : WRITE_PIECE);
        if (n >= 0) {
            ptr += n;
            len -= (size_t)n;
        } else if (errno != EINTR && errno != EAGAIN) {
            return false; // a full disk or a closed pipe: nowhere to complain to, and data must not wait for the log
        }
    }
    return len == 0;
}

static void count_lost(struct base_log *log)
{
    if (log->options.lost)
        base_metric_inc(log->options.lost, 1);
}

static void write_record(struct base_log *log, const struct log_record *r)
{
    base_str_clear(&log->line);
    if (log->options.json)
        log_format_json(r, log->options.secrets, &log->line);
    else
        log_format_text(r, log->options.secrets, &log->line);
    if (!write_line(log, log->line.ptr, log->line.len))
        count_lost(log);
}

// The line that stands for the repeats is of the moment in which it is written, so that lines never go back in time.
static void end_fold(struct base_log *log, struct fold *f, leat_usec now)
{
    if (f->used && f->repeats) {
        f->record.repeated = f->repeats;
        f->record.last = f->record.time;
        f->record.time = now;
        write_record(log, &f->record);
    }
    f->used = false;
}

static bool is_over(const struct base_log *log, const struct fold *f, leat_usec now)
{
    return f->since + log->options.fold <= now || f->since > now; // a clock set back must not hold a line for hours
}

// Ends folds whose window is over (or all of them), in the order of their last repeats. Returns when the next one is
// due, INT64_MAX if none is open.
static leat_usec end_folds(struct base_log *log, leat_usec now, bool all)
{
    for (;;) {
        struct fold *first = NULL;
        leat_usec due = INT64_MAX;
        for (struct fold *f = log->folds; f < log->folds + FOLD_SLOTS; f++) {
            if (!f->used)
                continue;
            if (all || is_over(log, f, now))
                first = first && first->record.time <= f->record.time ? first : f;
            else if (f->repeats && f->since + log->options.fold < due)
                due = f->since + log->options.fold;
        }
        if (!first)
            return due;
        end_fold(log, first, now);
    }
}

// The speaker goes on with something else: what it repeated comes before, though not more often than once a second.
static void end_folds_of(struct base_log *log, const struct log_record *r)
{
    for (struct fold *f = log->folds; f < log->folds + FOLD_SLOTS; f++)
        if (f->used && f->repeats && f->since + BASE_SECOND <= r->time && f->record.who_len == r->who_len &&
            memcmp(f->record.text, r->text, r->who_len) == 0)
            end_fold(log, f, r->time);
}

static bool same(const struct log_record *a, const struct log_record *b)
{
    return a->level == b->level && a->same_len == b->same_len && memcmp(a->text, b->text, a->same_len) == 0;
}

static void take_record(struct base_log *log, const struct log_record *r)
{
    if (log->options.fold < 0) {
        write_record(log, r);
        return;
    }
    end_folds(log, r->time, false);
    if (r->each) {
        end_folds_of(log, r);
        write_record(log, r);
        return;
    }
    struct fold *free_slot = log->folds;
    for (struct fold *f = log->folds; f < log->folds + FOLD_SLOTS; f++) {
        if (f->used && same(&f->record, r)) {
            f->record = *r;
            f->repeats++;
            return;
        }
        if (free_slot->used && (!f->used || f->since < free_slot->since))
            free_slot = f;
    }
    end_folds_of(log, r);
    end_fold(log, free_slot, r->time);
    free_slot->used = true;
    free_slot->since = r->time;
    free_slot->repeats = 0;
    free_slot->record = *r;
    write_record(log, r);
}

static void add_string(struct log_record *r, const char *text);

static void tell_dropped(struct base_log *log, uint64_t count, leat_usec now)
{
    struct log_record r = {.time = now, .level = LEAT_LOG_WARN};
    char message[128];
    snprintf(message, sizeof message, "%llu lines were lost because the log could not be written fast enough",
             (unsigned long long)count);
    for (int who = 0; who < 3; who++)
        add_string(&r, "");
    add_string(&r, "log-dropped");
    add_string(&r, message);
    write_record(log, &r);
}

// Sleeps until a record comes, a fold is due, or the end. Under the lock.
static void wait_filled(struct base_log *log, leat_usec due)
{
    if (due == INT64_MAX) {
        pthread_cond_wait(&log->filled, &log->lock);
        return;
    }
    leat_usec rest = due - wall(log), at = base_time_mono() + (rest < 1000 ? 1000 : rest);
    struct timespec ts = {.tv_sec = at / BASE_SECOND, .tv_nsec = at % BASE_SECOND * 1000};
    pthread_cond_timedwait(&log->filled, &log->lock, &ts);
}

static void *run(void *arg)
{
    struct base_log *log = arg;
    struct log_record r;
    pthread_mutex_lock(&log->lock);
    for (;;) {
        bool got = log->count > 0, all = log->stop || log->flush;
        uint64_t lost = log->dropped - log->dropped_told;
        if (got) {
            r = log->ring[log->head];
            log->head = (log->head + 1) % log->options.queue;
            log->count--;
        }
        leat_usec now = got ? r.time : wall(log); // under the lock: what comes later is later
        log->dropped_told = log->dropped;
        log->busy = true;
        pthread_mutex_unlock(&log->lock);
        if (lost)
            tell_dropped(log, lost, now);
        if (got)
            take_record(log, &r);
        leat_usec due = got ? 0 : end_folds(log, now, all);
        pthread_mutex_lock(&log->lock);
        if (got || log->count)
            continue;
        log->busy = false;
        if (all || !log->flush) {
            log->flush = false;
            pthread_cond_broadcast(&log->drained);
            if (log->stop && all)
                break;
            if (!log->stop)
                wait_filled(log, due);
        }
    }
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

// --- life

static bool init_sync(struct base_log *log)
{
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr) != 0)
        return false;
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    bool ok = pthread_mutex_init(&log->lock, NULL) == 0 && pthread_cond_init(&log->filled, &attr) == 0 &&
              pthread_cond_init(&log->drained, NULL) == 0;
    pthread_condattr_destroy(&attr);
    return ok;
}

struct base_log *base_log_create(const struct base_log_options *options)
{
    struct base_log *log = calloc(1, sizeof *log);
    if (!log)
        return NULL;
    log->options = *options;
    if (!log->options.level)
        log->options.level = LEAT_LOG_INFO;
    if (!log->options.queue)
        log->options.queue = QUEUE_DEFAULT;
    if (!log->options.fold)
        log->options.fold = FOLD_DEFAULT;
    base_str_init(&log->line);
    log->ring = calloc(log->options.queue, sizeof *log->ring);
    if (!log->ring || !init_sync(log) || pthread_create(&log->thread, NULL, run, log) != 0) {
        free(log->ring);
        free(log);
        return NULL;
    }
    return log;
}

void base_log_destroy(struct base_log *log)
{
    if (!log)
        return;
    pthread_mutex_lock(&log->lock);
    log->stop = true;
    pthread_cond_signal(&log->filled);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    pthread_cond_destroy(&log->filled);
    pthread_cond_destroy(&log->drained);
    pthread_mutex_destroy(&log->lock);
    base_str_fini(&log->line);
    free(log->ring);
    free(log);
}

void base_log_flush(struct base_log *log)
{
    pthread_mutex_lock(&log->lock);
    log->flush = true;
    pthread_cond_signal(&log->filled);
    while (log->flush)
        pthread_cond_wait(&log->drained, &log->lock);
    pthread_mutex_unlock(&log->lock);
}

// --- any thread

bool base_log_on(const struct base_logger *who, uint8_t level)
{
    return who->log && level <= (who->level ? who->level : who->log->options.level);
}

// Appends a terminated string, cut to what fits. A byte for the end of each string to come is kept free.
static void add_string(struct log_record *r, const char *text)
{
    size_t limit = sizeof r->text - 2 * BASE_LOG_FIELDS_MAX - LOG_STRINGS, len = strlen(text);
    size_t room = r->len < limit ? limit - r->len : 0;
    if (len > room)
        len = room;
    memcpy(r->text + r->len, text, len);
    r->text[r->len + len] = 0;
    r->len = (uint16_t)(r->len + len + 1);
}

// The time is taken under the lock: the order of lines is the order of their times.
static void put(struct base_log *log, struct log_record *r)
{
    pthread_mutex_lock(&log->lock);
    r->time = wall(log);
    if (log->count == log->options.queue) {
        log->dropped++;
        count_lost(log);
    } else {
        struct log_record *slot = &log->ring[(log->head + log->count) % log->options.queue];
        memcpy(slot, r, offsetof(struct log_record, text) + r->len);
        log->count++;
        pthread_cond_signal(&log->filled);
    }
    pthread_mutex_unlock(&log->lock);
}

void base_logv(const struct base_logger *who, uint8_t level, const char *event, const struct base_log_field *fields,
               unsigned count, const char *format, va_list args)
{
    if (!base_log_on(who, level))
        return;
    struct log_record r;
    char message[BASE_LOG_TEXT_MAX];
    if (vsnprintf(message, sizeof message, format, args) < 0)
        message[0] = 0;
    r.level = level;
    r.each = who->each;
    r.len = 0;
    r.repeated = 0;
    r.fields = 0;
    r.machine = 0;
    add_string(&r, who->pipeline ? who->pipeline : "");
    add_string(&r, who->node ? who->node : "");
    add_string(&r, who->job ? who->job : "");
    r.who_len = r.len;
    add_string(&r, event);
    add_string(&r, message);
    r.same_len = r.len;
    for (unsigned i = 0; i < count && r.fields < BASE_LOG_FIELDS_MAX; i++) {
        if (!fields[i].value || !*fields[i].value)
            continue; // says nothing
        add_string(&r, fields[i].key);
        add_string(&r, fields[i].value);
        r.machine |= (uint8_t)(fields[i].machine << r.fields);
        r.fields++;
    }
    put(who->log, &r);
}

void base_log_fields(const struct base_logger *who, uint8_t level, const char *event,
                     const struct base_log_field *fields, unsigned count, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    base_logv(who, level, event, fields, count, format, args);
    va_end(args);
}

void base_log(const struct base_logger *who, uint8_t level, const char *event, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    base_logv(who, level, event, NULL, 0, format, args);
    va_end(args);
}

static const char *const level_names[] = {"", "error", "warn", "info", "debug"};

const char *base_log_level_name(uint8_t level)
{
    return level <= LEAT_LOG_DEBUG ? level_names[level] : "debug";
}
