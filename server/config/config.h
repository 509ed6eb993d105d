// SPDX-License-Identifier: Apache-2.0
// The configuration: pipeline files read, checked as far as no plugin is needed, and turned into plain structs.
//
//     struct config *config = config_create(&diags, secrets, &err);
//     config_load(config, paths, count);            // etc/leat.toml beside the first file is read too
//     config_resolve(config, registry);             // components and their options
//     base_diags_sort(&diags); …
//
// Every fault goes into the list of diagnostics; what could not be understood is left out of the model, so that one
// fault does not bring others with it. config_resolve looks at what is left. Everything lives as long as the config.
// Thread: the main thread, at start; read-only afterwards.
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/diag.h"
#include "leat/plugin.h"
#include "plugin/option.h"
#include "plugin/setting.h"

struct base_arena;
struct base_error;
struct base_secrets;
struct plugin_registry;

#define CONFIG_NAME_MAX  64   // bytes of a name
#define CONFIG_NODES_MAX 4096 // of one pipeline
#define CONFIG_FILES_MAX 256

// The section [server].
struct config_server {
    const char *http_listen;
    struct leat_strings http_hosts;
    const char *http_token; // secret; NULL = none
    const char *plugin_dir; // NULL = beside the executable
    int64_t stall_warning;  // usec
    int64_t workers;        // threads; 0 = one per core
    int32_t log_format;     // 0 text, 1 json
    int32_t log_level;      // LEAT_LOG_ERROR - 1 …
};

#define CONFIG_DELIVERY_AT_LEAST_ONCE 0
#define CONFIG_DELIVERY_EXACTLY_ONCE  1

#define CONFIG_RESTART_EXPONENTIAL 0
#define CONFIG_RESTART_FIXED       1
#define CONFIG_RESTART_NONE        2

// The section [pipeline].
struct config_pipeline_options {
    const char *name;
    int64_t parallelism;
    int64_t checkpoint_interval, checkpoint_timeout; // usec
    const char *checkpoint_dir;
    int64_t transaction_memory;
    int32_t delivery;                                    // CONFIG_DELIVERY_*
    int32_t state_backend;                               // 0 hashmap
    int32_t restart;                                     // CONFIG_RESTART_*
    int64_t restart_initial, restart_max, restart_reset; // usec; exponential
    double restart_multiplier, restart_jitter;
    int64_t restart_delay, restart_attempts; // fixed: usec between attempts, how many
    const char *time_zone;
    int32_t log_level; // LEAT_LOG_ERROR - 1 …; -1 = as the server
};

#define CONFIG_ON_ERROR_FAIL        0
#define CONFIG_ON_ERROR_SKIP        1
#define CONFIG_ON_ERROR_DEAD_LETTER 2

// What the core itself wants to know of a node.
struct config_node_options {
    struct leat_strings input;       // sinks
    struct leat_strings primary_key; // sources, lookups, sinks
    int32_t on_error;                // CONFIG_ON_ERROR_*
    const char *dead_letter_sink;
    int64_t parallelism; // LEAT_UNSET = the pipeline's
    const char *watermark_column;
    int64_t watermark_delay; // usec; LEAT_UNSET
};

// A column of a declared schema.
struct config_column {
    const char *name;
    const char *type; // SQL text; NULL = it could not be read
    struct base_place name_place;
    const struct plugin_setting *setting; // the type's text: plugin_setting_place maps offsets in it
};

struct config_node {
    uint8_t kind; // LEAT_SOURCE, LEAT_SINK, LEAT_LOOKUP, LEAT_OPERATOR
    const char *name;
    struct base_place place; // of the name
    const char *type;        // "postgres-cdc"; NULL = missing (reported)
    struct base_place type_place;
    struct plugin_setting *settings;
    uint32_t setting_count;
    uint8_t has_schema;
    struct base_place schema_place;
    struct config_column *columns; // in the order of the file
    uint32_t column_count;
    struct config_node_options options;
    uint8_t faulty;                    // something of it was reported: it cannot run
    uint8_t schema_faulty;             // it has one that cannot be read at all
    const char *const *faulty_options; // what mentions them was reported
    uint32_t faulty_option_count;
    // filled by config_resolve; NULL if it could not be
    const struct leat_component *component;
    const void *config;
    uint8_t refused; // its component's check failed
    const struct plugin_format *formats;
    uint32_t format_count;
};

struct config_pipeline {
    const struct base_source *source;
    struct base_place place; // of [pipeline], or the beginning of the file
    struct config_pipeline_options options;
    struct config_node *nodes; // in the order of the file
    uint32_t node_count;
    uint8_t incomplete;    // a node was left out
    uint8_t nodes_missing; // a whole section of nodes was: names that nothing has may stand there
};

struct config {
    struct base_arena *arena;
    struct base_diags *diags;     // borrowed
    struct base_secrets *secrets; // borrowed
    struct config_server server;
    struct config_pipeline *pipelines; // one per file that has nodes or [pipeline]
    uint32_t pipeline_count;
    struct base_place server_place; // of [server]; source NULL = there is none
    struct plugin_setting *server_settings;
    uint32_t server_setting_count;
    bool faulty; // [server] or [pipeline] of a file had faults
};

struct config *config_create(struct base_diags *diags, struct base_secrets *secrets, struct base_error *err);
void config_destroy(struct config *config);

// Reads the files in their order. False if there were errors; the model holds what could be understood.
bool config_load(struct config *config, const char *const *paths, uint32_t count);
// The same for one text that is no file (a command line, a test). `name` stands in messages.
bool config_load_text(struct config *config, const char *name, const char *text);

// Finds each node's component and parses its options. False if there were errors.
bool config_resolve(struct config *config, const struct plugin_registry *registry);

// The place of byte `offset` of an option's value; the node's own place when the option is NULL or not given.
struct base_place config_option_place(const struct config_node *node, const char *option, uint32_t offset);

// The same for [server]; the section's own place when the option is not given.
struct base_place config_server_place(const struct config *config, const char *option);

// The option tables of the sections, for the manual. kind 0: [server]; 1: [pipeline]; else the core's options of a node
// of 2 sources, 3 lookups, 4 operators, 5 sinks.
const struct leat_option *config_table(unsigned section, uint32_t *count);
#define CONFIG_TABLES 6

#endif
