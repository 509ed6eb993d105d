// SPDX-License-Identifier: Apache-2.0
// The list of differences: where leat answers otherwise than Flink on purpose (differences.tsv). A line names the
// suite, the question, what leat answers, and why; '*' stands for any text in question and answer. Nothing else is
// looked up.
#ifndef ANSWERS_DIFFERENCES_H
#define ANSWERS_DIFFERENCES_H

#include <stddef.h>

struct differences;

// Columns: suite, question, flink, leat, why; lines that start with '#' and the heading are not differences. NULL = the
// file cannot be read (said on stderr).
struct differences *differences_load(const char *path);
void differences_free(struct differences *d);
// The reason, or NULL when no line covers this question with these answers.
const char *differences_reason(const struct differences *d, const char *suite, const char *question, const char *flink,
                               const char *leat);

#endif
