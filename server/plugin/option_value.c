// SPDX-License-Identifier: Apache-2.0
// One function per option type: reads a setting and stores the value. See option_int.h.
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/time.h"
#include "plugin/option_int.h"

#define WRONG_TYPE   "LEAT-C0006"
#define OUT_OF_RANGE "LEAT-C0007"
#define UNKNOWN_WORD "LEAT-C0010"

#define LIST_MAX 65536

static const char no_memory[] = "could not be kept: out of memory";
static const char with_nul[] = "must not hold a NUL character";

// A number in text, exactly and whole. False if it is none or does not fit.
static bool parse_int(const char *text, int64_t *out)
{
    char *end;
    if (!*text || strchr(" \t\n", *text))
        return false;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (*end || errno)
        return false;
    *out = n;
    return true;
}

// TOML writes 1_000; the text of a number setting is as written.
static bool setting_int(const struct plugin_setting *s, int64_t *out)
{
    char plain[32];
    size_t n = 0;
    if (s->kind == PLUGIN_TEXT)
        return parse_int(s->text, out);
    if (s->kind != PLUGIN_INT)
        return false;
    if (s->len > 2 && s->text[0] == '0' && strchr("xob", s->text[1])) {
        char *end;
        int base = s->text[1] == 'x' ? 16 : s->text[1] == 'o' ? 8 : 2;
        *out = strtoll(s->text + 2, &end, base);
        return !*end;
    }
    for (const char *p = s->text; *p; p++) {
        if (*p == '_')
            continue;
        if (n + 1 >= sizeof plain)
            return false;
        plain[n++] = *p;
    }
    plain[n] = 0;
    return parse_int(plain, out);
}

static bool setting_float(const struct plugin_setting *s, double *out)
{
    char *end;
    int64_t whole;
    if (s->kind == PLUGIN_INT && setting_int(s, &whole)) {
        *out = (double)whole;
        return true;
    }
    if ((s->kind != PLUGIN_FLOAT && s->kind != PLUGIN_TEXT) || !*s->text || strchr(" \t\nxX", *s->text))
        return false;
    *out = strtod(s->text, &end);
    return !*end && isfinite(*out);
}

// Between the option's bounds? Reads the bounds by the same reader.
#define IN_BOUNDS(reader, type)                                                                                        \
    static bool reader##_in_bounds(const struct leat_option *o, type value)                                            \
    {                                                                                                                  \
        type bound;                                                                                                    \
        struct plugin_setting s;                                                                                       \
        if (o->min && (s = option_setting(o, o->min), reader(&s, &bound)) && value < bound)                            \
            return false;                                                                                              \
        return !(o->max && (s = option_setting(o, o->max), reader(&s, &bound)) && value > bound);                      \
    }

static bool setting_duration(const struct plugin_setting *s, int64_t *out)
{
    return (s->kind == PLUGIN_TEXT || s->kind == PLUGIN_INT) && !base_duration_parse(s->text, s->len, out);
}

static bool setting_size(const struct plugin_setting *s, int64_t *out)
{
    return (s->kind == PLUGIN_TEXT || s->kind == PLUGIN_INT) && !base_size_parse(s->text, s->len, out);
}

IN_BOUNDS(setting_int, int64_t)
IN_BOUNDS(setting_float, double)
IN_BOUNDS(setting_duration, int64_t)
IN_BOUNDS(setting_size, int64_t)

static const char *range(struct base_arena *arena, const struct leat_option *o, const char **code)
{
    *code = OUT_OF_RANGE;
    const char *text = o->min && o->max ? base_arena_sprintf(arena, "must be between %s and %s", o->min, o->max)
                       : o->min         ? base_arena_sprintf(arena, "must be at least %s", o->min)
                                        : base_arena_sprintf(arena, "must be at most %s", o->max);
    return text ? text : "is out of range";
}

// "must be X, not the string "abc"".
static const char *wrong(struct base_arena *arena, const struct leat_option *o, const struct plugin_setting *s,
                         const char **code)
{
    *code = WRONG_TYPE;
    const char *text = base_arena_sprintf(arena, "must be %s, not %s", option_type_words(arena, o),
                                          plugin_setting_shown(arena, s, o->flags & LEAT_OPT_SECRET));
    return text ? text : "has the wrong type";
}

static const char *store_bool(struct base_arena *arena, const struct leat_option *o, const struct plugin_setting *s,
                              void *to, const char **code)
{
    uint8_t value = strcasecmp(s->text, "true") == 0;
    if ((s->kind != PLUGIN_BOOL && s->kind != PLUGIN_TEXT) || (!value && strcasecmp(s->text, "false") != 0))
        return wrong(arena, o, s, code);
    if (to)
        memcpy(to, &value, sizeof value);
    return NULL;
}

#define STORE_NUMBER(name, reader, type)                                                                               \
    static const char *name(struct base_arena *arena, const struct leat_option *o, const struct plugin_setting *s,     \
                            void *to, const char **code)                                                               \
    {                                                                                                                  \
        type value;                                                                                                    \
        if (!reader(s, &value))                                                                                        \
            return wrong(arena, o, s, code);                                                                           \
        if (!reader##_in_bounds(o, value))                                                                             \
            return range(arena, o, code);                                                                              \
        if (to)                                                                                                        \
            memcpy(to, &value, sizeof value);                                                                          \
        return NULL;                                                                                                   \
    }

STORE_NUMBER(store_int, setting_int, int64_t)
STORE_NUMBER(store_float, setting_float, double)

// Durations and sizes tell what is wrong with the text itself.
static const char *store_unit(struct base_arena *arena, const struct leat_option *o, const struct plugin_setting *s,
                              void *to, const char **code)
{
    int64_t value;
    if (s->kind != PLUGIN_TEXT && s->kind != PLUGIN_INT)
        return wrong(arena, o, s, code);
    bool duration = o->type == LEAT_OPT_DURATION;
    const char *why =
        duration ? base_duration_parse(s->text, s->len, &value) : base_size_parse(s->text, s->len, &value);
    if (why) {
        *code = WRONG_TYPE;
        const char *text =
            base_arena_sprintf(arena, "must be %s, but \"%s\" %s", option_type_words(arena, o), s->text, why);
        return text ? text : no_memory;
    }
    if (!(duration ? setting_duration_in_bounds(o, value) : setting_size_in_bounds(o, value)))
        return range(arena, o, code);
    if (to)
        memcpy(to, &value, sizeof value);
    return NULL;
}

static const char *store_string(struct base_arena *arena, const struct leat_option *o, const struct plugin_setting *s,
                                void *to, const char **code)
{
    if (s->kind != PLUGIN_TEXT)
        return wrong(arena, o, s, code);
    bool verbatim = o->flags & LEAT_OPT_VERBATIM;
    const char *text = verbatim ? s->raw : s->text;
    *code = WRONG_TYPE;
    if (strlen(text) != (verbatim ? s->raw_len : s->len))
        return with_nul;
    if (!*text && (o->flags & LEAT_OPT_REQUIRED || (!o->def && !(o->flags & LEAT_OPT_SECRET))))
        return "must not be empty";
    if (to)
        memcpy(to, &text, sizeof text);
    return NULL;
}

// Flink compares the words of its enums without case, and takes '_' for '-'.
static bool same_word(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char x = a[i] == '_' ? '-' : a[i], y = b[i] == '_' ? '-' : b[i];
        if (strncasecmp(&x, &y, 1) != 0)
            return false;
    }
    return true;
}

static const char *store_enum(struct base_arena *arena, const struct leat_option *o, const struct plugin_setting *s,
                              void *to, const char **code)
{
    int32_t number = 0;
    if (s->kind == PLUGIN_LIST || s->kind == PLUGIN_OTHER)
        return wrong(arena, o, s, code);
    for (const char *word = o->words; word && *word; number++) {
        size_t n = strcspn(word, "|");
        if (n == s->len && same_word(word, s->text, n)) {
            if (to)
                memcpy(to, &number, sizeof number);
            return NULL;
        }
        word += n + (word[n] == '|');
    }
    const char *text = wrong(arena, o, s, code);
    *code = UNKNOWN_WORD;
    return text;
}

static const char *add_item(struct base_arena *arena, const char **items, uint32_t *count, const char *text, size_t len)
{
    while (len && (*text == ' ' || *text == '\t')) {
        text++;
        len--;
    }
    while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    if (!len)
        return "must not hold an empty item";
    items[*count] = base_arena_strndup(arena, text, len);
    return items[(*count)++] ? NULL : no_memory;
}

// The items of a TOML list.
static const char *add_list(struct base_arena *arena, const struct plugin_setting *s, const char **items,
                            uint32_t *count)
{
    const char *why = NULL;
    for (uint32_t i = 0; i < s->item_count && !why; i++) {
        if (s->items[i].kind != PLUGIN_TEXT)
            return "must be a list of strings";
        if (strlen(s->items[i].text) != s->items[i].len)
            return with_nul;
        why = add_item(arena, items, count, s->items[i].text, s->items[i].len);
    }
    return why;
}

// The items of one string, cut at ';' as Flink does.
static const char *add_cut(struct base_arena *arena, const char *text, const char **items, uint32_t *count)
{
    const char *why = NULL;
    while (*text && !why) {
        size_t n = strcspn(text, ";");
        why = add_item(arena, items, count, text, n);
        text += n;
        if (*text && !*++text) // it ends in ';'
            why = "must not hold an empty item";
    }
    return why;
}

static uint32_t count_items(const struct plugin_setting *s)
{
    uint32_t count = s->item_count + 1;
    for (const char *p = s->text; s->kind == PLUGIN_TEXT && (p = strchr(p, ';')); p++)
        count++;
    return count;
}

static const char *store_list(struct base_arena *arena, const struct leat_option *o, const struct plugin_setting *s,
                              void *to, const char **code)
{
    if (s->kind != PLUGIN_LIST && s->kind != PLUGIN_TEXT)
        return wrong(arena, o, s, code);
    *code = WRONG_TYPE;
    if (strlen(s->text) != s->len)
        return with_nul;
    uint32_t count = 0, max = count_items(s);
    if (max > LIST_MAX)
        return "has too many items";
    const char **items = base_arena_calloc(arena, max, sizeof *items);
    if (!items)
        return no_memory;
    const char *why =
        s->kind == PLUGIN_LIST ? add_list(arena, s, items, &count) : add_cut(arena, s->text, items, &count);
    if (!why && !count && o->flags & LEAT_OPT_REQUIRED)
        why = "must not be empty";
    struct leat_strings value = {count, items};
    if (!why && to)
        memcpy(to, &value, sizeof value);
    return why;
}

typedef const char *(*store_fn)(struct base_arena *arena, const struct leat_option *o, const struct plugin_setting *s,
                                void *to, const char **code);

static const struct {
    store_fn store; // NULL: stored by the parser itself (MAP)
    size_t size;
    const char *words;
} types[] = {
    [LEAT_OPT_BOOL] = {store_bool, sizeof(uint8_t), "true or false"},
    [LEAT_OPT_INT] = {store_int, sizeof(int64_t), "a whole number"},
    [LEAT_OPT_FLOAT] = {store_float, sizeof(double), "a number"},
    [LEAT_OPT_STRING] = {store_string, sizeof(char *), "a string in quotes"},
    [LEAT_OPT_DURATION] = {store_unit, sizeof(int64_t), "a duration such as \"10s\""},
    [LEAT_OPT_BYTES] = {store_unit, sizeof(int64_t), "a size such as \"64MiB\""},
    [LEAT_OPT_ENUM] = {store_enum, sizeof(int32_t), NULL},
    [LEAT_OPT_LIST] = {store_list, sizeof(struct leat_strings), "a list of strings"},
    [LEAT_OPT_MAP] = {NULL, sizeof(struct leat_pairs), "a table"},
    [LEAT_OPT_FORMAT] = {store_string, sizeof(char *), "the name of a format in quotes"},
};

size_t option_value_size(uint8_t type)
{
    return type < sizeof types / sizeof types[0] ? types[type].size : 0;
}

const char *option_type_words(struct base_arena *arena, const struct leat_option *option)
{
    if (option->type != LEAT_OPT_ENUM)
        return option_value_size(option->type) ? types[option->type].words : "something else";
    struct base_str s;
    base_str_init(&s);
    for (const char *word = option->words; word && *word;) {
        size_t n = strcspn(word, "|");
        const char *next = word + n + (word[n] == '|');
        base_str_addf(&s, "%s\"%.*s\"", word == option->words ? "" : *next ? ", " : " or ", (int)n, word);
        word = next;
    }
    const char *text = base_arena_strdup(arena, s.ptr);
    base_str_fini(&s);
    return text ? text : "one of its words";
}

struct plugin_setting option_setting(const struct leat_option *option, const char *text)
{
    uint32_t len = (uint32_t)strlen(text);
    return (struct plugin_setting){
        .path = option->name, .kind = PLUGIN_TEXT, .text = text, .len = len, .raw = text, .raw_len = len};
}

const char *option_store(struct base_arena *arena, const struct leat_option *option,
                         const struct plugin_setting *setting, void *to, const char **code)
{
    return types[option->type].store(arena, option, setting, to, code);
}

void option_store_stand_in(struct base_arena *arena, const struct leat_option *option, void *to)
{
    const char *code;
    struct plugin_setting s = option_setting(option, option->min ? option->min : "1");
    int32_t first_word = 0;
    if (option->type == LEAT_OPT_ENUM)
        memcpy(to, &first_word, sizeof first_word);
    else if (option->type != LEAT_OPT_MAP && option->type != LEAT_OPT_FORMAT) // a format stays without a name
        option_store(arena, option, &s, to, &code);
}

void option_store_unset(const struct leat_option *option, void *to)
{
    int64_t none = LEAT_UNSET;
    double nan = NAN;
    int32_t no_word = -1;
    if (option->type == LEAT_OPT_INT || option->type == LEAT_OPT_DURATION || option->type == LEAT_OPT_BYTES)
        memcpy(to, &none, sizeof none);
    else if (option->type == LEAT_OPT_FLOAT)
        memcpy(to, &nan, sizeof nan);
    else if (option->type == LEAT_OPT_ENUM)
        memcpy(to, &no_word, sizeof no_word);
    else
        memset(to, 0, option_value_size(option->type));
}
