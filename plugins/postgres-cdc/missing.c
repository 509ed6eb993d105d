// SPDX-License-Identifier: Apache-2.0
// What the server lacks for us: settings and rights. They are collected while the catalogue is read and said at once, each
// with its statement, so that an administrator is asked once.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pgcdc_int.h"

#define HINT_MAX 440u // bytes of statements in a hint; more of them go to the detail, still more to the log

__attribute__((format(printf, 2, 0))) static char *print(struct pgcdc *p, const char *fmt, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, fmt, args) < 0)
        return NULL;
    char *kept = pgcdc_mem_text(&p->mem, text);
    free(text);
    return kept;
}

void pgcdc_miss(struct pgcdc *p, leat_status failure, const char *code, const char *fmt, ...)
{
    struct pgcdc_missing *m = pgcdc_mem_alloc(&p->mem, sizeof *m), **last = &p->missing;
    va_list args;
    va_start(args, fmt);
    if (m && (m->what = print(p, fmt, args))) {
        m->failure = failure;
        m->code = code;
        while (*last)
            last = &(*last)->next;
        *last = m;
    } else {
        p->missing_lost = 1;
    }
    va_end(args);
}

void pgcdc_cure(struct pgcdc *p, const char *fmt, ...)
{
    struct pgcdc_missing *m = p->missing;
    va_list args;
    va_start(args, fmt);
    while (m && m->next)
        m = m->next;
    if (m)
        m->cure = print(p, fmt, args);
    va_end(args);
}

// Appends to a text of `size`; 0 = it does not fit and nothing was added.
static int append(char *text, size_t size, const char *between, const char *more)
{
    size_t len = strlen(text), add = (len ? strlen(between) : 0) + strlen(more);
    if (len + add >= size)
        return 0;
    snprintf(text + len, size - len, "%s%s", len ? between : "", more);
    return 1;
}

static void log_cures(struct pgcdc *p)
{
    for (const struct pgcdc_missing *m = p->missing; m; m = m->next)
        leat_log(p->ctx, LEAT_LOG_WARN, "missing", "%s: %s", m->what, m->cure ? m->cure : "");
}

leat_status pgcdc_missing_fail(struct pgcdc *p)
{
    char whats[600] = "", cures[740] = "";
    uint32_t count = 0, said = 0;
    int all = 1;
    leat_status failure = LEAT_TRANSIENT;
    if (p->missing_lost)
        return leat_no_memory(p->ctx);
    for (const struct pgcdc_missing *m = p->missing; m; m = m->next) {
        count++;
        failure = m->failure == LEAT_CONFIG ? LEAT_CONFIG : failure;
        said += (uint32_t)append(whats, sizeof whats, "; ", m->what);
        all &= !m->cure || append(cures, sizeof cures, " ", m->cure);
    }
    if (count == 1)
        (void)leat_fail(p->ctx, failure, p->missing->code, "%s", whats);
    else if (said == count)
        (void)leat_fail(p->ctx, failure, p->missing->code, "%u things stand in the way: %s", count, whats);
    else
        (void)leat_fail(p->ctx, failure, p->missing->code, "%u things stand in the way: %s; and %u more", count, whats,
                        count - said);
    if (!all) {
        log_cures(p);
        leat_error_hint(p->ctx, "The log names the statement for each, in its lines \"missing\" before this one.");
    } else if (strlen(cures) < HINT_MAX) {
        leat_error_hint(p->ctx, "%s", cures);
    } else {
        leat_error_detail(p->ctx, "%s", cures);
        leat_error_hint(p->ctx, "Run the statements that the detail lists.");
    }
    return failure;
}

// --- the publication

// The tables that have to be published and are not ours, as a list for a statement. 0 = it was cut.
static int foreign_tables(const struct pgcdc *p, struct buf *list)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->table_count; i++) {
        const struct pgcdc_table *t = &p->tables[i];
        if (!t->used || t->published || t->is_owner || p->is_superuser)
            continue;
        buf_str(list, n++ ? ", " : "");
        pq_qualified(list, t->schema, t->name);
    }
    buf_u8(list, 0);
    return n > 0;
}

void pgcdc_miss_publication(struct pgcdc *p)
{
    struct buf list;
    buf_init(&list, 1u << 20);
    if (foreign_tables(p, &list) && buf_ok(&list)) {
        pgcdc_miss(p, LEAT_CONFIG, "LEAT-G0102",
                   "user \"%s\" is not the owner of %s and cannot publish what is not its own", p->user,
                   (const char *)list.ptr);
        pgcdc_cure(p, "As the owner run %s \"%s\" %s TABLE %s; and set publication.autocreate.mode = \"disabled\".",
                   p->publication_exists ? "ALTER PUBLICATION" : "CREATE PUBLICATION", p->publication,
                   p->publication_exists ? "ADD" : "FOR", (const char *)list.ptr);
    } else if (!buf_ok(&list)) {
        p->missing_lost = 1;
    } else if (!p->publication_exists && !p->is_superuser && !p->may_create) {
        pgcdc_miss(p, LEAT_CONFIG, "LEAT-G0102", "user \"%s\" may not create a publication in database \"%s\"", p->user,
                   p->config->database);
        pgcdc_cure(p, "Run GRANT CREATE ON DATABASE \"%s\" TO \"%s\";", p->config->database, p->user);
    }
    buf_fini(&list);
}
