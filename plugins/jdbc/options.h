// SPDX-License-Identifier: Apache-2.0
// The configuration struct that the core fills from a node's options; sink and lookup share it, each using its part.
#ifndef JDBC_OPTIONS_H
#define JDBC_OPTIONS_H

#include <leat/option.h>

enum jdbc_cache_kind { JDBC_CACHE_NONE, JDBC_CACHE_PARTIAL };

struct jdbc_config {
    const char *url;
    const char *table_name;
    const char *driver;
    const char *username;
    const char *password;
    const char *compatible_mode;
    int64_t retry_timeout; // connection.max-retry-timeout: how long an attempt to connect may take
    // sink
    int64_t flush_rows;
    int64_t flush_interval;
    int64_t sink_retries;
    uint8_t copy_new_rows;
    // lookup
    int32_t cache; // enum jdbc_cache_kind
    int64_t cache_rows;
    int64_t expire_write;
    int64_t expire_access;
    uint8_t cache_missing;
    int64_t lookup_retries;
};

#endif
