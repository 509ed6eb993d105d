// SPDX-License-Identifier: Apache-2.0
// See flink.h.
#include "plugin/flink.h"

#include <string.h>

#include "leat/plugin.h"

static const char *const connectors[] = {"db2-cdc",         "doris",           "dynamodb",   "elasticsearch-6",
                                         "elasticsearch-7", "elasticsearch-8", "filesystem", "firehose",
                                         "hbase-1.4",       "hbase-2.2",       "hive",       "hudi",
                                         "iceberg",         "kinesis",         "mongodb",    "mongodb-cdc",
                                         "mysql-cdc",       "oceanbase-cdc",   "opensearch", "oracle-cdc",
                                         "paimon",          "pulsar",          "rabbitmq",   "sqlserver-cdc",
                                         "starrocks",       "tidb-cdc",        "vitess-cdc", NULL};

// jdbc reads whole tables in Flink; here it is asked by key, and written.
static const char *const sources[] = {"jdbc", NULL};

static const char *const formats[] = {"avro",
                                      "avro-confluent",
                                      "canal-json",
                                      "csv",
                                      "debezium-avro-confluent",
                                      "debezium-json",
                                      "maxwell-json",
                                      "orc",
                                      "ogg-json",
                                      "parquet",
                                      "protobuf",
                                      "raw",
                                      NULL};

static bool is_in(const char *const *names, const char *name)
{
    for (; *names; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

bool plugin_flink_has(uint8_t kind, const char *name)
{
    if (kind == LEAT_FORMAT)
        return is_in(formats, name);
    if (kind == LEAT_SOURCE && is_in(sources, name))
        return true;
    return kind != LEAT_OPERATOR && is_in(connectors, name);
}
