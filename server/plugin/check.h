// SPDX-License-Identifier: Apache-2.0
// A context for a component's `check`: static, without loop, files or threads.
//
// Offers memory, errors, diagnostics and a silent log; whatever belongs to running nodes is absent from its host table
// (LEAT_HOST_HAS is 0). Diagnostics land in the list at the option's place. Thread: the one that reads files.
#ifndef PLUGIN_CHECK_H
#define PLUGIN_CHECK_H

#include "base/error.h"
#include "plugin/option.h"

struct plugin_check {
    struct leat_ctx ctx; // first
    const struct plugin_parse *parse;
    struct base_error error; // of the last fail
    bool held_back;          // a diagnostic only repeated, in other words, the fault of an option
};

// `parse` is borrowed for as long as the context is used.
void plugin_check_init(struct plugin_check *check, const struct plugin_parse *parse);

// Fills the part of a host table that needs no running node: alloc, free, fail, detail, hint, native, log (silent),
// now, monotonic. ctx->core must point at the struct plugin_check.
const struct leat_host *plugin_check_host(void);

#endif
