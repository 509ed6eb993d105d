// SPDX-License-Identifier: Apache-2.0
// Faults of a query; see diag.h.
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int sql_diag_set(struct sql_diag *d, uint8_t kind, uint32_t offset, uint32_t length, const char *fmt, ...)
{
    if (d->kind != SQL_DIAG_NONE)
        return -1;
    d->kind = kind;
    d->offset = offset;
    d->length = length;
    d->hint[0] = '\0';
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(d->message, sizeof d->message, fmt, ap);
    va_end(ap);
    return -1;
}

void sql_faults_add(struct sql_faults *f, const struct sql_diag *d)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (f->items[i].offset == d->offset && !strcmp(f->items[i].message, d->message))
            return;
    if (f->count < SQL_FAULTS_MAX)
        f->items[f->count++] = *d;
}

void sql_diag_hint(struct sql_diag *d, const char *fmt, ...)
{
    if (d->hint[0])
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(d->hint, sizeof d->hint, fmt, ap);
    va_end(ap);
}

int sql_diag_unsupported(struct sql_diag *d, uint32_t offset, uint32_t length, const char *what)
{
    return sql_diag_set(d, SQL_DIAG_UNSUPPORTED, offset, length, "%s is known in Flink SQL, not supported yet", what);
}

int sql_diag_memory(struct sql_diag *d)
{
    return sql_diag_set(d, SQL_DIAG_RESOURCE, 0, 0, "out of memory while reading the query");
}
