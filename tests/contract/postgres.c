// SPDX-License-Identifier: Apache-2.0
// Fixtures on a real PostgreSQL, named by JDBC_HOST, JDBC_PORT and JDBC_DATABASE: postgres-cdc and jdbc.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"
#include "server.h"

#include <cmocka.h>

// --- postgres-cdc: half of the rows are there before it starts or come by the stream, as the case has it

#define SLOT "leat_contract"

static void make_table(struct testhost *h)
{
    server_run("DROP TABLE IF EXISTS contract_source;"
               "CREATE TABLE contract_source (id BIGINT PRIMARY KEY, name TEXT);"
               "INSERT INTO contract_source SELECT i, 'name ' || i FROM generate_series(0, 2999) i");
}

static void drop_slot(void)
{
    server_run("DO $$ BEGIN "
               "FOR i IN 1..200 LOOP "
               "EXIT WHEN NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '" SLOT "' AND active); "
               "PERFORM pg_sleep(0.02); END LOOP; "
               "PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '" SLOT "'; "
               "END $$");
}

static const char *const *cdc_options(void)
{
    static const char *options[] = {"hostname",      NULL,     "port",       NULL,
                                    "database-name", NULL,     "username",   "postgres",
                                    "schema-name",   "public", "table-name", "contract_source",
                                    "slot.name",     SLOT,     NULL};
    options[1] = getenv("JDBC_HOST");
    options[3] = getenv("JDBC_PORT");
    options[5] = getenv("JDBC_DATABASE");
    return options;
}

static const struct contract_source sources[] = {{.name = "postgres-cdc",
                                                  .rows = 3000,
                                                  .prepare = make_table,
                                                  .clean = drop_slot,
                                                  .fresh = drop_slot,
                                                  .options = cdc_options,
                                                  .repeats = 1}};

// --- jdbc

static void make_target(struct testhost *h)
{
    server_run("DROP TABLE IF EXISTS contract_sink;"
               "CREATE TABLE contract_sink (id BIGINT PRIMARY KEY, value TEXT)");
}

static const char *target(struct testhost *h)
{
    return server_rows("SELECT id, value FROM contract_sink ORDER BY id");
}

static const char *const *jdbc_options(void)
{
    static const char *options[] = {"url", NULL, "username", "postgres", "table-name", "contract_sink", NULL};
    options[1] = server_url("");
    return options;
}

static const struct contract_sink sinks[] = {{.name = "jdbc",
                                              .columns = "id BIGINT NOT NULL, value STRING",
                                              .key = "id",
                                              .mode = LEAT_MODE_UPSERT,
                                              .options = jdbc_options,
                                              .fresh = make_target,
                                              .content = target}};

// --- jdbc, asked

static void make_asked(struct testhost *h)
{
    server_run("DROP TABLE IF EXISTS contract_lookup;"
               "CREATE TABLE contract_lookup (id BIGINT PRIMARY KEY, value TEXT);"
               "INSERT INTO contract_lookup SELECT i, 'value ' || i FROM generate_series(0, 499) i");
}

static const char *const *lookup_options(void)
{
    static const char *options[] = {"url", NULL, "username", "postgres", "table-name", "contract_lookup", NULL};
    options[1] = server_url("");
    return options;
}

static const char *const *cached_options(void)
{
    static const char *options[] = {"url",          NULL,         "username",
                                    "postgres",     "table-name", "contract_lookup",
                                    "lookup.cache", "PARTIAL",    "lookup.partial-cache.max-rows",
                                    "100",          NULL};
    options[1] = server_url("");
    return options;
}

static const struct contract_lookup lookups[] = {
    {.name = "jdbc", .rows = 500, .prepare = make_asked, .options = lookup_options},
    {.name = "jdbc",
     .columns = "id BIGINT NOT NULL, value STRING",
     .key = "id",
     .rows = 500,
     .prepare = make_asked,
     .options = cached_options},
};

static const struct contract_component components[] = {
    {"postgres-cdc", "postgres-cdc", "postgres-cdc", LEAT_SOURCE, cdc_options, NULL, NULL, 0},
    {"jdbc", "jdbc", "jdbc", LEAT_SINK, jdbc_options, "id BIGINT NOT NULL, value STRING", "id", LEAT_MODE_UPSERT},
    {"jdbc lookup", "jdbc", "jdbc", LEAT_LOOKUP, jdbc_options, "id BIGINT NOT NULL, value STRING", "id", 0},
};

int main(void)
{
    return contract_run_static(components, sizeof components / sizeof components[0]) +
           contract_run_sources(sources, sizeof sources / sizeof sources[0]) +
           contract_run_sinks(sinks, sizeof sinks / sizeof sinks[0]) +
           contract_run_lookups(lookups, sizeof lookups / sizeof lookups[0]);
}
