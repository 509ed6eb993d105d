// SPDX-License-Identifier: Apache-2.0
// The parts of the manual that belong to no single component: the core's own options, and all error codes.
//
// Thread: any; reads tables only.
#ifndef CLI_REFERENCE_H
#define CLI_REFERENCE_H

#include <stdbool.h>

struct base_arena;
struct base_str;
struct plugin_registry;

enum reference_form { REFERENCE_TEXT, REFERENCE_JSON, REFERENCE_MARKDOWN };

// Options of [server], [pipeline] and of nodes of each kind.
void reference_core(enum reference_form form, struct base_str *out);
// Every code of the core and of the plugins, each once.
void reference_codes(const struct plugin_registry *registry, enum reference_form form, struct base_str *out);
// Those of `codes` (NULL-terminated) with cause and cure; all, a line each, when there are none. Text or JSON.
void reference_explain(const struct plugin_registry *registry, const char *const *codes, enum reference_form form,
                       struct base_str *out);
// The names of all codes, NULL-terminated; NULL = no memory.
const char *const *reference_code_names(const struct plugin_registry *registry, struct base_arena *arena);

#endif
