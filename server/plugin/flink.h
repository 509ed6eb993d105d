// SPDX-License-Identifier: Apache-2.0
// Names of Flink that no plugin has yet: they are answered "known in Flink, not supported yet" instead of "unknown".
// A plugin that takes one of them over is found first, so a name may stay here for a kind that it lacks (filesystem is
// a source here and also a sink in Flink). Thread: any.
#ifndef PLUGIN_FLINK_H
#define PLUGIN_FLINK_H

#include <stdbool.h>
#include <stdint.h>

// Does Flink have a component of this name? `kind` is LEAT_SOURCE, LEAT_LOOKUP, LEAT_SINK or LEAT_FORMAT; it names no
// operators.
bool plugin_flink_has(uint8_t kind, const char *name);

#endif
