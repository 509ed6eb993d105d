// SPDX-License-Identifier: Apache-2.0
// How far behind we are, in bytes of the log and in time. The server says now and then where its log ends; the answers are
// kept with their moments. Where we stand, the log ended once: that moment's age is the lag, whatever the log between
// holds: rows of captured tables, of others, or of a transaction that never commits.
#include <string.h>

#include "pgcdc_int.h"

void pgcdc_lag_sample(struct pgcdc *p, uint64_t end)
{
    struct pgcdc_lag *lag = &p->lag;
    if (end > p->server_end)
        p->server_end = end;
    if (lag->count && end <= lag->at[lag->count - 1].lsn) {
        if (end == lag->at[lag->count - 1].lsn) // it still ends there
            lag->at[lag->count - 1].when = p->ctx->host->monotonic(p->ctx);
        return;
    }
    if (lag->count == PGCDC_LAG_MAX) { // the older the coarser
        for (uint32_t i = 0; i < PGCDC_LAG_MAX / 2; i++)
            lag->at[i] = lag->at[2 * i];
        lag->count = PGCDC_LAG_MAX / 2;
    }
    lag->at[lag->count].lsn = end;
    lag->at[lag->count++].when = p->ctx->host->monotonic(p->ctx);
}

// Microseconds since the log ended at `here`, or a little before; 0 = as far as is known it still does.
static int64_t behind_for(struct pgcdc *p, uint64_t here)
{
    struct pgcdc_lag *lag = &p->lag;
    uint32_t passed = 0;
    while (passed < lag->count && lag->at[passed].lsn <= here)
        passed++;
    if (passed == lag->count)
        return 0;
    if (passed > 1) { // the last that was passed is enough
        memmove(lag->at, lag->at + passed - 1, (lag->count - passed + 1) * sizeof *lag->at);
        lag->count -= passed - 1;
        passed = 1;
    }
    // nothing was passed: at least since the oldest answer
    return p->ctx->host->monotonic(p->ctx) - lag->at[0].when;
}

void pgcdc_lag_report(struct pgcdc *p)
{
    uint64_t here = p->received > p->at.lsn ? p->received : p->at.lsn;
    if (here > p->server_end)
        p->server_end = here;
    int64_t bytes = (int64_t)(p->server_end - here);
    int64_t age = bytes ? behind_for(p, here) : 0;
    int64_t commit = p->in_txn ? p->ctx->host->now(p->ctx) - p->txn_time : 0;
    p->ctx->host->progress(p->ctx, here, p->server_end, bytes);
    __atomic_store_n(p->numbers.lag_bytes, bytes, __ATOMIC_RELAXED);
    __atomic_store_n(p->numbers.lag_micros, (commit > age ? commit : age) / 1000, __ATOMIC_RELAXED);
}
