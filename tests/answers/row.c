// SPDX-License-Identifier: Apache-2.0
// Reads inputs.tsv; see row.h.
#include "row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <leat/host.h>

#include "calendar.h"
#include "decimal.h"
#include "number.h"

static void *memory(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p)
        abort();
    return p;
}

static char *read_all(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) {
        fprintf(stderr, "could not read \"%s\"\n", path);
        return NULL;
    }
    size_t cap = 1 << 20;
    char *text = memory(cap);
    text[fread(text, 1, cap - 1, f)] = 0;
    fclose(f);
    return text;
}

// Undoes \\ \t \n \r \xHH in place.
static void unescape(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        if (*at != '\\') {
            *to++ = *at;
            continue;
        }
        at++;
        if (*at == 'x' && at[1] && at[2]) {
            char hex[3] = {at[1], at[2], 0};
            *to++ = (char)strtoul(hex, NULL, 16);
            at += 2;
        } else {
            *to++ = (char)(*at == 't' ? '\t' : *at == 'n' ? '\n' : *at == 'r' ? '\r' : *at);
        }
    }
    *to = 0;
}

// TIMESTAMP(9) becomes TIMESTAMP(6): the finest that leat has.
static void coarsen(char *type)
{
    char *digits = strncmp(type, "TIME", 4) == 0 ? strchr(type, '(') : NULL;
    if (digits && digits[1] > '6')
        digits[1] = '6';
}

int row_load(struct row *r, struct testhost *h, const char *path)
{
    r->file = read_all(path);
    if (!r->file)
        return 0;
    size_t lines = 1, count = 0, n = 0, cap = strlen(r->file) + 1;
    for (const char *p = r->file; *p; p++)
        lines += *p == '\n';
    r->values = memory(lines * sizeof *r->values);
    char *columns = memory(cap), *next = strchr(r->file, '\n');
    while (next && next[1]) {
        char *line = next + 1, *type = strchr(line, '\t'), *value = type ? strchr(type + 1, '\t') : NULL;
        next = strchr(line, '\n');
        if (!value)
            break;
        *type++ = 0;
        *value++ = 0;
        value[strcspn(value, "\t\n")] = 0;
        coarsen(type);
        n += (size_t)snprintf(columns + n, cap - n, "%s%s %s", count ? ", " : "", line, type);
        if (strcmp(value, "\\N") != 0) {
            unescape(value);
            r->values[count] = value;
        }
        count++;
    }
    r->schema = testhost_schema(h, columns, NULL);
    free(columns);
    return 1;
}

void row_free(struct row *r)
{
    free(r->file);
    free(r->values);
}

static void set_binary(struct leat_batch *b, uint32_t c, const char *hex)
{
    uint32_t len = (uint32_t)strlen(hex) / 2;
    uint8_t *bytes = memory(len);
    for (uint32_t i = 0; i < len; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    leat_batch_set_bytes(b, c, 0, bytes, len);
    free(bytes);
}

// 1 = set; 0 = not understood.
static int set_value(struct leat_batch *b, uint32_t c, const char *text)
{
    const struct leat_type *t = &b->schema->columns[c].type;
    union leat_cell *cell = &b->columns[c].cells[0];
    size_t len = strlen(text);
    b->columns[c].states[0] = LEAT_VALUE;
    switch (t->kind) {
    case LEAT_TYPE_BOOLEAN:
        cell->i64 = strcmp(text, "true") == 0;
        return 1;
    case LEAT_TYPE_FLOAT:
        return number_f32_parse(text, len, &cell->f32) == NUMBER_OK;
    case LEAT_TYPE_DOUBLE:
        return number_f64_parse(text, len, &cell->f64) == NUMBER_OK;
    case LEAT_TYPE_DECIMAL:
        return decimal_parse(text, len, t->precision, t->scale, &cell->i128) == DECIMAL_OK;
    case LEAT_TYPE_CHAR:
    case LEAT_TYPE_VARCHAR:
        return leat_batch_set_bytes(b, c, 0, (const uint8_t *)text, (uint32_t)len);
    case LEAT_TYPE_BINARY:
    case LEAT_TYPE_VARBINARY:
        set_binary(b, c, text);
        return 1;
    case LEAT_TYPE_DATE:
        return calendar_parse_date(text, len, &cell->i64) >= 0;
    case LEAT_TYPE_TIME:
        return calendar_parse_time(text, len, &cell->i64) >= 0;
    case LEAT_TYPE_TIMESTAMP:
    case LEAT_TYPE_TIMESTAMP_LTZ:
        return calendar_parse_timestamp(text, len, CALENDAR_SQL, &cell->i64) >= 0;
    default:
        return number_i64_parse(text, len, &cell->i64) == NUMBER_OK;
    }
}

struct leat_batch *row_batch(const struct row *r, struct leat_ctx *ctx)
{
    struct leat_batch *b = leat_batch_new(ctx, r->schema, 1);
    if (!b)
        abort();
    leat_batch_add(b, LEAT_INSERT);
    for (uint32_t c = 0; c < b->column_count; c++) {
        if (!r->values[c]) {
            leat_batch_set_null(b, c, 0);
        } else if (!set_value(b, c, r->values[c])) {
            fprintf(stderr, "the value of column %u is not understood: %s\n", c, r->values[c]);
            exit(2);
        }
    }
    return b;
}
