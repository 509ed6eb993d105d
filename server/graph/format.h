// SPDX-License-Identifier: Apache-2.0
// Opens the format that an option of a node names. Formats are pure, so plugins may also open them while a pipeline is
// checked.
#ifndef GRAPH_FORMAT_H
#define GRAPH_FORMAT_H

#include <leat/format.h>

struct plugin_format;

// The work behind host->format_open: `request` lacks its config and is_key, which follow from `option`.
leat_status graph_format_open(struct leat_ctx *ctx, const struct plugin_format *formats, uint32_t count,
                              const char *option, struct leat_format_request *request, struct leat_format **out);

#endif
