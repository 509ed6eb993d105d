// SPDX-License-Identifier: Apache-2.0
// The one row that the recorded expressions are asked over, from inputs.tsv.
//
// Columns of seven to nine digits of fraction, which leat does not have, are declared with six, their values cut.
// Running out of memory aborts: this is a test program.
#ifndef ANSWERS_ROW_H
#define ANSWERS_ROW_H

#include <stddef.h>

#include "testhost.h"

struct row {
    const struct leat_schema *schema; // owned by the host
    char *file;                       // the text of inputs.tsv, cut into cells
    char **values;                    // by column; NULL = SQL NULL
};

// 1 = loaded; 0 = said on stderr.
int row_load(struct row *r, struct testhost *h, const char *path);
void row_free(struct row *r);
// A batch of that one row; the caller drops it.
struct leat_batch *row_batch(const struct row *r, struct leat_ctx *ctx);

#endif
