// SPDX-License-Identifier: Apache-2.0
// When a job that failed is started again: Flink's restart strategies, as a rule without a clock of its own.
//
// exponential-delay: the first wait, then each `multiplier` times the one before, up to `max`; made longer or shorter at
// random by a share of it, within the bounds; anew once the time since the last failure is beyond `reset` and the wait.
// fixed-delay: always the same wait, `attempts` times in the life of the job. none: never.
// Thread: the owner's.
#ifndef CHECKPOINT_RESTART_H
#define CHECKPOINT_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "leat/types.h"

enum restart_kind { RESTART_EXPONENTIAL, RESTART_FIXED, RESTART_NONE };

struct restart_rule {
    enum restart_kind kind;
    leat_usec first, max, reset; // exponential
    double multiplier, jitter;
    leat_usec delay; // fixed
    int64_t attempts;
};

// Zeroed at the job's first start.
struct restart_state {
    leat_usec wait, failed_at;
    int64_t attempts;
};

// A failure at `now` (any clock that does not jump): may the job start again, and after which wait? `chance` is any random
// number.
bool restart_after(const struct restart_rule *rule, struct restart_state *state, leat_usec now, uint64_t chance,
                   leat_usec *wait);

#endif
