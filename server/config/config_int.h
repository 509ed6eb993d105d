// SPDX-License-Identifier: Apache-2.0
// What the files of this room share.
#ifndef CONFIG_CONFIG_INT_H
#define CONFIG_CONFIG_INT_H

#include "config/config.h"
#include "config/toml.h"

// Replaces ${…} in a text setting or item; reports faults at their places. The result is in the arena. `secret` is set
// when a ${file:…} was read.
bool substitute(struct config *config, const char **text, uint32_t *len, const struct plugin_setting *where,
                bool *secret);

// Flattens the members of a table into settings with dotted paths. `skip` (NULL = none) names a member that is left
// out. Faults are reported and left out.
struct plugin_setting *flatten(struct config *config, const struct toml_node *table, const char *skip, uint32_t *count);
// A single value as a setting.
bool make_setting(struct config *config, const struct toml_node *node, const char *path, struct plugin_setting *out);

// The sections of a file: 0 server, 1 pipeline, 2 sources, 3 lookups, 4 operators, 5 sinks.
enum section { SECTION_SERVER, SECTION_PIPELINE, SECTION_SOURCES, SECTION_LOOKUPS, SECTION_OPERATORS, SECTION_SINKS };

extern const char *const section_names[]; // NULL-terminated
int section_named(const char *name);      // enum section, -1 = none

// Reports misspelt sections and puts them where they belong.
void mend_tree(struct config *config, struct toml_node *root);

// One node out of a member of [sources], [sinks] ….
void read_node(struct config *config, struct config_pipeline *pipeline, enum section section,
               const struct toml_node *member);

// Reports a fault.
#define ERROR(config, code, place, hint, ...)                                                                          \
    base_diag_add((config)->diags, LEAT_DIAG_ERROR, code, place, hint, __VA_ARGS__)

void no_memory(struct config *config);

#endif
