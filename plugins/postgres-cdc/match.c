// SPDX-License-Identifier: Apache-2.0
// schema-name and table-name: PCRE2 patterns that must match a name in full, with a bound on the work of one match.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "pgcdc_int.h"

#define MATCH_LIMIT 1000000u // steps of one match; a pattern that needs more backtracks without end

static pcre2_code *compile(const char *pattern, char *error, size_t size, uint32_t *offset)
{
    int code;
    PCRE2_SIZE at;
    pcre2_code *re =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                      PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF | PCRE2_DOLLAR_ENDONLY, &code, &at, NULL);
    if (!re) {
        *offset = (uint32_t)at;
        if (pcre2_get_error_message(code, (PCRE2_UCHAR *)error, size) < 0)
            error[size - 1] = 0;
    }
    return re;
}

int pgcdc_match_check(const char *pattern, char *error, size_t size, uint32_t *offset)
{
    pcre2_code *re = compile(pattern, error, size, offset);
    pcre2_code_free(re);
    return re ? 0 : -1;
}

struct matcher {
    pcre2_code *schema, *table;
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

static int matches(struct matcher *m, const pcre2_code *re, const char *name)
{
    return pcre2_match(re, (PCRE2_SPTR)name, strlen(name), 0, 0, m->data, m->limits) >= 0;
}

leat_status pgcdc_match_tables(struct leat_ctx *ctx, const struct pgcdc_config *config, const char *const *names,
                               uint32_t count, uint8_t *matched)
{
    char error[128];
    uint32_t offset;
    leat_status st = LEAT_OK;
    struct matcher m = {
        .schema = compile(config->schema_name, error, sizeof error, &offset),
        .table = compile(config->table_name, error, sizeof error, &offset),
        .data = pcre2_match_data_create(1, NULL),
        .limits = pcre2_match_context_create(NULL),
    };
    if (!m.schema || !m.table || !m.data || !m.limits) { // the patterns were checked, so it is memory
        st = leat_no_memory(ctx);
        goto out;
    }
    pcre2_set_match_limit(m.limits, MATCH_LIMIT);
    for (uint32_t i = 0; i < count; i++)
        matched[i] = matches(&m, m.schema, names[2 * i]) && matches(&m, m.table, names[2 * i + 1]);
out:
    pcre2_code_free(m.schema);
    pcre2_code_free(m.table);
    pcre2_match_data_free(m.data);
    pcre2_match_context_free(m.limits);
    return st;
}
