// SPDX-License-Identifier: Apache-2.0
// See restart.h.
#include "checkpoint/restart.h"

static leat_usec within(double wait, leat_usec least, leat_usec most)
{
    if (wait >= (double)most)
        return most;
    return wait <= (double)least ? least : (leat_usec)wait;
}

static leat_usec grow(const struct restart_rule *rule, const struct restart_state *s, leat_usec now)
{
    if (s->wait == 0 || now - s->failed_at >= rule->reset + s->wait)
        return rule->first < rule->max ? rule->first : rule->max;
    return within((double)s->wait * rule->multiplier, rule->first, rule->max);
}

// Jobs that failed together shall not come back together.
static leat_usec spread(const struct restart_rule *rule, leat_usec wait, uint64_t chance)
{
    double share = (double)(chance % 2000001) / 1000000 - 1; // -1 … 1
    leat_usec least = rule->first < rule->max ? rule->first : rule->max;
    return within((double)wait * (1 + share * rule->jitter), least, rule->max);
}

bool restart_after(const struct restart_rule *rule, struct restart_state *s, leat_usec now, uint64_t chance,
                   leat_usec *wait)
{
    if (rule->kind == RESTART_NONE || (rule->kind == RESTART_FIXED && s->attempts >= rule->attempts))
        return false;
    s->attempts++;
    if (rule->kind == RESTART_FIXED) {
        *wait = rule->delay;
        return true;
    }
    s->wait = grow(rule, s, now);
    s->failed_at = now;
    *wait = spread(rule, s->wait, chance);
    return true;
}
