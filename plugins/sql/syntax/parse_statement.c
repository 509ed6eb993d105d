// SPDX-License-Identifier: Apache-2.0
// Statements of Flink SQL that are no queries: told by name, with what leat has in their place; see parser_int.h.
#include "syntax/parser_int.h"

#include <stdio.h>
#include <string.h>

// The advice: what to do instead; NULL = leat has nothing of the kind yet.
static const char section[] =
    "Declare it in the pipeline file: [sources.NAME] or [sinks.NAME] with the options of WITH "
    "and the columns as its schema.";
static const char operator[] = "Make its query an operator of the pipeline file, [operators.NAME]: other queries read "
                               "it by that name.";
static const char no_catalogs[] = "A pipeline file has no catalogs and databases: the names in FROM are those of its "
                                  "sources, operators and lookups.";
static const char sink[] = "Write the query alone, and a sink that reads it: [sinks.NAME] with input = \"name of this "
                           "operator\".";
static const char plan[] = "The command `leat plan FILE` shows the graph with the columns of every edge.";
static const char shown[] = "The command `leat plan FILE` shows what a file has, `leat plugins` what is installed.";
static const char options[] = "Options are set in the table [pipeline] of the file.";
static const char several[] = "All sinks of one pipeline file run together: each names the operator that it reads as "
                              "its input.";
static const char take_out[] = "Take its section out of the pipeline file.";
static const char change[] = "Change its section in the pipeline file.";
static const char database[] = "Rows of a table that leat writes change as its sources do: run this in the database "
                               "itself.";
static const char plugins[] = "Plugins are loaded from lib/ by themselves; `leat plugins` lists them.";
static const char stop[] = "A pipeline is stopped by SIGTERM or Ctrl-C.";

// One word, or two: the second stands behind words like TEMPORARY. Of equal first words the longer rows come first.
static const struct statement {
    const char *first, *second, *instead;
} statements[] = {{"ADD", "JAR", plugins}, {"ALTER", "TABLE", change}, {"ALTER", "VIEW", change},
                  {"ALTER", "FUNCTION", NULL}, {"ALTER", "DATABASE", no_catalogs}, {"ALTER", "CATALOG", no_catalogs},
                  {"ANALYZE", "TABLE", "Leave it out: leat plans a query without statistics."},
                  {"BEGIN", "STATEMENT SET", several}, {"CALL", NULL, NULL}, {"COMPILE", "PLAN", NULL},
                  {"COMPILE", "AND EXECUTE PLAN", NULL}, {"CREATE", "TABLE", section},
                  {
                      "CREATE",
                      "VIEW",
                      operator},
                      {"CREATE", "FUNCTION", NULL},
                      {"CREATE", "CATALOG", no_catalogs},
                      {"CREATE", "DATABASE", no_catalogs},
                      {"DELETE", "FROM", database},
                      {"DESC", NULL, plan},
                      {"DESCRIBE", NULL, plan},
                      {"DROP", "TABLE", take_out},
                      {"DROP", "VIEW", take_out},
                      {"DROP", "FUNCTION", NULL},
                      {"DROP", "CATALOG", no_catalogs},
                      {"DROP", "DATABASE", no_catalogs},
                      {"END", NULL, several},
                      {"EXECUTE", "STATEMENT SET", several},
                      {"EXECUTE", "PLAN", NULL},
                      {"EXECUTE", NULL, sink},
                      {"EXPLAIN", NULL, plan},
                      {"INSERT", "INTO", sink},
                      {"INSERT", "OVERWRITE", sink},
                      {"LOAD", "MODULE", NULL},
                      {"REMOVE", "JAR", plugins},
                      {"RESET", NULL, options},
                      {"SET", NULL, options},
                      {"SHOW", NULL, shown},
                      {"STATEMENT", "SET", several},
                      {"STOP", "JOB", stop},
                      {"TRUNCATE", "TABLE", database},
                      {"UNLOAD", "MODULE", NULL},
                      {"UPDATE", NULL, database},
                      {"USE", "MODULES", NULL},
                      {"USE", NULL, no_catalogs},
};

// Do the words stand n tokens ahead? How many they are, 0 = they do not.
static uint32_t words_ahead(const struct sql_parser *p, uint32_t n, const char *words)
{
    uint32_t count = 0;
    while (*words) {
        char word[24];
        size_t len = strcspn(words, " ");
        snprintf(word, sizeof word, "%.*s", (int)len, words);
        if (!parse_token_is(parse_ahead(p, n + count), word))
            return 0;
        count++;
        words += len + (words[len] == ' ');
    }
    return count;
}

// Behind CREATE, ALTER and DROP: OR REPLACE, TEMPORARY, SYSTEM.
static uint32_t skip_adjectives(const struct sql_parser *p)
{
    uint32_t n = 1;
    n += words_ahead(p, n, "OR REPLACE");
    n += words_ahead(p, n, "TEMPORARY");
    return n + words_ahead(p, n, "SYSTEM");
}

int parse_refuse_statement(struct sql_parser *p)
{
    uint32_t offset = parse_peek(p)->offset, adjectives = skip_adjectives(p);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        const struct statement *s = &statements[i];
        uint32_t words = s->second ? words_ahead(p, adjectives, s->second) : 0;
        if (!parse_is(p, s->first) || (s->second && !words))
            continue;
        const struct sql_token *last = words ? parse_ahead(p, adjectives + words - 1) : parse_peek(p);
        char name[64];
        snprintf(name, sizeof name, "%s%s%s", s->first, s->second ? " " : "", s->second ? s->second : "");
        uint32_t length = last->offset + last->length - offset;
        if (!s->instead)
            return sql_diag_unsupported(p->diag, offset, length, name);
        sql_diag_set(p->diag, SQL_DIAG_UNSUPPORTED, offset, length,
                     "%s is a statement of Flink SQL, and here stands one query", name);
        sql_diag_hint(p->diag, "%s", s->instead);
        return -1;
    }
    return 0;
}
