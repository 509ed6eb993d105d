// SPDX-License-Identifier: Apache-2.0
// The properties of Debezium that files for Flink carry as debezium.*, each with what to write instead: those of its
// connector for PostgreSQL, as of version 1.9, which Flink CDC has inside. Rows for the table in plugin.c; the longest
// name that fits a setting answers it.
#ifndef PGCDC_DEBEZIUM_H
#define PGCDC_DEBEZIUM_H

#include <leat/option.h>

#define DEBEZIUM_ROW(name_, type_, instead_)                                                                           \
    {                                                                                                                  \
        .name = "debezium." name_, .type = (type_), .flags = LEAT_OPT_SENSELESS, .doc = (instead_)                     \
    }
#define DEBEZIUM(name_, instead_)     DEBEZIUM_ROW(name_, LEAT_OPT_STRING, instead_)
#define DEBEZIUM_ALL(name_, instead_) DEBEZIUM_ROW(name_, LEAT_OPT_MAP, instead_) // every name that begins so

#define PGCDC_DEBEZIUM_OPTIONS                                                                                         \
    DEBEZIUM("connector.class",                                                                                        \
             "It is a class of Kafka Connect: connector = \"postgres-cdc\" says the same. Leave it out."),             \
        DEBEZIUM("plugin.name", "leat reads pgoutput, which is part of every PostgreSQL. Leave it out."),              \
        DEBEZIUM("slot.name", "Write slot.name."),                                                                     \
        DEBEZIUM("slot.drop.on.stop",                                                                                  \
                 "A run never drops its slot, or the changes until the next start would be lost. Leave it out; when "  \
                 "the source is no longer wanted: SELECT pg_drop_replication_slot('NAME')."),                          \
        DEBEZIUM("slot.stream.params",                                                                                 \
                 "There are none to give: pgoutput is told the publication and nothing else. Leave it out."),          \
        DEBEZIUM("slot.failover", "Slots are not created for failover yet. Leave it out."),                            \
        DEBEZIUM("slot.max.retries", "A source whose server is away is opened again for as long as it takes: see "     \
                                     "restart-strategy.* in [pipeline]. Leave it out."),                               \
        DEBEZIUM("slot.retry.delay.ms",                                                                                \
                 "Write restart-strategy.exponential-delay.initial-backoff and .max-backoff in [pipeline]."),          \
        DEBEZIUM("errors.max.retries", "Write restart-strategy.type and its options in [pipeline]."),                  \
        DEBEZIUM("retriable.restart.connector.wait.ms",                                                                \
                 "Write restart-strategy.exponential-delay.initial-backoff and .max-backoff in [pipeline]."),          \
        DEBEZIUM("publication.name", "Write publication.name."),                                                       \
        DEBEZIUM("publication.autocreate.mode",                                                                        \
                 "Write publication.autocreate.mode = \"filtered\" (the default: a publication of the captured "       \
                 "tables) or \"disabled\" (it is there). There is no all_tables: it would take a superuser and fetch " \
                 "what nobody reads."),                                                                                \
        DEBEZIUM("database.hostname", "Write hostname."), DEBEZIUM("database.port", "Write port."),                    \
        DEBEZIUM("database.user", "Write username."), DEBEZIUM("database.password", "Write password."),                \
        DEBEZIUM("database.dbname", "Write database-name."),                                                           \
        DEBEZIUM("database.server.name", "Topics are named by the sinks that write them. Leave it out."),              \
        DEBEZIUM("database.sslmode", "Write sslmode."), DEBEZIUM("database.sslrootcert", "Write sslrootcert."),        \
        DEBEZIUM("database.sslcert", "Write sslcert."), DEBEZIUM("database.sslkey", "Write sslkey, a file in PEM."),   \
        DEBEZIUM("database.sslpassword", "Write sslpassword."),                                                        \
        DEBEZIUM_ALL("database.", "Write hostname, port, username, password and database-name; the rest of the "       \
                                  "session is set by leat. Leave it out."),                                            \
        DEBEZIUM("topic.prefix", "Topics are named by the sinks that write them. Leave it out."),                      \
        DEBEZIUM("schema.include.list", "Write schema-name, a regular expression."),                                   \
        DEBEZIUM("schema.exclude.list", "Write schema-name as what remains: (?!audit$).* is all but one."),            \
        DEBEZIUM("table.include.list",                                                                                 \
                 "Write schema-name and table-name, regular expressions: table-name = \"orders|users\"."),             \
        DEBEZIUM("table.exclude.list", "Write table-name as what remains: (?!audit$|tmp_).* is all but some."),        \
        DEBEZIUM("column.include.list", "Name the columns in [sources.NAME.schema]."),                                 \
        DEBEZIUM("column.exclude.list",                                                                                \
                 "Name the other columns in [sources.NAME.schema], or leave these out in a query."),                   \
        DEBEZIUM_ALL("column.", "Change columns in a query of the operator sql: LEFT(c, 4), SHA256(c), '***' AS c."),  \
        DEBEZIUM("message.key.columns", "Write primary-key in the source."),                                           \
        DEBEZIUM("skipped.operations",                                                                                 \
                 "For truncates write on-truncate = \"ignore\". Inserts, updates and deletes are all read."),          \
        DEBEZIUM("decimal.handling.mode",                                                                              \
                 "A numeric comes as a DECIMAL, exactly. Leave it out; for text declare the column as STRING in "      \
                 "[sources.NAME.schema], for a DOUBLE cast it in a query."),                                           \
        DEBEZIUM("time.precision.mode",                                                                                \
                 "Times come as DATE, TIME and TIMESTAMP with all their microseconds, never as numbers. Leave it "     \
                 "out; timestamp-format.standard of the format json says how they are written."),                      \
        DEBEZIUM("interval.handling.mode", "An interval comes as STRING in PostgreSQL's own text. Leave it out."),     \
        DEBEZIUM("hstore.handling.mode", "An hstore comes as STRING in PostgreSQL's own text. Leave it out."),         \
        DEBEZIUM("binary.handling.mode",                                                                               \
                 "A bytea comes as BYTES, and the format json writes it in base64. Leave it out; for other spellings " \
                 "declare the column as STRING, which gives PostgreSQL's hexadecimal text."),                          \
        DEBEZIUM("money.fraction.digits", "A money comes as STRING in PostgreSQL's own text. Leave it out."),          \
        DEBEZIUM("toasted.value.placeholder", "No placeholder is ever written: unchanged.toast = \"reselect\" (the "   \
                                              "default) fetches the value, \"fail\" stops."),                          \
        DEBEZIUM("unavailable.value.placeholder", "No placeholder is ever written: unchanged.toast = \"reselect\" "    \
                                                  "(the default) fetches the value, \"fail\" stops."),                 \
        DEBEZIUM("include.unknown.datatypes", "Every type without one of its own comes as STRING. Leave it out."),     \
        DEBEZIUM("converters", "A class of Java cannot be loaded here: declare the column in [sources.NAME.schema], "  \
                               "or convert it in a query."),                                                           \
        DEBEZIUM("tombstones.on.delete",                                                                               \
                 "A delete is one row, and the sink upsert-kafka makes one tombstone of it. Leave it out."),           \
        DEBEZIUM("include.schema.changes",                                                                             \
                 "Changes of tables are followed or refused by name, never written as records. Leave it out."),        \
        DEBEZIUM("provide.transaction.metadata",                                                                       \
                 "Transactions stay together up to the sink, without records of their own. Leave it out."),            \
        DEBEZIUM("transaction.topic",                                                                                  \
                 "Transactions stay together up to the sink, without records of their own. Leave it out."),            \
        DEBEZIUM("schema.refresh.mode", "Columns are followed by what the server sends. Leave it out."),               \
        DEBEZIUM(                                                                                                      \
            "snapshot.mode",                                                                                           \
            "Write scan.startup.mode: \"initial\" (also for when_needed), \"latest-offset\" or \"committed-offset\" "  \
            "for never, \"snapshot\" for initial_only. For always start with --forget-state NODE."),                   \
        DEBEZIUM("snapshot.select.statement.overrides",                                                                \
                 "Tables are read whole: filter the rows by WHERE in a query."),                                       \
        DEBEZIUM("snapshot.include.collection.list",                                                                   \
                 "Every captured table is read. For some without a snapshot make a second source with "                \
                 "scan.startup.mode = \"latest-offset\" and a slot of its own."),                                      \
        DEBEZIUM("snapshot.fetch.size", "The snapshot is streamed by COPY, without a fetch size. Leave it out."),      \
        DEBEZIUM("snapshot.max.threads", "Write snapshot.connections."),                                               \
        DEBEZIUM_ALL("snapshot.",                                                                                      \
                     "The snapshot is the one of the slot: it locks nothing and is not delayed. Leave it out."),       \
        DEBEZIUM_ALL("incremental.snapshot.",                                                                          \
                     "Snapshots are not cut into chunks by key. Write snapshot.connections to read in parallel."),     \
        DEBEZIUM_ALL("signal.", "There are no signals. A table that a start finds for the first time is read by "      \
                                "itself; for a new snapshot drop the slot and start once with --forget-state NODE."),  \
        DEBEZIUM("heartbeat.interval.ms", "Write heartbeat.interval.ms = \"30s\"."),                                   \
        DEBEZIUM("heartbeat.action.query", "The slot of an idle database moves on without it. Leave it out."),         \
        DEBEZIUM_ALL("heartbeat.", "Write heartbeat.interval.ms = \"30s\"; there is no topic of heartbeats."),         \
        DEBEZIUM("status.update.interval.ms",                                                                          \
                 "Write wal-sender.timeout; the server is answered three times as often."),                            \
        DEBEZIUM("max.batch.size", "Rows come in batches of up to 1024. Leave it out."),                               \
        DEBEZIUM("max.queue.size",                                                                                     \
                 "A reader that is behind holds the source back, and memory is bounded. Leave it out."),               \
        DEBEZIUM("max.queue.size.in.bytes",                                                                            \
                 "A reader that is behind holds the source back, and memory is bounded. Leave it out."),               \
        DEBEZIUM("poll.interval.ms", "Changes are taken as the server sends them. Leave it out."),                     \
        DEBEZIUM("event.processing.failure.handling.mode", "Write on-error = \"fail\" or \"skip\"."),                  \
        DEBEZIUM("lsn.flush.mode", "The slot is confirmed after a checkpoint made the rows durable. Leave it out."),   \
        DEBEZIUM_ALL("", "There is no Debezium inside, and this property has no counterpart: leave it out. Options "   \
                         "of postgres-cdc have no prefix; \"leat plugins postgres-cdc\" lists them.")

#endif
