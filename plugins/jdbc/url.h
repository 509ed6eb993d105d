// SPDX-License-Identifier: Apache-2.0
// JDBC URLs and table names: text in, parts out. No I/O.
//
//     jdbc:postgresql://host:5432/database?sslmode=require&currentSchema=result
//
// Parameters of pgjdbc are translated to libpq's where they say something about the connection; those that only tune
// the Java driver are accepted and mean nothing here; any other is an error. All faults of parameters are told in one
// message, each with its name. Thread: any.
#ifndef JDBC_URL_H
#define JDBC_URL_H

#include <stddef.h>
#include <stdint.h>

#include "pq.h"

#define JDBC_NAME_MAX  256
#define JDBC_VALUE_MAX 512
#define JDBC_PARAMS    16

struct jdbc_url {
    char host[JDBC_NAME_MAX];
    char port[6];
    char database[JDBC_NAME_MAX];
    char schema[JDBC_NAME_MAX]; // currentSchema, "" if not given
    char user[JDBC_NAME_MAX];
    char password[JDBC_VALUE_MAX];
    uint8_t strict_strings;  // stringtype=varchar: strings go into text columns only
    int64_t connect_timeout; // microseconds, 0 = not given
    uint32_t count;
    struct jdbc_url_param {
        const char *key; // libpq's
        char value[JDBC_VALUE_MAX];
    } params[JDBC_PARAMS];
};

// 0 = parsed; otherwise `why` (of `size` bytes) says what is wrong, without passwords.
int jdbc_url_parse(const char *text, struct jdbc_url *out, char *why, size_t size);

struct jdbc_name {
    char schema[JDBC_NAME_MAX]; // "" if not given
    char table[JDBC_NAME_MAX];
};

// table, schema.table, each part plain or in double quotes ("my.schema"."T""x").
int jdbc_name_parse(const char *text, struct jdbc_name *out, char *why, size_t size);

#endif
