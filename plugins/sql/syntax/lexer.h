// SPDX-License-Identifier: Apache-2.0
// Text to tokens. The whole text is split at once, so that the parser may look ahead as far as it likes.
#ifndef SQL_LEXER_H
#define SQL_LEXER_H

#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"
#include "syntax/ast.h"

#define SQL_TEXT_MAX (1u << 20) // longest query in bytes

enum sql_token_kind {
    SQL_TOKEN_END,
    SQL_TOKEN_WORD,          // unquoted name or keyword
    SQL_TOKEN_QUOTED,        // `name`, decoded
    SQL_TOKEN_DOUBLE_QUOTED, // "text", which Flink SQL does not have
    SQL_TOKEN_STRING,        // 'text', _UTF8'text', N'text'; decoded
    SQL_TOKEN_USTRING,       // U&'text'; quotes undone, escapes not, since UESCAPE may follow
    SQL_TOKEN_BINARY,        // X'00ff'; text = what stands between the quotes
    SQL_TOKEN_INTEGER,
    SQL_TOKEN_DECIMAL, // 1.5
    SQL_TOKEN_DOUBLE,  // 1e3
    SQL_TOKEN_MARK,    // operator or bracket
    SQL_TOKEN_HINT,    // /*+
    SQL_TOKEN_HINT_END,
};

// What is wrong with a double quote.
#define SQL_UNEXPECTED_QUOTE "unexpected '\"': names are quoted by `, strings by '"

struct sql_token {
    uint8_t kind;
    uint8_t reserved;   // WORD: cannot be a name unless back-quoted
    uint8_t alien;      // MARK: of no operator of Flink SQL
    uint8_t after_line; // a line ended between the token before and this one
    uint32_t offset, length;
    struct leat_bytes text;
};

// tokens ends with one END. 0, or -1 with the fault in d.
int sql_lex(struct sql_arena *a, struct leat_bytes text, struct sql_token **tokens, uint32_t *count,
            struct sql_diag *d);

// 1 if the word (any case) is reserved in Flink SQL.
int sql_word_reserved(struct leat_bytes word);

#endif
