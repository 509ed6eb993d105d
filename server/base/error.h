// SPDX-License-Identifier: Apache-2.0
// The core's error object: what leat_fail fills for a plugin, and what rooms of the core hand up.
//
// A plain value without pointers: it can be copied, kept and passed between threads, and describing an error never
// fails, not even when memory is short. Texts that do not fit are cut, sentences at a word's end with an ellipsis. The class is the leat_status
// that was returned (leat/error.h). Whoever fails does not log; the owner of the node or job does.
// Thread: the owner of the object.
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>

#include "leat/error.h"

struct base_str;

struct base_error {
    leat_status failure;   // class, LEAT_CONFIG … LEAT_BUG; LEAT_OK = nothing is wrong
    char code[16];         // "LEAT-C0012", stable; "" = none
    char node[128];        // name of the node it befell; "" = none
    char message[768];     // lower case, no full stop
    char detail[768];      // sentences; "" = none
    char hint[512];        // what to do; "" = none
    char native_code[32];  // SQLSTATE, Kafka's error name, errno; "" = none
    char native_text[512]; // the other side's own words
    char position[256];    // of the row that it befell, as its source counts; the message has it too; "" = none
    char option[64];       // the option in whose text it lies, "" = in none …
    uint32_t offset;       // … and the byte there
    leat_usec retry_delay; // the other side asked to wait this long; 0 = no wish
};

// Starts a new error (all that was there is gone) and returns `failure`.
leat_status base_fail(struct base_error *err, leat_status failure, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
leat_status base_failv(struct base_error *err, leat_status failure, const char *code, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));
leat_status base_no_memory(struct base_error *err);

void base_error_detail(struct base_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
void base_error_hint(struct base_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
void base_error_detailv(struct base_error *err, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
void base_error_hintv(struct base_error *err, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
void base_error_native(struct base_error *err, const char *code, const char *text);
void base_error_place(struct base_error *err, const char *option, uint32_t offset);
// Adds a sentence to the detail.
void base_error_add_detail(struct base_error *err, const char *sentence);
void base_error_node(struct base_error *err, const char *node);

// The position of the row that it befell: kept, and put before the message.
void base_error_at(struct base_error *err, const char *position);

// Puts what was being done before the message: "could not start job \"x\": <message>". Once where rooms meet.
void base_error_wrap(struct base_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

void base_error_clear(struct base_error *err);

// "config", "transient", "data", "resource", "fatal", "bug"; "ok" for what is no failure.
const char *base_failure_name(leat_status failure);

// The whole error for people: the message with its code, then detail, the other side's words and the hint, a line each.
void base_error_print(const struct base_error *err, struct base_str *out);

#endif
