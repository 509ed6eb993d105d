// SPDX-License-Identifier: Apache-2.0
// From a pipeline of the configuration to a logical graph: schemas read, names and options taken over.
//
// Every fault goes to the configuration's list of diagnostics, at its place in the file. Thread: the one that reads
// files.
#ifndef GRAPH_BUILD_H
#define GRAPH_BUILD_H

#include "config/config.h"
#include "graph/planner.h"

struct plugin_registry;

// The pipeline must be resolved. Never NULL but for want of memory. *ok = every node could be taken over: only then
// does linking make sense. The graph lives as long as the configuration.
struct graph *graph_build(struct config *config, struct config_pipeline *pipeline,
                          const struct plugin_registry *registry, bool *ok);

#endif
