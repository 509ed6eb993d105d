// SPDX-License-Identifier: Apache-2.0
// What every verb that reads pipeline files needs: plugins loaded, files read, graphs built, linked and planned once.
//
// Faults are collected, not printed; session_report prints them. Thread: main.
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "config/config.h"
#include "graph/build.h"
#include "graph/planner.h"
#include "plugin/registry.h"

struct session_pipeline {
    struct graph *graph;
    const struct config_pipeline_options *options;
    bool linked;
    bool partly_known; // the columns of a source are known only when connected
};

struct session {
    struct base_secrets *secrets;
    struct plugin_registry *registry;
    struct base_diags diags;
    struct config *config;
    struct session_pipeline *pipelines;
    uint32_t pipeline_count;
};

// Reads the files (etc/pipeline.toml when there are none) and leat.toml beside the first. False only when memory is
// short, with a message printed; whether the files are right is told by session->diags.errors.
bool session_open(struct session *session, char **files, int count);
// For `leat sql`: one file, or else a text that is no file; nothing is linked yet.
bool session_open_quiet(struct session *session, char **file, const char *text);
// Only the plugins, from `dir` or the usual places.
bool session_open_plugins(struct session *session, const char *dir);
void session_close(struct session *session);

// Prints diagnostics and their count to stderr; with `json` as JSON to stdout.
void session_report(struct session *session, bool json);
// After that, where there were errors: a line with the commands that tell more of their codes and options.
void session_read_on(const struct session *session);

#endif
