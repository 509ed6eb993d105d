// SPDX-License-Identifier: Apache-2.0
// What is wrong with a query, and where: a message with the byte offset and length in the query's text.
//
// Parsing and binding stop at the first fault (plan/refuse.c and plan/review.c find the others); later calls leave it in
// place, so a caller that unwinds may report again without hiding the cause.
#ifndef SQL_DIAG_H
#define SQL_DIAG_H

#include <stdint.h>

// Kinds of faults.
#define SQL_DIAG_NONE        0
#define SQL_DIAG_SYNTAX      1
#define SQL_DIAG_NAME        2 // unknown or ambiguous table, column, function
#define SQL_DIAG_TYPE        3 // operands that do not fit
#define SQL_DIAG_UNSUPPORTED 4 // known in Flink SQL, not supported yet
#define SQL_DIAG_RESOURCE    5 // out of memory, nested too deeply
#define SQL_DIAG_DATA        6 // a constant that cannot be computed

struct sql_diag {
    uint8_t kind;
    uint32_t offset, length; // bytes in the query
    char message[512];       // lower case, no full stop
    char hint[256];          // a sentence, or empty
};

// Records the fault unless there is one already. Returns -1 always.
int sql_diag_set(struct sql_diag *d, uint8_t kind, uint32_t offset, uint32_t length, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

// Several faults of one query.
#define SQL_FAULTS_MAX 32 // that are told
struct sql_faults {
    struct sql_diag items[SQL_FAULTS_MAX];
    uint32_t count;
};

// Keeps a fault, unless it is there already or there are too many.
void sql_faults_add(struct sql_faults *f, const struct sql_diag *d);

// Adds a sentence of advice to the fault just recorded.
void sql_diag_hint(struct sql_diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// "'what' is known in Flink SQL, not supported yet". Returns -1.
int sql_diag_unsupported(struct sql_diag *d, uint32_t offset, uint32_t length, const char *what);

// Out of memory. Returns -1.
int sql_diag_memory(struct sql_diag *d);

#endif
