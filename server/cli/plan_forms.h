// SPDX-License-Identifier: Apache-2.0
// The forms in which `leat plan` shows a job: text, JSON, DOT; and the words that all of them use.
//
// Thread: main. Everything is written to standard output or returned; plans are read only.
#ifndef CLI_PLAN_FORMS_H
#define CLI_PLAN_FORMS_H

#include <jansson.h>
#include <stddef.h>

#include "cli/session.h"
#include "graph/plan.h"

struct base_str;

const char *plan_kind_words(uint8_t kind); // "source"
const char *plan_mode_words(uint8_t mode); // "upserts by key"
const char *plan_promise_words(const struct plan_node *sink);
// "by hash of user_id", "straight", …; names of columns are of the edge's input.
void plan_share_words(const struct plan_edge *edge, struct base_str *out);
// What is done to rows on the edge and why; empty = nothing.
void plan_adapt_words(const struct plan_edge *edge, struct base_str *out);
// The type of a column; "?" when it is not known.
void plan_type_words(const struct leat_type *type, char *out, size_t size);

// The first node of the chain that a node belongs to: all of a chain run as one task, by direct calls.
const struct plan_node *plan_chain_head(const struct plan_node *node);

void plan_text_pipeline(const struct session_pipeline *pipeline, const struct config_server *server);
void plan_text_job(const struct plan_job *plan, uint32_t number);
json_t *plan_json_job(const struct plan_job *plan);
void plan_dot_job(const struct plan_job *plan, uint32_t pipeline, uint32_t number);

#endif
