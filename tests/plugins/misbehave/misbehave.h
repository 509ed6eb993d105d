// SPDX-License-Identifier: Apache-2.0
// A plugin that breaks rules on purpose, to see what the server makes of it. The option "how" says what is done wrong,
// for the source also "where" says in which call.
#ifndef MISBEHAVE_H
#define MISBEHAVE_H

#include <leat/plugin.h>

struct config {
    int32_t how, where, tells;
    int64_t stall; // microseconds
};

// One node of either kind.
struct misbehave {
    const struct config *config;
    struct leat_event *event;
    struct leat_batch *batch;
    int done;
};

extern const struct leat_schema misbehave_schema; // id BIGINT

leat_status misbehave_describe(struct leat_ctx *ctx, const struct leat_source_request *request,
                               struct leat_source_plan *plan);
leat_status misbehave_create(struct leat_ctx *ctx, const struct leat_source_request *request, void **self);
void misbehave_destroy(struct leat_ctx *ctx, void *self);

// Ways of ending or holding the process: a word and what it does.
#define MISBEHAVE_DEADLY(X)                                                                                            \
    X("crash", do_crash)                                                                                               \
    X("abort", do_abort)                                                                                               \
    X("exit", do_exit)                                                                                                 \
    X("quick-exit", do_quick_exit)                                                                                     \
    X("exit-now", do_exit_now)                                                                                         \
    X("stall", do_stall)

#define MISBEHAVE_WORD(word, function) "|" word

// Does it if `how` is deadly (numbered from 1 in the order above).
void misbehave_die(const struct config *config, int32_t how);
// The number of a word, 0 if there is none.
int32_t misbehave_named(const char *word);

extern const struct leat_component misbehave_source, misbehave_lookup;

#endif
