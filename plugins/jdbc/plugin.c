// SPDX-License-Identifier: Apache-2.0
// jdbc: the tables of options, the table of error codes, and the entry. No logic.
#include <leat/plugin.h>

#include "lookup.h"
#include "options.h"
#include "pq.h"
#include "session.h"
#include "sink.h"

#define AT(member) .offset = offsetof(struct jdbc_config, member)
#define SENSELESS  LEAT_OPT_SENSELESS
#define LATER      LEAT_OPT_UNSUPPORTED

#define COMMON_OPTIONS                                                                                                 \
    {.name = "url",                                                                                                    \
     .type = LEAT_OPT_STRING,                                                                                          \
     .flags = LEAT_OPT_REQUIRED,                                                                                       \
     AT(url),                                                                                                          \
     .example = "\"jdbc:postgresql://localhost:5432/sink_db\"",                                                        \
     .doc = "jdbc:postgresql://host:port/database?name=value&… Parameters: sslmode, sslrootcert, sslcert, sslkey, "  \
            "sslpassword, currentSchema, ApplicationName, connectTimeout, stringtype, options, tcpKeepAlive, "         \
            "targetServerType; those that tune the Java driver are accepted and mean nothing here."},                  \
        {.name = "table-name",                                                                                         \
         .type = LEAT_OPT_STRING,                                                                                      \
         .flags = LEAT_OPT_REQUIRED,                                                                                   \
         AT(table_name),                                                                                               \
         .example = "\"result.orders\"",                                                                               \
         .doc = "schema.table, or table in currentSchema (public by default). Names are taken as they are written, "   \
                "in double quotes where they hold a dot."},                                                            \
        {.name = "username",                                                                                           \
         .type = LEAT_OPT_STRING,                                                                                      \
         AT(username),                                                                                                 \
         .example = "\"leat\"",                                                                                        \
         .doc = "The role to log in as."},                                                                             \
        {.name = "password",                                                                                           \
         .type = LEAT_OPT_STRING,                                                                                      \
         .flags = LEAT_OPT_SECRET,                                                                                     \
         AT(password),                                                                                                 \
         .example = "\"${PGPASSWORD}\"",                                                                               \
         .doc = "Its password."},                                                                                      \
        {.name = "driver",                                                                                             \
         .type = LEAT_OPT_STRING,                                                                                      \
         AT(driver),                                                                                                   \
         .doc = "The Java class of Flink's option; only org.postgresql.Driver is taken, and means nothing."},          \
        {.name = "connection.max-retry-timeout",                                                                       \
         .type = LEAT_OPT_DURATION,                                                                                    \
         .def = "60s",                                                                                                 \
         .min = "1s",                                                                                                  \
         AT(retry_timeout),                                                                                            \
         .group = "Connection",                                                                                        \
         .doc = "How long an attempt to connect may take; connectTimeout of the URL goes first."},                     \
        {.name = "compatible-mode",                                                                                    \
         .type = LEAT_OPT_STRING,                                                                                      \
         .flags = LATER,                                                                                               \
         .doc = "The dialect of OceanBase; PostgreSQL is the one supported."},                                         \
        {.name = "scan.partition.column",                                                                              \
         .type = LEAT_OPT_STRING,                                                                                      \
         .flags = SENSELESS,                                                                                           \
         .doc = "Tables are read by postgres-cdc; leave it out."},                                                     \
        {.name = "scan.partition.num",                                                                                 \
         .type = LEAT_OPT_INT,                                                                                         \
         .flags = SENSELESS,                                                                                           \
         .doc = "Tables are read by postgres-cdc; leave it out."},                                                     \
        {.name = "scan.partition.lower-bound",                                                                         \
         .type = LEAT_OPT_INT,                                                                                         \
         .flags = SENSELESS,                                                                                           \
         .doc = "Tables are read by postgres-cdc; leave it out."},                                                     \
        {.name = "scan.partition.upper-bound",                                                                         \
         .type = LEAT_OPT_INT,                                                                                         \
         .flags = SENSELESS,                                                                                           \
         .doc = "Tables are read by postgres-cdc; leave it out."},                                                     \
        {.name = "scan.fetch-size",                                                                                    \
         .type = LEAT_OPT_INT,                                                                                         \
         .flags = SENSELESS,                                                                                           \
         .doc = "Tables are read by postgres-cdc; leave it out."},                                                     \
        {.name = "scan.auto-commit",                                                                                   \
         .type = LEAT_OPT_BOOL,                                                                                        \
         .flags = SENSELESS,                                                                                           \
         .doc = "Tables are read by postgres-cdc; leave it out."},                                                     \
    {                                                                                                                  \
        .name = "filter.handling.policy", .type = LEAT_OPT_STRING, .flags = SENSELESS,                                 \
        .doc = "Filters run in the sql operator; leave it out."                                                        \
    }

static const struct leat_option sink_options[] = {
    COMMON_OPTIONS,
    {.name = "sink.buffer-flush.max-rows",
     .type = LEAT_OPT_INT,
     .def = "100",
     .min = "0",
     AT(flush_rows),
     .group = "Writing",
     .doc = "So many rows are written at once, without waiting for more; 0 = no such limit. While a flush is under way "
            "further rows gather for the next, up to 8192 or 2 MiB."},
    {.name = "sink.buffer-flush.interval",
     .type = LEAT_OPT_DURATION,
     .def = "1s",
     .min = "0s",
     AT(flush_interval),
     .group = "Writing",
     .doc = "The longest that a row waits for others; 0 = no such limit. When nothing more comes it does not wait at "
            "all, nor at a checkpoint."},
    {.name = "sink.max-retries",
     .type = LEAT_OPT_INT,
     .def = "3",
     .min = "0",
     .max = "1000",
     AT(sink_retries),
     .group = "Writing",
     .doc = "How often a flush is tried again after a lost connection, a deadlock or the like, before the job is "
            "started again from its last checkpoint."},
    {.name = "sink.copy-new-rows",
     .type = LEAT_OPT_BOOL,
     .def = "true",
     AT(copy_new_rows),
     .group = "Writing",
     .doc =
         "Whether a flush of many rows is first tried by COPY straight into the table, which is a half to a third of "
         "the work for the server as long as no row of it is there already. One that is there makes the server log a "
         "duplicate key and leaves dead rows until the next vacuum; the flush then goes the ordinary way, as do the "
         "next 16 to 1024. false: never tried."},
    {.name = "sink.parallelism",
     .type = LEAT_OPT_INT,
     .flags = SENSELESS,
     .doc = "Write parallelism = N; rows of one key always meet in one instance."},
};

static const struct leat_option lookup_options[] = {
    COMMON_OPTIONS,
    {.name = "lookup.cache",
     .type = LEAT_OPT_ENUM,
     .def = "NONE",
     .words = "NONE|PARTIAL",
     AT(cache),
     .group = "Cache",
     .doc = "PARTIAL remembers the rows of keys that were asked for; nothing tells it that they change, but their "
            "age."},
    {.name = "lookup.partial-cache.max-rows",
     .type = LEAT_OPT_INT,
     .only = "lookup.cache = PARTIAL",
     .min = "1",
     AT(cache_rows),
     .group = "Cache",
     .example = "10000",
     .doc = "So many rows are remembered, the least recently used go first. 64 MiB is a bound in any case."},
    {.name = "lookup.partial-cache.expire-after-write",
     .type = LEAT_OPT_DURATION,
     .only = "lookup.cache = PARTIAL",
     .min = "1ms",
     AT(expire_write),
     .group = "Cache",
     .example = "\"60s\"",
     .doc = "How long rows are believed after they were read."},
    {.name = "lookup.partial-cache.expire-after-access",
     .type = LEAT_OPT_DURATION,
     .only = "lookup.cache = PARTIAL",
     .min = "1ms",
     AT(expire_access),
     .group = "Cache",
     .doc = "How long rows are kept after they were last asked for."},
    {.name = "lookup.partial-cache.cache-missing-key",
     .type = LEAT_OPT_BOOL,
     .only = "lookup.cache = PARTIAL",
     .def = "true",
     AT(cache_missing),
     .group = "Cache",
     .doc = "Whether it is remembered too that a key has no rows."},
    {.name = "lookup.max-retries",
     .type = LEAT_OPT_INT,
     .def = "3",
     .min = "0",
     .max = "1000",
     AT(lookup_retries),
     .doc =
         "How often a question is asked again after a lost connection or the like, before the job is started again."},
    {.name = "lookup.cache.max-rows",
     .type = LEAT_OPT_INT,
     .flags = SENSELESS,
     .doc = "Flink's old name: write lookup.cache = \"PARTIAL\" and lookup.partial-cache.max-rows."},
    {.name = "lookup.cache.ttl",
     .type = LEAT_OPT_DURATION,
     .flags = SENSELESS,
     .doc = "Flink's old name: write lookup.cache = \"PARTIAL\" and lookup.partial-cache.expire-after-write."},
    {.name = "lookup.cache.caching-missing-key",
     .type = LEAT_OPT_BOOL,
     .flags = SENSELESS,
     .doc = "Flink's old name: write lookup.partial-cache.cache-missing-key."},
};

static const struct leat_code codes[] = {
    PQ_CODES,
    {"LEAT-J0101", "An option or the URL cannot be used.", "Correct it as the message says."},
    {"LEAT-J0102", "The table is not there.",
     "Create it, or correct table-name; the job is started again until it is."},
    {"LEAT-J0103", "The name is that of something else than a table.", "Correct table-name."},
    {"LEAT-J0104", "The input's columns do not fit the table's.", "Run the ALTER TABLE named, or change the query."},
    {"LEAT-J0105", "The role lacks a right.", "Run the GRANT that the message names."},
    {"LEAT-J0106", "The table has no unique index on the sink's key.",
     "Add the primary key as the message says, or correct primary-key."},
    {"LEAT-J0107", "A sink without primary-key inserts: after a failure rows of the last checkpoint come twice.",
     "Write primary-key with the columns of a unique index of the table; rows are then written once."},
    {"LEAT-J0108", "The cache of a lookup has no age at which rows are read again.",
     "Write lookup.partial-cache.expire-after-write, unless the table never changes."},
    {"LEAT-J0201", "The table does not take a row.", "See the constraint or type named, and on-error of the node."},
    {"LEAT-J0202", "A value has no form in PostgreSQL.", "See on-error of the node."},
    {"LEAT-J0203", "Too many different sets of unchanged columns wait to be written.",
     "Set unchanged.toast = \"reselect\" in the source."},
    {"LEAT-J0301", "A value of a looked-up row does not fit its type.",
     "Declare the column as STRING, or mend the row."},
    {"LEAT-J0302", "An answer has too many rows.", "Look up by a key that has fewer rows."},
};

static const struct leat_component components[] = {
    {.struct_size = sizeof components[0],
     .kind = LEAT_SINK,
     .name = "jdbc",
     .summary = "writes to a table of PostgreSQL, by key",
     .doc =
         "With primary-key rows are upserted and deleted by key, so that writing them again changes nothing; without "
         "one they are inserted. A flush is one transaction of one or two statements, never one per row. Other "
         "dialects of Flink's connector are not supported yet.",
     .options = sink_options,
     .option_count = sizeof sink_options / sizeof *sink_options,
     .option_stride = sizeof sink_options[0],
     .config_size = sizeof(struct jdbc_config),
     .check = jdbc_check,
     .sink = &jdbc_sink_ops},
    {.struct_size = sizeof components[0],
     .kind = LEAT_LOOKUP,
     .name = "jdbc",
     .summary = "a table of PostgreSQL, asked by key",
     .doc = "One statement answers all the keys of a batch. Without a declared schema the columns are the table's; a "
            "declared one may have fewer and is compared with the catalogue.",
     .options = lookup_options,
     .option_count = sizeof lookup_options / sizeof *lookup_options,
     .option_stride = sizeof lookup_options[0],
     .config_size = sizeof(struct jdbc_config),
     .check = jdbc_check,
     .lookup = &jdbc_lookup_ops},
};

LEAT_PLUGIN("jdbc", "0.1.0", "sink:jdbc,lookup:jdbc", components, codes, sizeof codes / sizeof *codes)
