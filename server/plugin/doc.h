// SPDX-License-Identifier: Apache-2.0
// The manual, printed from the tables: what plugins there are, and every option of a component.
//
// `name` selects a plugin by its name or all components of that name; NULL = all of them in short. The Markdown form is
// what docs/reference/ is made of. Thread: any; reads the registry only.
#ifndef PLUGIN_DOC_H
#define PLUGIN_DOC_H

#include <stdbool.h>
#include <stdint.h>

#include "leat/plugin.h"

struct base_str;
struct plugin_registry;

// False if nothing has that name; `out` is untouched then.
bool plugin_doc_text(const struct plugin_registry *registry, const char *name, struct base_str *out);
bool plugin_doc_json(const struct plugin_registry *registry, const char *name, struct base_str *out);
bool plugin_doc_markdown(const struct plugin_registry *registry, const char *name, struct base_str *out);

// An option table alone, for the core's own sections. As JSON: an array.
void plugin_doc_options_text(const struct leat_option *options, uint32_t count, struct base_str *out);
void plugin_doc_options_json(const struct leat_option *options, uint32_t count, struct base_str *out);
void plugin_doc_options_markdown(const struct leat_option *options, uint32_t count, struct base_str *out);

// Text of a cell of a Markdown table.
void plugin_doc_cell(struct base_str *out, const char *text);

#endif
