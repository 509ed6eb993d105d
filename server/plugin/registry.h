// SPDX-License-Identifier: Apache-2.0
// The registry: which components there are, by kind and name, and out of which library each came.
//
// What is found here is a copy of what the plugin offered, in structs of this core's size: tails that an older plugin
// does not have are zero, so nobody else looks at sizes or strides. Filled once at start, read-only afterwards.
// Thread: filled by the main thread; any may read then. Pointers live as long as the registry.
#ifndef PLUGIN_REGISTRY_H
#define PLUGIN_REGISTRY_H

#include <stddef.h>

#include "leat/plugin.h"

struct base_error;
struct plugin_registry;

// A loaded plugin.
struct plugin_library {
    const char *file; // path; "(built in)" for what was added by hand
    const char *name, *version, *vcs_id;
    const struct leat_component *components;
    uint32_t component_count;
    const struct leat_code *codes;
    uint32_t code_count;
};

struct plugin_registry *plugin_registry_create(void);
void plugin_registry_destroy(struct plugin_registry *registry);

// Takes in what an entry function returned: checks it, copies it, refuses clashes with what is there. All or nothing.
// `file` is copied. Fails as LEAT_CONFIG with a LEAT-P… code; the message does not name the file.
leat_status plugin_registry_add(struct plugin_registry *registry, const char *file, const struct leat_plugin *plugin,
                                struct base_error *err) LEAT_MUST_CHECK;

// NULL if there is none. `kind`: LEAT_SOURCE ….
const struct leat_component *plugin_registry_find(const struct plugin_registry *registry, uint8_t kind,
                                                  const char *name);
// The library of a component that came from here.
const struct plugin_library *plugin_registry_library_of(const struct plugin_registry *registry,
                                                        const struct leat_component *component);
// Names of all components of a kind, NULL-terminated, for base_nearest.
const char *const *plugin_registry_names(const struct plugin_registry *registry, uint8_t kind);

size_t plugin_registry_count(const struct plugin_registry *registry);
const struct plugin_library *plugin_registry_at(const struct plugin_registry *registry, size_t i);

// "source", "sink", "operator", "format", "lookup".
const char *plugin_kind_name(uint8_t kind);
const char *plugin_kind_with_article(uint8_t kind); // "an operator"

#endif
