// SPDX-License-Identifier: Apache-2.0
// What somebody most likely did who wrote a line that is not TOML.
#include <string.h>
#include <strings.h>

#include "config/toml.h"

// What a person most likely did, by a part of toml++'s words.
static const char *syntax_hint(const char *what)
{
    static const struct {
        const char *part, *hint;
    } hints[] = {
        {"table header: cannot redefine",
         "The same section stands further up; put the options together, or give this one another name."},
        // a value where a table is wanted: almost always two options of which one is the beginning of the other
        {"as dotted key-value pair", "Where one name is the beginning of another, TOML wants both in quotes, as in "
                                     "\"lookup.cache\" = … and \"lookup.cache.max-rows\" = …."},
        {"cannot redefine existing table",
         "Where one name is the beginning of another, TOML wants both in quotes, as in "
         "\"lookup.cache\" = … and \"lookup.cache.max-rows\" = …."},
        {"cannot redefine", "The same key stands further up in this section."},
        {"could not determine value type", "Strings stand in quotes."},
        {"expected '='", "An option is written as name = value, one a line."},
        {"boolean: ", "Truth values are written true and false; strings stand in quotes."},
        {"leading zeroes", "Numbers begin with another digit than 0; strings stand in quotes."},
        {"integer: ", "Strings stand in quotes, and so do times and sizes: \"5s\", \"64MiB\"."},
        {"floating-point: ", "Strings stand in quotes."},
        {"date: ", "Strings stand in quotes."},
        {"time: ", "Strings stand in quotes."},
        {"expected value", "Write the value behind the '='."},
        {"expected a comment or whitespace, saw ','", "Nothing ends an option but the line: take the comma out."},
        {"expected a comment or whitespace, saw ';'", "Nothing ends an option but the line: take the ';' out."},
        {"expected a comment or whitespace", "One option a line; nothing ends it but the line."},
        {"control characters other than TAB", "A string ends in the line in which it begins; longer ones stand between "
                                              "\"\"\" and \"\"\"."},
        {"unknown escape sequence", "Write \\\\ for a backslash, or put the string into single quotes."},
        {"saw '{'",
         "Pipeline files are TOML, not JSON: [sources.NAME] in a line of its own, then name = value, one a line."},
        {"inline table:", "An inline table stands in one line; a longer one is a section of its own."},
        {"array: expected", "Is the list before this place closed by ']'?"},
        {"table header: expected ']'", "A section's header is [name] in a line of its own."},
        {"encountered end-of-file", "Is the string closed by the quotes that it begins with?"},
        {"utf-8", "Save the file as UTF-8."},
    };
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        if (strstr(what, hints[i].part))
            return hints[i].hint;
    }
    return NULL;
}

// Behind the blanks, and behind the comments of SQL.
static const char *statement_begin(const char *p)
{
    for (;;) {
        p += strspn(p, " \t\r\n");
        if (strncmp(p, "--", 2) == 0)
            p += strcspn(p, "\n");
        else if (strncmp(p, "/*", 2) == 0 && strstr(p, "*/"))
            p = strstr(p, "*/") + 2;
        else
            return p;
    }
}

// What the statement becomes in a pipeline file, where one begins at the line; NULL = none does.
static const char *sql_hint(const struct base_source *source, uint32_t line)
{
    static const char table[] =
        "Pipeline files are TOML, not SQL: a table is a section [sources.NAME] or [sinks.NAME], "
        "with the options of WITH in it and the columns in [sources.NAME.schema].";
    static const char query[] =
        "Pipeline files are TOML, not SQL: the query stands in [operators.NAME], with operator = "
        "\"sql\" and query = \"\"\"…\"\"\", and a sink reads it: input = \"NAME\".";
    static const char other[] =
        "Pipeline files are TOML, not SQL: settings are options of [pipeline], tables are sections, "
        "and a query stands in [operators.NAME].";
    static const struct {
        const char *word, *hint;
    } words[] = {{"CREATE", table}, {"INSERT", query}, {"SELECT", query}, {"WITH", query},    {"SET", other},
                 {"USE", other},    {"DROP", other},   {"ALTER", other},  {"EXECUTE", other}, {"BEGIN", other}};
    size_t len;
    const char *p = statement_begin(base_source_line(source, line, &len));
    size_t word = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].word) == word && strncasecmp(words[i].word, p, word) == 0 && strchr(" \t\r\n", p[word]))
            return words[i].hint;
    return NULL;
}

const char *toml_hint(const struct base_source *source, uint32_t line, const char *what)
{
    bool maybe_sql = line && (strstr(what, "expected '='") || strstr(what, "saw '/'"));
    const char *hint = maybe_sql ? sql_hint(source, line) : NULL;
    return hint ? hint : syntax_hint(what);
}
