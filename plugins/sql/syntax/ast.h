// SPDX-License-Identifier: Apache-2.0
// The syntax tree of a query: what was written, with its places, before any name is looked up.
//
// All of it lives in the arena given to the parser. Texts of names and strings are decoded (quotes and escapes gone);
// `offset` and `length` are bytes of the query. Operators are nodes named by what a message would call them ("+",
// "NOT", "IS NULL", "BETWEEN SYMMETRIC"), so the binder finds operators and functions in one registry.
#ifndef SQL_AST_H
#define SQL_AST_H

#include <stdint.h>

#include "leat/types.h"

struct sql_query;
struct sql_node;

// A name, decoded.
struct sql_name {
    struct leat_bytes text; // ptr == NULL: none given
    uint32_t offset, length;
};

// A type as written: BIGINT NOT NULL, DECIMAL(10, 2), ROW<a INT, b STRING>.
struct sql_type_node {
    uint8_t kind; // LEAT_TYPE_*
    uint8_t not_null;
    uint8_t has_precision, has_scale; // precision also holds the length of CHAR, BINARY …
    uint32_t precision, scale;
    uint32_t offset, length;
    uint32_t child_count;
    struct sql_type_node **children;
    struct sql_name *names;  // ROW
    const char *unsupported; // what Flink has and we do not: "MULTISET", "RAW"
};

enum sql_node_kind {
    SQL_NODE_INTEGER = 1, // text: the digits
    SQL_NODE_DECIMAL,
    SQL_NODE_DOUBLE,
    SQL_NODE_STRING,
    SQL_NODE_BINARY,
    SQL_NODE_TRUE,
    SQL_NODE_FALSE,
    SQL_NODE_UNKNOWN,
    SQL_NODE_NULL,
    SQL_NODE_DATE, // text: between the quotes
    SQL_NODE_TIME,
    SQL_NODE_TIMESTAMP,
    SQL_NODE_INTERVAL, // text, interval
    SQL_NODE_NAME,     // names[count]: a, t.a, catalog.db.t
    SQL_NODE_STAR,     // names[count] before the star
    SQL_NODE_OPERATOR, // text: the operator; items: operands
    SQL_NODE_CALL,     // text: the function's last name; items: arguments; call
    SQL_NODE_CASE,     // items: when, then, when, then …, else (always there, NULL literal if not written)
    SQL_NODE_CAST,     // items[0] to type; SQL_NODE_TRY
    SQL_NODE_ROW,
    SQL_NODE_ARRAY,
    SQL_NODE_MAP,        // key, value, key, value …
    SQL_NODE_FIELD,      // items[0].text
    SQL_NODE_SYMBOL,     // symbol: SQL_SYM_*
    SQL_NODE_QUERY,      // a scalar sub-query
    SQL_NODE_TABLE_ARG,  // TABLE t as an argument; names
    SQL_NODE_DESCRIPTOR, // items: columns
    SQL_NODE_NAMED_ARG,  // text => items[0]
    SQL_NODE_HOLE,       // what was written here has a fault
};

// Flags of a node.
#define SQL_NODE_TRY      1u // CAST: TRY_CAST
#define SQL_NODE_NO_ELSE  2u // CASE: the else was not written
#define SQL_NODE_BRACKETS 4u // stood in brackets of its own
#define SQL_NODE_BARE     8u // CALL: a name without brackets

struct sql_interval {
    uint16_t from, to; // SQL_SYM_*; to == SQL_SYM_NONE for one unit
    uint8_t negative;
    uint8_t has_precision, has_fraction;
    uint32_t precision, fraction;
};

struct sql_order_item {
    struct sql_node *expr;
    uint8_t descending;
    uint8_t nulls; // 0 = not said, 1 = first, 2 = last
};

struct sql_window {
    struct sql_name name; // OVER w
    uint32_t partition_count, order_count;
    struct sql_node **partition;
    struct sql_order_item *order;
    uint8_t has_frame;
    uint32_t offset, length;
};

// What a call may carry beyond its arguments.
struct sql_call {
    uint8_t distinct, star, nulls; // nulls: IGNORE or RESPECT NULLS
    struct sql_node *filter;
    struct sql_window *over;
    uint32_t within_count;
    struct sql_order_item *within;
    // JSON_*: the clauses; the default expressions are among the call's items
    uint8_t json_on_empty, json_on_error, json_on_null, json_wrapper, json_unique; // SQL_JSON_*, see expr/expr.h
    uint32_t json_empty_item, json_error_item;                                     // UINT32_MAX = none
    struct sql_type_node *json_returning;
};

struct sql_node {
    uint8_t kind; // SQL_NODE_*
    uint8_t flags;
    uint16_t symbol;
    uint32_t offset, length;
    struct leat_bytes text;
    uint32_t count; // of items, or of names
    struct sql_node **items;
    struct sql_name *names;
    struct sql_interval *interval;
    struct sql_type_node *type;
    struct sql_call *call;
    struct sql_query *query;
};

enum sql_table_kind {
    SQL_TABLE_NAME = 1,
    SQL_TABLE_QUERY,
    SQL_TABLE_FUNCTION, // TABLE(f(…))
    SQL_TABLE_UNNEST,
    SQL_TABLE_JOIN,
};

enum sql_join_kind {
    SQL_JOIN_INNER = 1,
    SQL_JOIN_LEFT,
    SQL_JOIN_RIGHT,
    SQL_JOIN_FULL,
    SQL_JOIN_CROSS, // also the comma
    SQL_JOIN_SEMI,  // LEFT SEMI JOIN, of Flink's other dialect
    SQL_JOIN_ANTI,
};

struct sql_table {
    uint8_t kind;
    uint8_t lateral, ordinality;
    uint8_t asked; // FOR SYSTEM_TIME AS OF at the right of a join: a lookup
    uint32_t offset, length;
    uint32_t name_count; // NAME
    struct sql_name *names;
    struct sql_query *query;      // QUERY
    struct sql_node *call;        // FUNCTION, UNNEST
    struct sql_node *system_time; // FOR SYSTEM_TIME AS OF
    struct sql_name hint;         // the first /*+ hint */ behind the table, if any
    const char *clause;           // MATCH_RECOGNIZE, TABLESAMPLE … behind it; NULL = none
    uint32_t clause_offset, clause_length;
    struct sql_name alias;
    uint32_t column_count; // (a, b) behind the alias
    struct sql_name *columns;
    uint8_t join; // JOIN
    uint8_t natural;
    uint32_t join_offset, join_length; // of its words, or of the comma
    struct sql_table *left, *right;
    struct sql_node *on;
    uint32_t using_count;
    struct sql_name *using;
};

struct sql_select_item {
    struct sql_node *expr;
    struct sql_name alias;
};

enum sql_group_kind {
    SQL_GROUP_EXPR = 1,
    SQL_GROUP_ROLLUP,
    SQL_GROUP_CUBE,
    SQL_GROUP_SETS,
};

struct sql_group_item {
    uint8_t kind;
    uint32_t offset, length;
    uint32_t count;
    struct sql_node **items; // one for EXPR; ROW nodes or single expressions for the others
};

enum sql_query_kind {
    SQL_QUERY_SELECT = 1,
    SQL_QUERY_VALUES, // rows: ROW nodes or single expressions
    SQL_QUERY_SET,
    SQL_QUERY_TABLE, // TABLE t
};

enum sql_set_kind { SQL_SET_UNION = 1, SQL_SET_INTERSECT, SQL_SET_EXCEPT };

struct sql_with {
    struct sql_name name;
    uint32_t column_count;
    struct sql_name *columns;
    struct sql_query *query;
};

struct sql_named_window {
    struct sql_name name;
    struct sql_window *window;
};

struct sql_query {
    uint8_t kind; // SQL_QUERY_*
    uint8_t distinct;
    uint8_t set, all; // SET
    uint32_t offset, length;
    uint32_t set_offset, set_length; // SET: the word UNION …
    uint32_t with_count;
    struct sql_with *with;
    uint32_t item_count; // SELECT
    struct sql_select_item *items;
    struct sql_table *from; // NULL = none
    struct sql_node *where;
    uint32_t group_count;
    uint8_t has_group;
    uint32_t group_offset, group_length;
    struct sql_group_item *groups;
    struct sql_node *having;
    struct sql_node *qualify;
    uint32_t having_offset, window_offset, qualify_offset; // of their words
    struct sql_name hint;                                  // the first /*+ hint */ behind SELECT, if any
    uint32_t window_count;
    struct sql_named_window *windows;
    uint32_t row_count; // VALUES
    struct sql_node **rows;
    struct sql_query *left, *right; // SET
    uint32_t order_count;
    uint32_t order_offset, order_length;
    struct sql_order_item *order;
    struct sql_node *skip;  // OFFSET
    struct sql_node *limit; // LIMIT or FETCH
    const char *limit_word; // the first of LIMIT, OFFSET, FETCH
    uint32_t limit_offset, limit_length;
};

// A column list as between the brackets of CREATE TABLE.
struct sql_column_def {
    struct sql_name name;
    struct sql_type_node *type; // NULL for a computed column without type
    struct sql_node *computed;  // AS expr
    uint8_t metadata, is_virtual;
    struct leat_bytes metadata_key; // METADATA FROM 'key'
    struct leat_bytes comment;
    uint32_t offset, length;
};

struct sql_table_def {
    uint32_t column_count;
    struct sql_column_def *columns;
    uint32_t key_count; // PRIMARY KEY (…), also of a column's own PRIMARY KEY
    struct sql_name *key;
    struct sql_name watermark; // the column
    struct sql_node *watermark_expr;
};

#endif
