// SPDX-License-Identifier: Apache-2.0
#ifndef PLUGIN_LOADER_H
#define PLUGIN_LOADER_H
#include "base/diag.h"
#include "plugin/registry.h"
void plugin_load_dir(struct plugin_registry *registry, const char *dir, struct base_diags *diags);
#endif
