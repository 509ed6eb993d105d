// SPDX-License-Identifier: Apache-2.0
// See session.h.
#include "session.h"

#include <stdio.h>
#include <string.h>

#define FIXED_PARAMS 9

void jdbc_where(const struct jdbc_url *url, char *out, size_t size)
{
    snprintf(out, size, "%s:%s/%s", url->host, url->port, url->database);
}

// libpq splits "options" at blanks; those of a value are written with a backslash.
static int session_options(const struct jdbc_url *url, const char *zone, char *out, size_t size)
{
    const char *given = "";
    size_t n = 0;
    for (uint32_t i = 0; i < url->count; i++)
        if (strcmp(url->params[i].key, "options") == 0)
            given = url->params[i].value;
    n = (size_t)snprintf(out, size, "%s -c DateStyle=ISO -c client_min_messages=warning -c TimeZone=", given);
    for (const char *at = zone ? zone : "UTC"; *at && n + 3 < size; at++) {
        if (*at == ' ' || *at == '\\')
            out[n++] = '\\';
        out[n++] = *at;
    }
    if (n + 3 >= size)
        return -1;
    out[n] = 0;
    return 0;
}

leat_status jdbc_connect(struct leat_ctx *ctx, const struct jdbc_config *config, const struct jdbc_url *url,
                         const char *zone, pq_notify_fn notify, void *arg, struct pq_conn **out)
{
    char options[2 * JDBC_VALUE_MAX];
    struct pq_param params[FIXED_PARAMS + JDBC_PARAMS];
    uint32_t n = 0;
    const char *name = "leat";
    if (session_options(url, zone, options, sizeof options) < 0)
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-J0101", "the URL's options or the time zone's name are too long");
    for (uint32_t i = 0; i < url->count; i++) {
        if (strcmp(url->params[i].key, "application_name") == 0)
            name = url->params[i].value;
        else if (strcmp(url->params[i].key, "options") != 0)
            params[n++] = (struct pq_param){url->params[i].key, url->params[i].value};
    }
    params[n++] = (struct pq_param){"host", url->host};
    params[n++] = (struct pq_param){"port", url->port};
    params[n++] = (struct pq_param){"dbname", url->database};
    params[n++] = (struct pq_param){"user", config->username ? config->username : url->user[0] ? url->user : NULL};
    params[n++] = (struct pq_param){"password", config->password   ? config->password
                                                : url->password[0] ? url->password
                                                                   : NULL};
    params[n++] = (struct pq_param){"application_name", name};
    params[n++] = (struct pq_param){"options", options};
    int64_t timeout = url->connect_timeout ? url->connect_timeout : config->retry_timeout;
    return pq_conn_create(ctx, params, n, timeout, notify, arg, out);
}

static void no_notice(void *arg, const PGresult *res)
{
    (void)arg, (void)res;
}

void jdbc_connected(struct pq_conn *conn)
{
    PQsetNoticeReceiver(pq_conn_raw(conn), no_notice, NULL);
}

static void check_login(struct leat_ctx *ctx, const struct jdbc_config *c, const struct jdbc_url *url)
{
    static const char once[] = "Give it once: leave out this option, or the parameter of the URL.";
    if (c->username && url->user[0] && strcmp(c->username, url->user) != 0)
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-J0101", "username", 0, once, "\"username\" and the URL's user differ");
    if (c->password && url->password[0] && strcmp(c->password, url->password) != 0)
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-J0101", "password", 0, once,
                  "\"password\" and the URL's password differ");
    if ((c->password || url->password[0]) && !c->username && !url->user[0])
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-J0101", c->password ? "password" : "url", 0, "Give \"username\" too.",
                  "there is a password but no username");
}

// A cache forgets by age only; one that never does is right for tables that never change.
static void check_cache(struct leat_ctx *ctx, const struct jdbc_config *c)
{
    if (c->cache == JDBC_CACHE_PARTIAL && c->expire_write == LEAT_UNSET)
        leat_diag(ctx, LEAT_DIAG_WARNING, "LEAT-J0108", "lookup.cache", 0,
                  "Add lookup.partial-cache.expire-after-write, unless the table never changes.",
                  "the cache has no age at which rows are read again, and nothing else tells it that they change");
}

// Every fault is a diagnostic, which refuses the node; LEAT_CONFIG when nothing is left to be looked at.
leat_status jdbc_check(struct leat_ctx *ctx, const void *config)
{
    const struct jdbc_config *c = config;
    struct jdbc_url url = {0};
    struct jdbc_name name;
    char why[256];
    leat_status st = LEAT_OK;
    if (c->url && jdbc_url_parse(c->url, &url, why, sizeof why) < 0) {
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-J0101", "url", 0,
                  strstr(why, "parameter") ? "\"leat plugins jdbc\" lists the parameters that are known."
                                           : "Write jdbc:postgresql://host:port/database.",
                  "%s", why);
        st = LEAT_CONFIG;
    } else {
        check_login(ctx, c, &url);
    }
    if (c->table_name && jdbc_name_parse(c->table_name, &name, why, sizeof why) < 0) {
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-J0101", "table-name", 0, NULL, "%s", why);
        st = LEAT_CONFIG;
    }
    if (c->driver && strcmp(c->driver, "org.postgresql.Driver") != 0)
        leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-J0101", "driver", 0, "Leave it out: the URL names the database.",
                  "the driver \"%s\" is not that of PostgreSQL", c->driver);
    check_cache(ctx, c);
    return st;
}
