// SPDX-License-Identifier: Apache-2.0
// What the files of the parser share: the cursor over the tokens and the steps on it.
//
// A step that fails has recorded its fault and returns NULL or -1; callers only pass that on.
#ifndef SQL_PARSER_INT_H
#define SQL_PARSER_INT_H

#include <stddef.h>

#include "syntax/lexer.h"
#include "syntax/parser.h"

struct sql_parser {
    struct sql_arena *arena;
    struct sql_diag *diag;
    struct sql_token *tokens;
    uint32_t at;
    uint32_t depth;
    struct sql_faults *faults; // those that were gone on from; NULL = the first one ends the reading
    uint8_t lost;              // what a query reads is not known any more
};

static inline const struct sql_token *parse_peek(const struct sql_parser *p)
{
    return &p->tokens[p->at];
}

// The token n places ahead; END stays END.
const struct sql_token *parse_ahead(const struct sql_parser *p, uint32_t n);
void parse_next(struct sql_parser *p);

// Words compare without case; marks exactly.
int parse_token_is(const struct sql_token *t, const char *word);
int parse_is(const struct sql_parser *p, const char *word_or_mark);
int parse_is2(const struct sql_parser *p, const char *first, const char *second);
// Steps over it if it is there. 1 = it was.
int parse_accept(struct sql_parser *p, const char *word_or_mark);
// Steps over it, or "expected 'x', found …". 0 or -1.
int parse_expect(struct sql_parser *p, const char *word_or_mark);
// "expected <what>, found <token>". -1.
int parse_fail(struct sql_parser *p, const char *what);

// The end of the token before the cursor: where a tree that starts at `from` ends.
uint32_t parse_length_since(const struct sql_parser *p, uint32_t from);

// Counts nesting; -1 when it is too deep. Every parse_enter is matched by parse_leave.
int parse_enter(struct sql_parser *p);
void parse_leave(struct sql_parser *p);

// A name: a word that is not reserved, or back-quoted. `what` is for the message: "a column name".
int parse_name(struct sql_parser *p, const char *what, struct sql_name *out);
// a.b.c; at most 8 parts.
int parse_names(struct sql_parser *p, const char *what, struct sql_name **names, uint32_t *count);
// ( a, b, c )
int parse_name_list(struct sql_parser *p, struct sql_name **names, uint32_t *count);
// A number without sign, at most `max`.
int parse_uint(struct sql_parser *p, uint32_t max, uint32_t *out);

// A list under construction; grows in the arena.
struct sql_list {
    void *items;
    uint32_t count, room;
    size_t size; // of one item
};
#define SQL_LIST_MAX 65535u
// Room for one more item, cleared; NULL = fault recorded.
void *parse_push(struct sql_parser *p, struct sql_list *l);

struct sql_node *parse_node(struct sql_parser *p, uint8_t kind, uint32_t offset);
struct sql_node *parse_operator(struct sql_parser *p, const char *name, uint32_t offset, struct sql_node **items,
                                uint32_t count);

// habits.c: advice for the fault at the cursor; about a name, about a type.
void parse_hint(struct sql_parser *p);
int parse_is_habit(const struct sql_token *t);
void parse_hint_name(struct sql_parser *p);
void parse_hint_type(struct sql_parser *p);

// recover.c: where a part of a query began.
struct parse_mark {
    uint32_t at, depth;
};
#define PARSE_PART_ITEM   0 // of SELECT
#define PARSE_PART_FROM   1
#define PARSE_PART_ON     2
#define PARSE_PART_CLAUSE 3 // WHERE and what stands behind it
struct parse_mark parse_mark(const struct sql_parser *p);
// Keeps the fault and moves the cursor to the end of the part. 0 = there is no telling where that is.
int parse_go_on(struct sql_parser *p, struct parse_mark from, uint8_t part);
struct sql_node *parse_hole(struct sql_parser *p, struct parse_mark from);
// An expression that makes up a part; a hole if it has a fault that can be gone on from.
struct sql_node *parse_part(struct sql_parser *p, uint8_t part);
// Does one of the keywords stand here, with a slip of the pen? 1 = it is told and put right, -1 = it ends the reading.
int parse_misspelt(struct sql_parser *p, const char *const *words);
// May the token stand behind a whole item of SELECT, behind a table?
int parse_ends_item(const struct sql_parser *p, uint32_t at);
int parse_ends_table(const struct sql_parser *p, uint32_t at);

// parse_expr.c
struct sql_node *parse_expr(struct sql_parser *p);
// Operators above BETWEEN and IN only: for places where the grammar itself uses IN or AND.
struct sql_node *parse_additive(struct sql_parser *p);
// a, b, c
int parse_expr_list(struct sql_parser *p, struct sql_node ***items, uint32_t *count);
// parse_primary.c
struct sql_node *parse_primary(struct sql_parser *p);
// A time unit as in EXTRACT, FLOOR … TO; SQL_SYM_NONE when the word is none (nothing consumed).
uint16_t parse_unit_word(const struct sql_token *t);
// parse_literal.c: a token that is a literal, DATE '…', INTERVAL '…'; NULL without a fault when it is none.
struct sql_node *parse_literal(struct sql_parser *p);
int parse_string_text(struct sql_parser *p, struct leat_bytes *out);
// parse_call.c: the call of the function `name`; the cursor is behind '('.
struct sql_node *parse_call(struct sql_parser *p, struct leat_bytes name, uint32_t offset);
// parse_builtin.c: calls with a grammar of their own (EXTRACT, TRIM, JSON_VALUE …). Cursor behind '('; 1 = it was
// one (*out may be NULL: fault), 0 = it is an ordinary function.
int parse_builtin(struct sql_parser *p, struct leat_bytes name, uint32_t offset, struct sql_node **out);
struct sql_node *parse_call_node(struct sql_parser *p, struct leat_bytes name, uint32_t offset, struct sql_node **items,
                                 uint32_t count);
struct sql_call *parse_call_extra(struct sql_parser *p, struct sql_node *n);
struct sql_window *parse_window(struct sql_parser *p);
int parse_order_items(struct sql_parser *p, struct sql_order_item **items, uint32_t *count);
// parse_type.c
struct sql_type_node *parse_type(struct sql_parser *p);
// [NOT NULL | NULL]
int parse_nullability(struct sql_parser *p, struct sql_type_node *t);
// parse_query.c
struct sql_query *parse_query(struct sql_parser *p);
// 1 if the cursor stands at the begin of a query: SELECT, VALUES, WITH, TABLE.
int parse_at_query(const struct sql_parser *p);
// [/*+ name(…) … */]: the first name is kept for the planner to refuse.
int parse_hints(struct sql_parser *p, struct sql_name *first);
// parse_table.c: what stands behind FROM.
struct sql_table *parse_from(struct sql_parser *p);
// parse_statement.c: -1 with its fault if a statement that is no query stands at the cursor; 0 = none does.
int parse_refuse_statement(struct sql_parser *p);

#endif
