// SPDX-License-Identifier: Apache-2.0
// Misspelt names of options: reported, then read as what they were meant for.
//
// Without this one slip would have two faults (a name that is unknown, a required option that is missing), and the
// value behind it would not be looked at.
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "plugin/option.h"
#include "plugin/option_int.h"

struct correction {
    struct plugin_parse *parse;
    const struct leat_option *const *tables;
    const uint32_t *counts;
    const char **words; // room for every name of the tables
};

static bool is_known(const struct correction *c, const char *path)
{
    for (size_t t = 0; c->tables[t]; t++) {
        if (option_find(c->tables[t], c->counts[t], path))
            return true;
    }
    return false;
}

static bool is_given(const struct plugin_parse *parse, const char *name)
{
    for (uint32_t i = 0; i < parse->setting_count; i++) {
        if (strcmp(parse->settings[i].path, name) == 0)
            return true;
    }
    return false;
}

// Does `rest`, "json.x", begin with the format that the option is set to?
static bool begins_with_value(const struct plugin_parse *parse, const char *option, const char *rest)
{
    for (uint32_t k = 0; k < parse->setting_count; k++) {
        const struct plugin_setting *s = &parse->settings[k];
        if (strcmp(s->path, option) == 0 && s->len && strncmp(rest, s->text, s->len) == 0 && rest[s->len] == '.')
            return true;
    }
    return false;
}

// "value.json.x" belongs to the format that "value.format" names, whatever that is.
static bool is_of_format(const struct correction *c, const char *path)
{
    for (size_t t = 0; c->tables[t]; t++) {
        for (uint32_t i = 0; i < c->counts[t]; i++) {
            const struct leat_option *o = &c->tables[t][i];
            size_t stem = o->type == LEAT_OPT_FORMAT ? strlen(o->name) - strlen("format") : 0;
            if (o->type == LEAT_OPT_FORMAT && !(o->flags & OPTION_REFUSED) && strncmp(o->name, path, stem) == 0 &&
                begins_with_value(c->parse, o->name, path + stem))
                return true;
        }
    }
    return false;
}

// "bootstrap.servers" for "properties.bootstrap.servers", "database.hostname" for "hostname", "user" for "username": names
// that have parts in common, as the options of other programs do. Only one may be meant.
static const char *related_name(const char *path, const char *const *words)
{
    const char *dot = strrchr(path, '.'), *last = dot ? dot + 1 : path, *found = NULL;
    size_t len = strlen(path), rest = strlen(last);
    unsigned count = 0;
    for (const char *const *w = words; *w; w++)
        if (dot && strcmp(*w, last) == 0)
            return *w;
    for (const char *const *w = words; *w; w++) {
        size_t n = strlen(*w);
        bool is = (n > len + 1 && (*w)[n - len - 1] == '.' && strcmp(*w + n - len, path) == 0) ||
                  (rest >= 4 && n > rest && strncmp(*w, last, rest) == 0 && !strchr(*w, '.'));
        count += is;
        found = is ? *w : found;
    }
    return count == 1 ? found : NULL;
}

// Names that could have been meant: those that are not given.
static const char *near_name(const struct correction *c, const char *path)
{
    size_t n = 0;
    for (size_t t = 0; c->tables[t]; t++) {
        for (uint32_t i = 0; i < c->counts[t]; i++) {
            const struct leat_option *o = &c->tables[t][i];
            if (!(o->flags & OPTION_REFUSED) && !option_is_prefix(o) && !is_given(c->parse, o->name))
                c->words[n++] = o->name;
        }
    }
    c->words[n] = NULL;
    const char *related = related_name(path, c->words);
    return related ? related : base_nearest(path, c->words);
}

// The length of the path's first `segments` segments with their dots; 0 = it has no more than that.
static size_t head_of(const char *path, const char *prefix)
{
    const char *p = path;
    for (; *prefix; prefix++) {
        if (*prefix != '.')
            continue;
        p = strchr(p, '.');
        if (!p || !*++p)
            return 0;
    }
    return (size_t)(p - path);
}

// "propertis.x" is meant for the map "properties.".
static const char *near_map(const struct correction *c, const char *path)
{
    for (size_t t = 0; c->tables[t]; t++) {
        for (uint32_t i = 0; i < c->counts[t]; i++) {
            const struct leat_option *o = &c->tables[t][i];
            size_t head = option_is_prefix(o) && !(o->flags & OPTION_REFUSED) ? head_of(path, o->name) : 0;
            const char *word = head ? base_arena_strndup(c->parse->arena, path, head) : NULL;
            if (word && base_nearest(word, (const char *const[]){o->name, NULL}))
                return base_arena_sprintf(c->parse->arena, "%s%s", o->name, path + head);
        }
    }
    return NULL;
}

void plugin_options_correct(struct plugin_parse *parse, const struct leat_option *const *tables, const uint32_t *counts,
                            const struct leat_option *other, uint32_t other_count)
{
    size_t max = 1;
    for (size_t t = 0; tables[t]; t++)
        max += counts[t];
    struct correction c = {parse, tables, counts, base_arena_calloc(parse->arena, max, sizeof(char *))};
    for (uint32_t i = 0; c.words && i < parse->setting_count; i++) {
        struct plugin_setting *s = &parse->settings[i];
        if (s->used || is_known(&c, s->path) || is_of_format(&c, s->path) ||
            (other && option_find(other, other_count, s->path)))
            continue;
        const char *near = near_name(&c, s->path);
        if (!near)
            near = near_map(&c, s->path);
        if (!near)
            continue; // nobody knows it: reported when all tables have had their turn
        const char *hint = base_arena_sprintf(parse->arena, "Did you mean \"%s\"?", near);
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0005", &s->key_place, hint, "unknown option \"%s\" of %s",
                      s->path, parse->owner);
        s->path = near;
    }
}
