// SPDX-License-Identifier: Apache-2.0
// The loader: takes the plugins of a folder into the registry, and refuses what is not right before its code runs.
//
// Files are taken in the order of their names. One that is refused is told, with reason and cure, and the others go on.
// Libraries are never unloaded. Thread: the main thread, before pipelines start.
#ifndef PLUGIN_LOADER_H
#define PLUGIN_LOADER_H

#include <stddef.h>

#include "leat/plugin.h"

struct base_diags;
struct base_error;
struct plugin_registry;

// Told of each file that is refused.
typedef void (*plugin_refused_fn)(void *arg, const char *file, const struct base_error *err);

// Fails only if the folder as a whole cannot be used (it is missing, anybody may write into it).
leat_status plugin_load_folder(struct plugin_registry *registry, const char *folder, const struct leat_host *host,
                               plugin_refused_fn refused, void *arg, struct base_error *err) LEAT_MUST_CHECK;

// The same with the list of diagnostics: refused files are warnings, an unusable folder is an error. Plugins are given
// the static host table (check.h) at their entry.
void plugin_load_dir(struct plugin_registry *registry, const char *folder, struct base_diags *diags);

// One file.
leat_status plugin_load_file(struct plugin_registry *registry, const char *path, const struct leat_host *host,
                             struct base_error *err) LEAT_MUST_CHECK;

// The folder where plugins are sought without plugin.dir: "lib" beside the executable, else "../lib/leat" from there
// (PREFIX/lib/leat for PREFIX/bin). When neither is there, the first, so that its absence can be told.
void plugin_folder(char *out, size_t size);

#endif
