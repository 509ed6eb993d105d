// SPDX-License-Identifier: Apache-2.0
// Lines that are not TOML, rewritten so that what stands behind them can be read: one slip does not hide the others.
//
//     topic = orders          topic = 'orders'        a word without quotes
//     'topic' = 'orders',     'topic' = 'orders'      commas of a WITH clause
//     topic: "orders"         topic= "orders"
//     topic = "orders         topic = "orders"
//     topic =                 topic = ''
//     topic = "a\d"           topic = ''
//     topic = "b"                                     a second one
//     [sinks.orders           [sinks.orders]
//
// Where the value is made up nothing else is said of the line (base_diag_lost). What cannot be told so plainly, above all
// what concerns several lines, ends the reading: a guess would make false faults further down.
#include <string.h>

#include "base/str.h"
#include "config/toml.h"

// A line without its end and the blanks around it.
struct span {
    const char *ptr;
    size_t len;
};

static struct span trimmed(const char *ptr, size_t len)
{
    for (; len && strchr(" \t\r", ptr[len - 1]); len--)
        ;
    for (; len && strchr(" \t", *ptr); len--)
        ptr++;
    return (struct span){ptr, len};
}

static bool has(struct span s, const char *part)
{
    return memmem(s.ptr, s.len, part, strlen(part)) != NULL;
}

// The '=' behind the key, which may stand in quotes. NULL if there is none.
static const char *equals_of(struct span line)
{
    char quote = 0;
    for (const char *p = line.ptr; p < line.ptr + line.len; p++) {
        if (quote ? *p == quote : *p == '"' || *p == '\'')
            quote = quote ? 0 : *p;
        else if (!quote && *p == '=')
            return p;
        else if (!quote && *p == '#')
            return NULL;
    }
    return NULL;
}

static enum toml_mended add(struct base_str *out, struct span s, const char *rest, enum toml_mended how)
{
    base_str_addf(out, "%.*s%s", (int)s.len, s.ptr, rest);
    return how;
}

// "True", "NULL": quotes would not help.
static bool is_word_of_others(struct span s)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "null", "nil", "none", NULL};
    size_t i = 0;
    while (words[i] && (strlen(words[i]) != s.len || strncasecmp(words[i], s.ptr, s.len) != 0))
        i++;
    return words[i];
}

// `word`, `word,` and `word # why` in quotes; what holds a quote itself becomes an empty string.
static enum toml_mended quote_value(struct base_str *out, struct span key, struct span value)
{
    const char *comment = memmem(value.ptr, value.len, " #", 2);
    struct span word = trimmed(value.ptr, comment ? (size_t)(comment - value.ptr) : value.len);
    while (word.len && strchr(",;", word.ptr[word.len - 1]))
        word.len--;
    bool plain = !has(word, "'") && !has(word, "\"") && !is_word_of_others(word);
    base_str_addf(out, "%.*s '%.*s'", (int)key.len, key.ptr, plain ? (int)word.len : 0, word.ptr);
    return plain ? TOML_SURE : TOML_LOST;
}

// A string that the line's end cuts off. One quote too many in its middle is another thing.
static enum toml_mended close_string(struct base_str *out, struct span line, struct span value)
{
    char quote[2] = {value.len ? *value.ptr : 0};
    if ((*quote != '"' && *quote != '\'') || memchr(value.ptr + 1, *quote, value.len - 1) || has(value, "\\"))
        return TOML_STOP;
    return add(out, line, quote, TOML_LOST);
}

// 5s, 10min, True, 127.0.0.1:80: begins as a number or a truth value and is none.
static bool is_of_word(const char *what)
{
    static const char *const kinds[] = {"could not determine value type",
                                        "integer: ",
                                        "floating-point: ",
                                        "boolean: ",
                                        " date: ",
                                        " time: ",
                                        "date-time: ",
                                        NULL};
    for (size_t i = 0; kinds[i]; i++)
        if (strstr(what, kinds[i]))
            return true;
    return false;
}

static enum toml_mended mend_value(struct base_str *out, struct span line, struct span key, struct span value,
                                   const char *at, const char *what)
{
    bool open = has(value, "\"\"\"") || has(value, "'''") || (value.len && strchr("[{", *value.ptr));
    if (open)
        return TOML_STOP;
    if (strstr(what, "expected a comment or whitespace")) {
        struct span rest = trimmed(at, (size_t)(line.ptr + line.len - at));
        bool only = rest.len && strspn(rest.ptr, ",;") >= rest.len;
        return only ? add(out, (struct span){line.ptr, (size_t)(at - line.ptr)}, "", TOML_SURE) : TOML_STOP;
    }
    if (is_of_word(what))
        return quote_value(out, key, value);
    if ((strstr(what, "expected value") && !value.len) || strstr(what, "unknown escape sequence"))
        return add(out, key, " ''", TOML_LOST);
    if (strstr(what, "unescaped control characters") || strstr(what, "literal string"))
        return close_string(out, line, value);
    bool again = strstr(what, "key-value pair: cannot redefine existing") && !strstr(what, "as dotted") &&
                 !strstr(what, "existing table");
    return again ? TOML_SURE : TOML_STOP;
}

// Letters, digits and what else stands between the brackets of a header.
static bool is_header(struct span line)
{
    for (size_t i = 1; i < line.len; i++)
        if (strchr("[]=#{},", line.ptr[i]))
            return false;
    return line.len > 1 && *line.ptr == '[';
}

// `name: "value"`. A name with nothing behind it opens a section of another language.
static enum toml_mended mend_colon(struct base_str *out, struct span line, const char *colon)
{
    struct span behind = {colon + 1, (size_t)(line.ptr + line.len - colon - 1)},
                value = trimmed(behind.ptr, behind.len);
    if (*colon != ':' || !value.len || !strchr("\"'0123456789", *value.ptr))
        return TOML_STOP;
    base_str_addf(out, "%.*s=%.*s", (int)(colon - line.ptr), line.ptr, (int)behind.len, behind.ptr);
    return TOML_SURE;
}

enum toml_mended toml_mend(const char *text, size_t len, size_t at, size_t column, const char *what,
                           struct base_str *out)
{
    const char *begin = text + at, *end = memchr(begin, '\n', len - at);
    size_t size = end ? (size_t)(end - begin) : len - at;
    while (size && begin[size - 1] == '\r')
        size--;
    struct span line = {begin, size}, bare = trimmed(begin, size);
    if (column < 1 || column > size + 1)
        return TOML_STOP;
    const char *place = begin + column - 1, *equals = equals_of(line);
    if (strstr(what, "table header: expected ']'"))
        return is_header(bare) ? add(out, bare, "]", TOML_SURE) : TOML_STOP;
    if (strstr(what, "expected '=', saw ':'"))
        return mend_colon(out, line, place);
    if (!equals)
        return TOML_STOP;
    struct span key = {begin, (size_t)(equals + 1 - begin)};
    return mend_value(out, line, key, trimmed(equals + 1, (size_t)(begin + size - equals - 1)), place, what);
}
