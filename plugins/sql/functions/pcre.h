// SPDX-License-Identifier: Apache-2.0
// Regular expressions of Java's dialect on PCRE2: compiled once for a literal pattern, kept from row to row otherwise.
//
// Patterns are UTF-8; \uXXXX and Java's names of character classes are rewritten. What PCRE2 does not know (class
// intersection) counts as a bad pattern. Matching is bounded: a pattern that backtracks too long fails the row.
// Thread: that of the plan, because the match data is part of the object.
#ifndef SQL_REGEXP_H
#define SQL_REGEXP_H

#include "expr/expr.h"

struct sql_regexp;

#define SQL_REGEXP_NO_MATCH 0
#define SQL_REGEXP_MATCH    1
#define SQL_REGEXP_BAD      (-1) // the pattern is none

// A holder for the patterns of one expression, freed with the plan. NULL = failure recorded.
struct sql_regexp *sql_regexp_create(struct sql_bind *b);

// Makes `pattern` the current one. SIMILAR: `pattern` is already PCRE2's, and must match from the first to the last
// character. SQL_REGEXP_MATCH when it is good, else SQL_REGEXP_BAD.
#define SQL_REGEXP_JAVA    0
#define SQL_REGEXP_SIMILAR 1
int sql_regexp_use(struct sql_regexp *r, struct leat_bytes pattern, int dialect);

// What is wrong with the last bad pattern.
const char *sql_regexp_fault(const struct sql_regexp *r);

// The first match at or behind `start`. Places of groups: sql_regexp_group. -1 = failure recorded.
int sql_regexp_find(struct sql_evaluator *ev, const struct sql_expr *e, struct sql_regexp *r, struct leat_bytes text,
                    size_t start);

// Group i of the last match; 0 = there is no such group, or it took no part.
int sql_regexp_group(const struct sql_regexp *r, int64_t i, size_t *from, size_t *to);

#endif
