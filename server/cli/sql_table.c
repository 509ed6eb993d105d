// SPDX-License-Identifier: Apache-2.0
// See sql_table.h.
#include "cli/sql_table.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "utf8.h"

#define NAMES_MAX ((size_t)1 << 20)

// Columns of a terminal that a text takes: letters of East Asia take two.
static size_t width_of(const char *text, size_t len)
{
    size_t width = 0;
    for (size_t i = 0; i < len;) {
        unsigned used;
        uint32_t code = utf8_decode((const uint8_t *)text + i, len - i, &used);
        bool wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
                    (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
                    (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
                    (code >= 0xffe0 && code <= 0xffe6) || (code >= 0x1f300 && code <= 0x1faff) ||
                    (code >= 0x20000 && code <= 0x3fffd);
        bool none = (code >= 0x300 && code <= 0x36f) || code == 0x200d || (code >= 0xfe00 && code <= 0xfe0f);
        width += wide ? 2 : none ? 0 : 1;
        i += used;
    }
    return width;
}

static void widen(size_t *widths, uint32_t columns, const char *row)
{
    for (uint32_t c = 0; c < columns && row; c++) {
        const char *tab = strchr(row, '\t');
        size_t width = width_of(row, tab ? (size_t)(tab - row) : strlen(row));
        widths[c] = width > widths[c] ? width : widths[c];
        row = tab ? tab + 1 : NULL;
    }
}

static bool is_number(const struct leat_schema *schema, uint32_t column)
{
    uint8_t kind = schema->columns[column].type.kind;
    return kind >= LEAT_TYPE_TINYINT && kind <= LEAT_TYPE_DECIMAL;
}

static void print_cells(FILE *file, const struct leat_schema *schema, uint32_t op, const size_t *widths,
                        const char *row)
{
    for (uint32_t c = 0; c < schema->column_count + op; c++) {
        const char *tab = row ? strchr(row, '\t') : NULL;
        size_t len = !row ? 0 : tab ? (size_t)(tab - row) : strlen(row);
        int pad = (int)(widths[c] - width_of(row ? row : "", len));
        bool right = c >= op && is_number(schema, c - op);
        fprintf(file, "%s%*s%.*s%*s", c ? " | " : " ", right ? pad : 0, "", (int)len, row ? row : "", right ? 0 : pad,
                "");
        row = tab ? tab + 1 : NULL;
    }
    fputc('\n', file);
}

static void print_head(FILE *file, const struct leat_schema *schema, uint32_t op, const size_t *widths,
                       const char *names)
{
    print_cells(file, schema, op, widths, names);
    for (uint32_t c = 0; c < schema->column_count + op; c++) {
        fputs(c ? "-+-" : "-", file);
        for (size_t i = 0; i < widths[c]; i++)
            fputc('-', file);
    }
    fputs("-\n", file);
}

char *sql_table_names(const struct leat_schema *schema, bool op)
{
    struct buf b;
    buf_init(&b, NAMES_MAX);
    if (op)
        buf_str(&b, "op\t");
    for (uint32_t c = 0; c < schema->column_count; c++) {
        buf_str(&b, c ? "\t" : "");
        buf_put(&b, schema->columns[c].name.ptr, schema->columns[c].name.len);
    }
    buf_u8(&b, 0);
    char *text = buf_ok(&b) ? strdup((const char *)b.ptr) : NULL;
    buf_fini(&b);
    return text;
}

bool sql_table_page(struct sql_table *table, FILE *file, const struct leat_schema *schema, bool op, char **rows,
                    size_t count)
{
    uint32_t columns = schema->column_count + op;
    char *names = NULL;
    if (!table->widths) {
        table->widths = calloc(columns, sizeof *table->widths);
        names = sql_table_names(schema, op);
        if (!table->widths || !names) {
            free(names);
            return false;
        }
        widen(table->widths, columns, names);
    }
    for (size_t i = 0; i < count; i++)
        widen(table->widths, columns, rows[i]);
    if (names)
        print_head(file, schema, op, table->widths, names);
    for (size_t i = 0; i < count; i++)
        print_cells(file, schema, op, table->widths, rows[i]);
    table->rows += count;
    free(names);
    return true;
}

void sql_table_fini(struct sql_table *table)
{
    free(table->widths);
    *table = (struct sql_table){0};
}
