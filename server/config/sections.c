// SPDX-License-Identifier: Apache-2.0
// The option tables of the core: [server], [pipeline], and what the core wants to know of a node.
//
// They are tables like a plugin's, so the same parser reads them and the same printer documents them.
#include "config/config.h"
#include "config/config_int.h"

#define LEVELS "error|warn|info|debug"

#define AT(member) offsetof(struct config_server, member)
static const struct leat_option server_table[] = {
    {.name = "http.listen",
     .type = LEAT_OPT_STRING,
     .offset = AT(http_listen),
     .def = "127.0.0.1:8080",
     .doc = "Address and port of health, metrics and the REST interface. Port 0 takes a free one.",
     .example = "\"127.0.0.1:8080\""},
    {.name = "http.allowed-hosts",
     .type = LEAT_OPT_LIST,
     .offset = AT(http_hosts),
     .doc = "Further names by which browsers and clients may call the server (the Host header).",
     .example = "[\"etl.example.com\"]"},
    {.name = "http.token",
     .type = LEAT_OPT_STRING,
     .flags = LEAT_OPT_SECRET,
     .offset = AT(http_token),
     .doc = "Bearer token for requests that change something or show rows. Needed when http.listen is not loopback.",
     .example = "\"${file:/run/secrets/leat-token}\""},
    {.name = "plugin.dir",
     .type = LEAT_OPT_STRING,
     .offset = AT(plugin_dir),
     .doc = "Folder of the plugins. Without it: lib beside the executable, then PREFIX/lib/leat.",
     .example = "\"lib\""},
    {.name = "plugin.stall-warning",
     .type = LEAT_OPT_DURATION,
     .offset = AT(stall_warning),
     .def = "1s",
     .min = "1ms",
     .doc = "A callback of a plugin that holds its worker longer than this is named in the log and in health."},
    {.name = "workers",
     .type = LEAT_OPT_INT,
     .offset = AT(workers),
     .def = "0",
     .min = "0",
     .max = "256",
     .doc = "Threads that run pipelines; 0 = one per core."},
    {.name = "log.format",
     .type = LEAT_OPT_ENUM,
     .offset = AT(log_format),
     .words = "text|json",
     .def = "text",
     .doc = "Log lines for people or for machines."},
    {.name = "log.level",
     .type = LEAT_OPT_ENUM,
     .offset = AT(log_level),
     .words = LEVELS,
     .def = "info",
     .doc = "Least important lines that are written."},
};
#undef AT

#define AT(member) offsetof(struct config_pipeline_options, member)
#define BACKOFF    "restart-strategy.exponential-delay."
static const struct leat_option pipeline_table[] = {
    {.name = "name",
     .type = LEAT_OPT_STRING,
     .offset = AT(name),
     .doc = "Name of the pipeline: state and positions are kept by it. Default: the file's name without its ending.",
     .example = "\"orders\""},
    {.name = "parallelism.default",
     .type = LEAT_OPT_INT,
     .offset = AT(parallelism),
     .def = "1",
     .min = "1",
     .max = "256",
     .doc = "Instances of each node that does not say otherwise."},
    {.name = "checkpoint.interval",
     .type = LEAT_OPT_DURATION,
     .offset = AT(checkpoint_interval),
     .def = "1s",
     .min = "10ms",
     .max = "1d",
     .doc = "How often state and positions are made durable."},
    {.name = "checkpoint.timeout",
     .type = LEAT_OPT_DURATION,
     .offset = AT(checkpoint_timeout),
     .def = "10min",
     .min = "1s",
     .doc = "A checkpoint that takes longer fails the job, which is then started again.",
     .flags = LEAT_OPT_EXPERT},
    {.name = "checkpoint.dir",
     .type = LEAT_OPT_STRING,
     .offset = AT(checkpoint_dir),
     .def = "data/checkpoints",
     .doc = "Folder of the checkpoints. Each pipeline has a folder of its own in it, locked while in use."},
    {.name = "transaction.memory-size",
     .type = LEAT_OPT_BYTES,
     .offset = AT(transaction_memory),
     .def = "64MiB",
     .min = "1MiB",
     .doc = "Memory for a transaction that a sink has to sort out by another key than the source's; a larger one goes "
            "on in "
            "files in checkpoint.dir.",
     .flags = LEAT_OPT_EXPERT},
    {.name = "delivery",
     .type = LEAT_OPT_ENUM,
     .offset = AT(delivery),
     .words = "at-least-once|exactly-once",
     .def = "at-least-once",
     .doc = "What sinks promise at least. Upsert sinks are effectively once either way."},
    {.name = "state.backend.type",
     .type = LEAT_OPT_ENUM,
     .offset = AT(state_backend),
     .words = "hashmap|lmdb",
     .def = "hashmap",
     .doc = "Where keyed state lives: in memory, or in a file for state larger than memory."},
    {.name = "restart-strategy.type",
     .type = LEAT_OPT_ENUM,
     .offset = AT(restart),
     .words = "exponential-delay|fixed-delay|none",
     .def = "exponential-delay",
     .doc = "When a job that failed by an outside fault is started again."},
    {.name = BACKOFF "initial-backoff",
     .type = LEAT_OPT_DURATION,
     .offset = AT(restart_initial),
     .def = "1s",
     .min = "1ms",
     .doc = "First wait."},
    {.name = BACKOFF "max-backoff",
     .type = LEAT_OPT_DURATION,
     .offset = AT(restart_max),
     .def = "1min",
     .min = "1ms",
     .doc = "Longest wait."},
    {.name = BACKOFF "backoff-multiplier",
     .type = LEAT_OPT_FLOAT,
     .offset = AT(restart_multiplier),
     .def = "1.5",
     .min = "1",
     .max = "100",
     .doc = "Each wait is so many times the one before."},
    {.name = BACKOFF "jitter-factor",
     .type = LEAT_OPT_FLOAT,
     .offset = AT(restart_jitter),
     .def = "0.1",
     .min = "0",
     .max = "1",
     .doc = "Share of the wait by which it is made longer or shorter at random."},
    {.name = BACKOFF "reset-backoff-threshold",
     .type = LEAT_OPT_DURATION,
     .offset = AT(restart_reset),
     .def = "1h",
     .doc = "A job that has run so long without a failure begins again with the first wait."},
    {.name = "restart-strategy.fixed-delay.delay",
     .type = LEAT_OPT_DURATION,
     .offset = AT(restart_delay),
     .def = "1s",
     .doc = "Wait between two starts."},
    {.name = "restart-strategy.fixed-delay.attempts",
     .type = LEAT_OPT_INT,
     .offset = AT(restart_attempts),
     .def = "1",
     .min = "0",
     .doc = "How often a job is started again before it stays stopped."},
    {.name = "table.local-time-zone",
     .type = LEAT_OPT_STRING,
     .offset = AT(time_zone),
     .def = "UTC",
     .doc = "Time zone of the session, a name such as Asia/Shanghai."},
    {.name = "log.level",
     .type = LEAT_OPT_ENUM,
     .offset = AT(log_level),
     .words = LEVELS,
     .doc = "As in [server], for this pipeline."},
    // Flink's own, as they stand in its configuration and in SET of its SQL client.
    {.name = "pipeline.name", .type = LEAT_OPT_STRING, .flags = LEAT_OPT_SENSELESS, .doc = "Write name."},
    {.name = "execution.checkpointing.interval",
     .type = LEAT_OPT_DURATION,
     .flags = LEAT_OPT_SENSELESS,
     .doc = "Write checkpoint.interval."},
    {.name = "execution.checkpointing.timeout",
     .type = LEAT_OPT_DURATION,
     .flags = LEAT_OPT_SENSELESS,
     .doc = "Write checkpoint.timeout."},
    {.name = "execution.checkpointing.mode",
     .type = LEAT_OPT_STRING,
     .flags = LEAT_OPT_SENSELESS,
     .doc = "Write delivery, which says what sinks give."},
    {.name = "state.checkpoints.dir",
     .type = LEAT_OPT_STRING,
     .flags = LEAT_OPT_SENSELESS,
     .doc = "Write checkpoint.dir."},
    {.name = "state.checkpoints.num-retained",
     .type = LEAT_OPT_INT,
     .flags = LEAT_OPT_SENSELESS,
     .doc = "The newest two and what they need are kept; leave it out."},
    {.name = "state.savepoints.dir",
     .type = LEAT_OPT_STRING,
     .flags = LEAT_OPT_UNSUPPORTED,
     .doc = "Where savepoints go."},
    {.name = "table.exec.state.ttl",
     .type = LEAT_OPT_DURATION,
     .flags = LEAT_OPT_UNSUPPORTED,
     .doc = "After how long unused state is forgotten."},
    {.name = "table.exec.source.idle-timeout",
     .type = LEAT_OPT_DURATION,
     .flags = LEAT_OPT_UNSUPPORTED,
     .doc = "After how long a silent source holds no watermark back."},
    {.name = "table.exec.sink.not-null-enforcer",
     .type = LEAT_OPT_STRING,
     .flags = LEAT_OPT_SENSELESS,
     .doc = "A NULL in a column that is NOT NULL is an error of its row, see on-error; leave it out."},
    {.name = "table.exec.mini-batch.",
     .type = LEAT_OPT_MAP,
     .flags = LEAT_OPT_SENSELESS,
     .doc = "Rows always go in batches, and a lone one at once; leave it out."},
    {.name = "pipeline.object-reuse",
     .type = LEAT_OPT_BOOL,
     .flags = LEAT_OPT_SENSELESS,
     .doc = "There are no objects of a JVM here; leave it out."},
};
#undef AT

#define AT(member) offsetof(struct config_node_options, member)
#define ON_ERROR                                                                                                       \
    {.name = "on-error",                                                                                               \
     .type = LEAT_OPT_ENUM,                                                                                            \
     .offset = AT(on_error),                                                                                           \
     .words = "fail|skip|dead-letter",                                                                                 \
     .def = "fail",                                                                                                    \
     .group = "Every node",                                                                                            \
     .doc = "What is done with a row that cannot be taken: stop the job, or skip and count it. dead-letter is not "    \
            "available yet."},                                                                                         \
    {                                                                                                                  \
        .name = "dead-letter.sink", .type = LEAT_OPT_STRING, .offset = AT(dead_letter_sink), .group = "Every node",    \
        .doc = "Name of the sink that takes the bad rows. Not available yet.", .example = "\"rejected\""               \
    }
#define PARALLELISM(name_)                                                                                             \
    {                                                                                                                  \
        .name = name_, .type = LEAT_OPT_INT, .offset = AT(parallelism), .min = "1", .max = "256",                      \
        .group = "Every node", .doc = "Instances of this node; default: parallelism.default of the pipeline."          \
    }
#define PRIMARY_KEY(doc_)                                                                                              \
    {                                                                                                                  \
        .name = "primary-key", .type = LEAT_OPT_LIST, .offset = AT(primary_key), .group = "Every node", .doc = doc_,   \
        .example = "[\"order_id\"]"                                                                                    \
    }

static const struct leat_option source_table[] = {
    PRIMARY_KEY("Columns of the declared schema that tell its rows apart."),
    {.name = "watermark.column",
     .type = LEAT_OPT_STRING,
     .offset = AT(watermark_column),
     .group = "Every node",
     .doc = "Column with the time of the event.",
     .example = "\"order_time\""},
    {.name = "watermark.delay",
     .type = LEAT_OPT_DURATION,
     .offset = AT(watermark_delay),
     .group = "Every node",
     .doc = "How much later than others a row may come.",
     .example = "\"5s\""},
    PARALLELISM("parallelism"),
    PARALLELISM("scan.parallelism"),
    ON_ERROR,
};
static const struct leat_option lookup_table[] = {
    PRIMARY_KEY("Columns of the declared schema that tell its rows apart."),
    ON_ERROR,
};
static const struct leat_option operator_table[] = {PARALLELISM("parallelism"), ON_ERROR};
static const struct leat_option sink_table[] = {
    {.name = "input",
     .type = LEAT_OPT_LIST,
     .flags = LEAT_OPT_REQUIRED,
     .offset = AT(input),
     .group = "Every node",
     .doc = "What is written: the name of a source or operator, or node.port.",
     .example = "\"pg.business.orders\""},
    PRIMARY_KEY("Columns by which rows are written and deleted."),
    PARALLELISM("parallelism"),
    PARALLELISM("sink.parallelism"),
    ON_ERROR,
};
#undef AT

const struct leat_option *config_table(unsigned section, uint32_t *count)
{
#define TABLE(table)                                                                                                   \
    {                                                                                                                  \
        table, sizeof(table) / sizeof((table)[0])                                                                      \
    }
    static const struct {
        const struct leat_option *options;
        uint32_t count;
    } tables[CONFIG_TABLES] = {
        [SECTION_SERVER] = TABLE(server_table),      [SECTION_PIPELINE] = TABLE(pipeline_table),
        [SECTION_SOURCES] = TABLE(source_table),     [SECTION_LOOKUPS] = TABLE(lookup_table),
        [SECTION_OPERATORS] = TABLE(operator_table), [SECTION_SINKS] = TABLE(sink_table),
    };
    *count = tables[section].count;
    return tables[section].options;
}
