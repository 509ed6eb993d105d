// SPDX-License-Identifier: Apache-2.0
// Rows as Flink's print shows them: the row kind, then the values as CAST AS STRING writes them, "null" for NULL.
#include "buf.h"
#include "celltext.h"
#include "print.h"

void print_row(struct buf *t, const struct leat_batch *b, uint32_t row, const char *identifier,
               const struct calendar_zone *zone)
{
    static const char *const kinds[] = {"+I[", "-U[", "+U[", "-D["};
    if (identifier) {
        buf_str(t, identifier);
        buf_str(t, "> ");
    }
    buf_str(t, kinds[b->kinds[row] & 3]);
    for (uint32_t c = 0; c < b->column_count; c++) {
        uint8_t state = leat_batch_state(b, c, row);
        buf_str(t, c ? ", " : "");
        if (state == LEAT_NULL)
            buf_str(t, "null");
        else
            celltext_put(t, &b->schema->columns[c].type, leat_batch_cell(b, c, row), state, zone);
    }
    buf_str(t, "]\n");
}
