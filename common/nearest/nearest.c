// SPDX-License-Identifier: Apache-2.0
// The distance of Damerau and Levenshtein, in its restricted form: three rows of the table are kept; see nearest.h.
#include "nearest.h"

#include <string.h>

#define LONGEST 64

static int same(char a, char b)
{
    return (a & ~32) == (b & ~32);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t nearest_distance(const char *a, size_t na, const char *b, size_t nb)
{
    uint32_t before[LONGEST + 1] = {0}, last[LONGEST + 1], row[LONGEST + 1];
    if (na > LONGEST || nb > LONGEST || (na > nb ? na - nb : nb - na) > 3)
        return 99;
    for (uint32_t j = 0; j <= nb; j++)
        row[j] = j;
    for (uint32_t i = 1; i <= na; i++) {
        memcpy(before, last, (i > 1) * sizeof before);
        memcpy(last, row, sizeof last);
        row[0] = i;
        for (uint32_t j = 1; j <= nb; j++) {
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + !same(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return row[nb];
}
