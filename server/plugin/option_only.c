// SPDX-License-Identifier: Apache-2.0
// Options that do something under a condition only: beside a certain value of another option, or in one direction. A
// table says it once (`only`, and the flags READING and WRITING); what does nothing is a warning here, what is required
// then and missing an error.
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "plugin/option_int.h"

// "NAME", "NAME = WORD|WORD" or "NAME != WORD|WORD"
struct condition {
    const struct leat_option *on;
    const char *words; // NULL = that it is given
    bool negated;
};

static bool read_condition(const struct leat_option *options, uint32_t count, const char *text, struct condition *c)
{
    size_t n = strcspn(text, " ");
    const char *tail = text + n;
    *c = (struct condition){.negated = strncmp(tail, " != ", 4) == 0};
    if (*tail)
        c->words = tail + (c->negated ? 4 : 3);
    for (uint32_t i = 0; i < count && !c->on; i++) {
        if (strncmp(options[i].name, text, n) == 0 && !options[i].name[n])
            c->on = &options[i];
    }
    return c->on && (!*tail || c->negated || strncmp(tail, " = ", 3) == 0);
}

// The option's value as a word, "" for a value that is none, NULL when it has no value. `*len` is its length.
static const char *value_word(const struct leat_option *o, const char *config, size_t *len)
{
    const char *at = config + o->offset, *text = NULL;
    int64_t number;
    int32_t index;
    *len = 0;
    if (o->type == LEAT_OPT_BOOL) {
        text = *at ? "true" : "false";
    } else if (o->type == LEAT_OPT_STRING || o->type == LEAT_OPT_FORMAT) {
        memcpy(&text, at, sizeof text);
    } else if (o->type == LEAT_OPT_ENUM) {
        memcpy(&index, at, sizeof index);
        text = index < 0 ? NULL : o->words;
        for (; text && index; index--)
            text += strcspn(text, "|") + 1;
        *len = text ? strcspn(text, "|") : 0;
        return text;
    } else if (o->type == LEAT_OPT_LIST) {
        struct leat_strings list;
        memcpy(&list, at, sizeof list);
        return list.count ? "" : NULL;
    } else {
        memcpy(&number, at, sizeof number);
        return number == LEAT_UNSET ? NULL : "";
    }
    *len = text ? strlen(text) : 0;
    return text;
}

static bool has_word(const char *words, const char *word, size_t len)
{
    for (size_t n; *words; words += n + (words[n] == '|')) {
        n = strcspn(words, "|");
        if (n == len && memcmp(words, word, n) == 0)
            return true;
    }
    return false;
}

static bool holds(const struct condition *c, const char *config)
{
    size_t len;
    const char *word = value_word(c->on, config, &len);
    if (!c->words)
        return word != NULL;
    return (word && has_word(c->words, word, len)) != c->negated;
}

// `"timestamp"`, with "or" between several words.
static void add_words(struct base_str *out, const struct condition *c)
{
    const char *quote = c->on->type == LEAT_OPT_BOOL ? "" : "\"";
    for (const char *word = c->words; *word;) {
        size_t n = strcspn(word, "|");
        const char *next = word + n + (word[n] == '|');
        base_str_addf(out, "%s%s%.*s%s", word == c->words ? "" : *next ? ", " : " or ", quote, (int)n, word, quote);
        word = next;
    }
}

static const char *shown(const struct plugin_parse *parse, const struct condition *c)
{
    const char *prefix = parse->prefix ? parse->prefix : "";
    struct base_str s;
    base_str_init(&s);
    base_str_addf(&s, c->words ? "%s%s = " : "\"%s%s\"", prefix, c->on->name);
    if (c->words)
        add_words(&s, c);
    const char *text = base_arena_strdup(parse->arena, s.ptr);
    base_str_fini(&s);
    return text ? text : c->on->name;
}

void option_only_shown(const struct leat_option *options, uint32_t count, const struct leat_option *o,
                       struct base_str *out)
{
    struct condition c;
    if (!o->only || !read_condition(options, count, o->only, &c))
        return;
    base_str_addf(out, c.negated ? "with another %s than " : c.words ? "with %s = " : "with %s", c.on->name);
    if (c.words)
        add_words(out, &c);
}

static bool is_faulty(const struct plugin_parse *parse, const char *name)
{
    for (uint32_t i = 0; i < parse->faulty_count; i++) {
        if (strcmp(parse->faulty[i], name) == 0)
            return true;
    }
    return false;
}

static void warn_idle(struct plugin_parse *parse, const struct leat_option *o, const struct plugin_setting *s,
                      const struct condition *c)
{
    const char *what = shown(parse, c), *hint = "Remove it, or write one of these words.";
    if (c->negated)
        hint = base_arena_sprintf(parse->arena, "Remove it, or write another %s.", c->on->name);
    else if (!c->words)
        hint = base_arena_sprintf(parse->arena, "Remove it, or give %s as well.", what);
    else if (!strchr(c->words, '|'))
        hint = base_arena_sprintf(parse->arena, "Remove it, or write %s.", what);
    base_diag_add(parse->diags, LEAT_DIAG_WARNING, "LEAT-C0019", &s->key_place, hint,
                  "option \"%s\" of %s does nothing here: it %s %s", s->path, parse->owner,
                  c->negated ? "is not for"
                  : c->words ? "is for"
                             : "goes with",
                  what);
}

static bool check_condition(struct plugin_parse *parse, const struct leat_option *options, uint32_t count,
                            const struct leat_option *o, char *config)
{
    struct condition c;
    if (!read_condition(options, count, o->only, &c) || is_faulty(parse, c.on->name) || is_faulty(parse, o->name))
        return true;
    const struct plugin_setting *s = option_given(parse, o->name);
    bool is_on = holds(&c, config);
    if (s && !is_on)
        warn_idle(parse, o, s, &c);
    if (s || !is_on || !(o->flags & LEAT_OPT_REQUIRED))
        return true;
    const struct plugin_setting *because = option_given(parse, c.on->name);
    const char *hint =
        o->example ? base_arena_sprintf(parse->arena, "For example: %s = %s", o->name, o->example) : o->doc;
    base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0008", because ? &because->place : &parse->place, hint,
                  "%s needs the option \"%s\", since it has %s", parse->owner, o->name, shown(parse, &c));
    option_note_faulty(parse, o->name);
    option_store_stand_in(parse->arena, o, config + o->offset);
    return false;
}

// True when the node's direction is one that the option does nothing in.
static bool warn_direction(struct plugin_parse *parse, const struct leat_option *o)
{
    const struct plugin_setting *s = option_given(parse, o->name);
    bool writes = parse->kind == LEAT_SINK;
    if (!(o->flags & (writes ? LEAT_OPT_READING : LEAT_OPT_WRITING)))
        return false;
    if (s)
        base_diag_add(parse->diags, LEAT_DIAG_WARNING, "LEAT-C0019", &s->key_place, "Remove it here.",
                      "option \"%s\" of %s is for %s and does nothing here", s->path, parse->owner,
                      writes ? "sources" : "sinks");
    return true;
}

bool option_check_only(struct plugin_parse *parse, const struct leat_option *options, uint32_t count, char *config)
{
    bool ok = true;
    for (uint32_t i = 0; i < count; i++) {
        const struct leat_option *o = &options[i];
        if (!(o->flags & OPTION_REFUSED) && !warn_direction(parse, o) && o->only)
            ok = check_condition(parse, options, count, o, config) && ok;
    }
    return ok;
}

const char *option_only_fault(const struct leat_option *options, uint32_t count, const struct leat_option *o)
{
    struct condition c;
    if (!o->only)
        return NULL;
    if (o->type == LEAT_OPT_MAP || !read_condition(options, count, o->only, &c) || c.on == o ||
        c.on->flags & OPTION_REFUSED || (c.words && !*c.words) || c.on->type == LEAT_OPT_MAP ||
        c.on->type == LEAT_OPT_FLOAT)
        return "is only for what is no condition on another option of the table";
    for (const char *word = c.words; word && *word;) {
        size_t n = strcspn(word, "|");
        const char *words = c.on->type == LEAT_OPT_BOOL ? "true|false" : c.on->words;
        if (!n || (c.on->type != LEAT_OPT_STRING && (!words || !has_word(words, word, n))))
            return "is only for a word that the other option does not have";
        word += n + (word[n] == '|');
    }
    return NULL;
}
