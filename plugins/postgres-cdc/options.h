// SPDX-License-Identifier: Apache-2.0
// The configuration of postgres-cdc, filled by the core from the table in plugin.c.
#ifndef PGCDC_OPTIONS_H
#define PGCDC_OPTIONS_H

#include <leat/option.h>

// Numbers of the words of the ENUM options, in the order of the table.
enum pgcdc_startup { PGCDC_INITIAL, PGCDC_LATEST, PGCDC_COMMITTED, PGCDC_SNAPSHOT_ONLY };
enum pgcdc_truncate { PGCDC_TRUNCATE_FAIL, PGCDC_TRUNCATE_IGNORE, PGCDC_TRUNCATE_DELETE };
enum pgcdc_toast { PGCDC_TOAST_RESELECT, PGCDC_TOAST_FAIL };
enum pgcdc_autocreate { PGCDC_AUTOCREATE_FILTERED, PGCDC_AUTOCREATE_DISABLED };
enum pgcdc_reuse { PGCDC_REUSE_SNAPSHOT, PGCDC_REUSE_CONTINUE };
enum pgcdc_sslmode {
    PGCDC_SSL_DISABLE,
    PGCDC_SSL_ALLOW,
    PGCDC_SSL_PREFER,
    PGCDC_SSL_REQUIRE,
    PGCDC_SSL_VERIFY_CA,
    PGCDC_SSL_VERIFY_FULL
};
enum pgcdc_changelog { PGCDC_CHANGELOG_ALL, PGCDC_CHANGELOG_UPSERT };

struct pgcdc_config {
    const char *hostname;
    int64_t port;
    const char *username;
    const char *password;
    const char *database;
    const char *schema_name;
    const char *table_name;
    const char *slot_name;
    int32_t decoding_plugin;
    int32_t changelog_mode; // -1 = by the catalogue
    const char *publication_name;
    int32_t publication_autocreate;
    int32_t on_truncate;
    int32_t slot_reuse; // -1 = refuse
    int32_t unchanged_toast;
    int32_t startup_mode;
    int64_t heartbeat;
    int64_t connect_timeout;
    int64_t wal_sender_timeout;
    int64_t snapshot_connections;
    int32_t sslmode; // enum pgcdc_sslmode; -1 = libpq's own default
    const char *sslrootcert;
    const char *sslcert;
    const char *sslkey;
    const char *sslpassword;
};

#endif
