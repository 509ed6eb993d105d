// SPDX-License-Identifier: Apache-2.0
// Flink SQL's grammar, by recursive descent: queries, expressions, types and the column lists of CREATE TABLE.
//
// Each entry reads the whole text or reports one fault: "expected …, found …" at the byte where it happened. Trees and
// texts live in the arena; the text given must outlive them only for numbers, which point into it.
#ifndef SQL_PARSER_H
#define SQL_PARSER_H

#include "base/arena.h"
#include "base/diag.h"
#include "syntax/ast.h"

#define SQL_DEPTH_MAX 400 // deepest nesting of expressions, queries and types

struct sql_query *sql_parse_query(struct sql_arena *a, struct leat_bytes text, struct sql_diag *d);
// The same, but what has a fault is a hole in the tree, so that the rest can be looked at: there may be faults and a
// tree. NULL = there is no telling what the query reads.
struct sql_query *sql_parse_faulty(struct sql_arena *a, struct leat_bytes text, struct sql_faults *faults);
struct sql_node *sql_parse_expression(struct sql_arena *a, struct leat_bytes text, struct sql_diag *d);
// A type with its NOT NULL: "DECIMAL(10, 2) NOT NULL".
struct sql_type_node *sql_parse_type(struct sql_arena *a, struct leat_bytes text, struct sql_diag *d);
// "id INT NOT NULL, name STRING, PRIMARY KEY (id) NOT ENFORCED".
struct sql_table_def *sql_parse_columns(struct sql_arena *a, struct leat_bytes text, struct sql_diag *d);

#endif
