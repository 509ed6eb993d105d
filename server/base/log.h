// SPDX-License-Identifier: Apache-2.0
// The log: one line per event, written by a thread of its own.
//
// A caller formats its message, puts the record into a bounded ring and goes on; it never waits for a terminal or a
// disk. When the ring is full the record is dropped and counted, and the next line written says how many were lost. What
// cannot be written at all, on a full disk or to a reader that is gone, only the counter `lost` can tell.
// The writer masks secrets in every field, folds repeats of one message (same level, pipeline, node, event and
// message) within `fold` into a later line with "repeated=N last=TIME", and writes text for people or JSON for machines.
// Lines stand in the order of their times.
//
//     2026-11-21T09:30:00.123456Z WARN  orders/pg connection-lost lost connection to server "db" attempt=3
//     {"time":"2026-11-21T09:30:00.123456Z","level":"warn","pipeline":"orders","job":"pg","node":"pg",
//      "event":"connection-lost",…}
//
// Levels are those of leat/host.h. What changes from one repeat to the next (an attempt's number) belongs into a
// field, not into the message, or it cannot be folded.
// Thread: any may write; create, set_secrets and destroy belong to the owner.
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "leat/host.h"

struct base_secrets;
struct base_log;

struct base_log_options {
    int fd; // borrowed
    bool json;
    uint8_t level;                // least important level that is written; 0 = LEAT_LOG_INFO
    uint32_t queue;               // records in the ring; 0 = 1024
    leat_usec fold;               // window in which repeats are folded; 0 = 5 s, negative = never
    struct base_secrets *secrets; // borrowed; NULL = none
    leat_usec (*wall)(void *arg); // clock for tests; NULL = the system's
    void *wall_arg;
    int64_t *lost; // a metric that counts the lines of which nothing came out; borrowed; NULL = none
};

// A field of a line: key=value. One without a value (NULL or "") is left out.
struct base_log_field {
    const char *key;
    const char *value;
    bool machine; // only in JSON: for people the message says it
};

// Who speaks. A plain value: keep one per pipeline or node. Strings are borrowed for as long as it is used.
struct base_logger {
    struct base_log *log; // NULL = say nothing
    const char *pipeline; // NULL or "" = the server itself
    const char *node;     // NULL or "" = the pipeline as a whole
    const char *job;      // NULL or "" = none; only in JSON, as a node is in one job and messages name it
    uint8_t level;        // 0 = the log's own level
    bool each;            // never folded: states, of which each change counts and comes at once
};

#define BASE_LOG_FIELDS_MAX 8
#define BASE_LOG_TEXT_MAX   2048 // bytes of all strings of one record; what is beyond is cut

struct base_log *base_log_create(const struct base_log_options *options);
// Writes what is queued (giving up after two seconds if nobody reads) and ends the thread.
void base_log_destroy(struct base_log *log);

// Waits until everything written so far has left the process.
void base_log_flush(struct base_log *log);

// Would a line of this level be written? To spare the work of making it.
bool base_log_on(const struct base_logger *who, uint8_t level);

void base_log(const struct base_logger *who, uint8_t level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void base_log_fields(const struct base_logger *who, uint8_t level, const char *event,
                     const struct base_log_field *fields, unsigned count, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
void base_logv(const struct base_logger *who, uint8_t level, const char *event, const struct base_log_field *fields,
               unsigned count, const char *format, va_list args) __attribute__((format(printf, 6, 0)));

// "error", "warn", "info", "debug".
const char *base_log_level_name(uint8_t level);

#endif
