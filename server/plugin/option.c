// SPDX-License-Identifier: Apache-2.0
// The option parser: matches settings with a table, stores them, follows formats, reports what does not fit.
#include "plugin/option.h"

#include <string.h>

#include "base/arena.h"
#include "base/crash.h"
#include "base/str.h"
#include "plugin/check.h"
#include "plugin/option_int.h"

static const uint32_t refused = OPTION_REFUSED;

bool option_begins(const char *prefix, const char *path)
{
    return strncmp(prefix, path, strlen(prefix)) == 0;
}

bool option_is_prefix(const struct leat_option *o)
{
    size_t n = strlen(o->name);
    return n && o->name[n - 1] == '.';
}

const struct leat_option *option_find(const struct leat_option *options, uint32_t count, const char *path)
{
    const struct leat_option *best = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const struct leat_option *o = &options[i];
        if (strcmp(o->name, path) == 0)
            return o;
        if (option_is_prefix(o) && option_begins(o->name, path) && path[strlen(o->name)] &&
            (!best || strlen(o->name) > strlen(best->name)))
            best = o;
    }
    return best;
}

// --- faults that others follow from

void option_note_faulty(struct plugin_parse *parse, const char *name)
{
    const char **grown = base_arena_calloc(parse->arena, parse->faulty_count + 1, sizeof *grown);
    if (!grown)
        return; // beyond that only repetitions are not held back
    if (parse->faulty_count)
        memcpy(grown, parse->faulty, parse->faulty_count * sizeof *grown);
    grown[parse->faulty_count++] = name;
    parse->faulty = grown;
}

// An option is spoken of by its quoted name, or with " =" behind it; a name of several parts is no other word.
static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool plugin_speaks_of(const char *const *faulty, uint32_t count, const char *text)
{
    for (uint32_t i = 0; text && i < count; i++) {
        size_t n = strlen(faulty[i]);
        for (const char *p = text; (p = strstr(p, faulty[i])); p++) {
            bool alone = (p == text || (!is_name_char(p[-1]) && p[-1] != '.')) && !is_name_char(p[n]);
            bool quoted = p > text && p[-1] == '"' && p[n] == '"';
            if (alone && (quoted || strncmp(p + n, " =", 2) == 0 || strpbrk(faulty[i], ".-") || !p[n]))
                return true;
        }
    }
    return false;
}

// --- storing

// A setting that the table knows and refuses.
static bool report_refused(struct plugin_parse *parse, const struct leat_option *o, const struct plugin_setting *s)
{
    if (o->flags & refused && !s->broken)
        option_keep_secret(parse, o, s); // the line is shown
    if (o->flags & LEAT_OPT_UNSUPPORTED)
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0015", &s->key_place, o->doc,
                      "option \"%s\" of %s is known in Flink, not supported yet", s->path, parse->owner);
    else if (o->flags & LEAT_OPT_SENSELESS)
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0016", &s->key_place, o->doc,
                      "option \"%s\" of %s is known in Flink and makes no sense here", s->path, parse->owner);
    return o->flags & refused;
}

// The word the user most likely meant, for options of words.
static const char *word_hint(struct plugin_parse *parse, const struct leat_option *o, const struct plugin_setting *s)
{
    char *copy = o->type == LEAT_OPT_ENUM && s->kind == PLUGIN_TEXT ? base_arena_strdup(parse->arena, o->words) : NULL;
    const char *words[65] = {0};
    for (size_t n = 0; copy && n < 64; n++) {
        words[n] = copy;
        copy = strchr(copy, '|');
        if (copy)
            *copy++ = 0;
    }
    return words[0] ? base_diag_nearest(parse->diags, s->text, words) : NULL;
}

// Does the sentence on the option tell what its words mean? Then it names the first.
static bool explains_words(struct base_arena *arena, const struct leat_option *o)
{
    const char *first = base_arena_strndup(arena, o->words, strcspn(o->words, "|"));
    return first && o->doc && strstr(o->doc, first);
}

// Text that is hardly meant so: a name that ends in a blank is another name, and nobody sees it. Texts with a default, as
// what is written for a NULL, and secrets may be anything.
static void warn_blanks(struct plugin_parse *parse, const struct leat_option *o, const struct plugin_setting *s)
{
    size_t n = s->len;
    bool is_name = o->type == LEAT_OPT_STRING && !o->def && !(o->flags & (LEAT_OPT_SECRET | LEAT_OPT_VERBATIM));
    if (!is_name || s->kind != PLUGIN_TEXT || !n)
        return;
    const char *how = s->text[0] == ' ' ? "begins with a blank" : s->text[n - 1] == ' ' ? "ends with a blank" : NULL;
    for (size_t i = 0; i < n && !how; i++)
        how = (unsigned char)s->text[i] < ' ' ? "holds a line break or another control character" : NULL;
    if (how)
        base_diag_add(parse->diags, LEAT_DIAG_WARNING, "LEAT-C0023", &s->place, "Remove it, unless it is meant.",
                      "the value of option \"%s\" %s", s->path, how);
}

static bool store_setting(struct plugin_parse *parse, const struct leat_option *o, struct plugin_setting *s,
                          char *config)
{
    const char *code = "LEAT-C0006", *why = option_store(parse->arena, o, s, config + o->offset, &code);
    if (why) {
        const char *hint = word_hint(parse, o, s);
        if (!hint && s->kind == PLUGIN_TEXT && !s->len && !(o->flags & LEAT_OPT_REQUIRED) && o->type == LEAT_OPT_STRING)
            hint = "Leave it out.";
        if (!hint && o->type == LEAT_OPT_ENUM && s->kind == PLUGIN_TEXT && strchr(s->text, '.'))
            hint = "Classes of Java cannot be loaded here. Write one of these words.";
        if (!hint && o->type == LEAT_OPT_ENUM && s->kind == PLUGIN_TEXT && explains_words(parse->arena, o))
            hint = o->doc;
        if (!hint && !o->example && o->type == LEAT_OPT_ENUM && strstr(o->doc, "Flink"))
            hint = o->doc; // which says what there is for a word of Flink
        if (!hint && o->example)
            hint = base_arena_sprintf(parse->arena, "For example: %s = %s", o->name, o->example);
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, code, &s->place, hint, "option \"%s\" %s", s->path, why);
        return false;
    }
    option_keep_secret(parse, o, s);
    warn_blanks(parse, o, s);
    if (o->flags & LEAT_OPT_DEPRECATED) {
        const char *hint = o->successor ? base_arena_sprintf(parse->arena, "Write \"%s\".", o->successor) : NULL;
        base_diag_add(parse->diags, LEAT_DIAG_WARNING, "LEAT-C0018", &s->key_place, hint, "option \"%s\" is deprecated",
                      s->path);
    }
    return true;
}

// Does an option of the same table have the setting's very name?
static bool has_own_option(const struct leat_option *options, uint32_t count, const struct plugin_setting *s)
{
    const struct leat_option *o = option_find(options, count, s->path);
    return o && strcmp(o->name, s->path) == 0;
}

static bool store_map(struct plugin_parse *parse, const struct leat_option *options, uint32_t option_count,
                      const struct leat_option *o, char *config)
{
    size_t prefix = strlen(o->name);
    struct leat_pair *pairs = base_arena_calloc(parse->arena, parse->setting_count + 1, sizeof *pairs);
    uint32_t count = 0;
    bool ok = pairs != NULL;
    for (uint32_t i = 0; pairs && i < parse->setting_count; i++) {
        struct plugin_setting *s = &parse->settings[i];
        if (!option_begins(o->name, s->path) || !s->path[prefix])
            continue;
        s->used = true;
        ok = ok && !s->broken;
        if (s->broken) {
            option_note_faulty(parse, s->path);
            continue;
        }
        if (s->kind == PLUGIN_LIST || s->kind == PLUGIN_OTHER || strlen(s->text) != s->len) {
            if (!has_own_option(options, option_count, s)) // which has reported it
                base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0006", &s->place, NULL,
                              "option \"%s\" must be a string, not %s", s->path,
                              plugin_setting_shown(parse->arena, s, plugin_name_is_secret(s->path)));
            option_note_faulty(parse, s->path);
            ok = false; // it is there all the same: nobody may say that it is missing
        } else {
            option_keep_secret(parse, o, s);
        }
        pairs[count++] = (struct leat_pair){s->path + prefix, s->text};
    }
    struct leat_pairs value = {count, pairs};
    memcpy(config + o->offset, &value, sizeof value);
    return ok;
}

// Defaults come after all unset marks, since two names of one thing share their place in the struct.
static void store_defaults(struct plugin_parse *parse, const struct leat_option *options, uint32_t count, char *config)
{
    const char *code;
    for (uint32_t i = 0; i < count; i++) {
        if (!(options[i].flags & refused))
            option_store_unset(&options[i], config + options[i].offset);
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct leat_option *o = &options[i];
        if (!o->def || o->flags & refused || o->type == LEAT_OPT_MAP)
            continue;
        struct plugin_setting s = option_setting(o, o->def);
        option_store(parse->arena, o, &s, config + o->offset, &code); // checked when the plugin was loaded
    }
}

struct plugin_setting *option_given(const struct plugin_parse *parse, const char *path)
{
    for (uint32_t i = 0; i < parse->setting_count; i++) {
        if (strcmp(parse->settings[i].path, path) == 0)
            return &parse->settings[i];
    }
    return NULL;
}

static bool parse_option(struct plugin_parse *parse, const struct leat_option *options, uint32_t count,
                         const struct leat_option *o, char *config)
{
    if (o->flags & refused)
        return true; // seen from the settings' side
    if (o->type == LEAT_OPT_MAP)
        return store_map(parse, options, count, o, config);
    struct plugin_setting *s = option_given(parse, o->name);
    if (s) {
        s->used = true;
        if (!s->broken && store_setting(parse, o, s, config))
            return true;
    } else if (o->flags & LEAT_OPT_REQUIRED && !o->only) {
        const char *hint =
            o->example ? base_arena_sprintf(parse->arena, "For example: %s = %s", o->name, o->example) : o->doc;
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0008", &parse->place, hint, "%s needs the option \"%s\"",
                      parse->owner, o->name);
    } else {
        return true;
    }
    option_note_faulty(parse, o->name);
    if (o->flags & LEAT_OPT_REQUIRED)
        option_store_stand_in(parse->arena, o, config + o->offset);
    return false;
}

// Two names of one thing share their place in the struct: only one of them may be given.
static bool check_synonyms(struct plugin_parse *parse, const struct leat_option *options, uint32_t at)
{
    const struct leat_option *o = &options[at];
    const struct plugin_setting *s = o->flags & refused ? NULL : option_given(parse, o->name), *t;
    for (uint32_t i = 0; s && i < at; i++) {
        if (options[i].offset != o->offset || options[i].flags & refused || !(t = option_given(parse, options[i].name)))
            continue;
        const char *hint = base_arena_sprintf(parse->arena, "The other one is in line %u.", t->place.line);
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0017", &s->key_place, hint,
                      "options \"%s\" and \"%s\" mean the same: give one of them", t->path, s->path);
        option_note_faulty(parse, s->path);
        option_note_faulty(parse, t->path);
        return false;
    }
    return true;
}

// Where a check failed: at its option's text, or the node as a whole.
static const struct base_place *failed_at(const struct plugin_parse *parse, const struct base_error *error,
                                          struct base_place *place)
{
    const struct plugin_setting *s = error->option[0] ? option_given(parse, error->option) : NULL;
    *place = s ? plugin_setting_fault(s, error->offset) : parse->place;
    return place;
}

// Rules across options; they make sense only for options that are right one by one.
bool option_check(struct plugin_parse *parse, const struct leat_component *component, const void *config)
{
    struct base_place place;
    struct plugin_check check;
    uint32_t before = parse->diags->errors;
    if (!component->check)
        return true;
    plugin_check_init(&check, parse);
    base_crash_enter(&(struct base_crash_site){.component = component->name}, "check");
    leat_status st = component->check(&check.ctx, config);
    base_crash_leave();
    if (st == LEAT_OK)
        return true;
    if (parse->diags->errors == before && !check.held_back &&
        !plugin_speaks_of(parse->faulty, parse->faulty_count, check.error.message)) // it failed without a diagnostic
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, check.error.code, failed_at(parse, &check.error, &place),
                      check.error.hint[0] ? check.error.hint : NULL, "%s", check.error.message);
    return false;
}

// --- the whole

bool plugin_options_parse(struct plugin_parse *parse, const struct leat_option *options, uint32_t count, void *config)
{
    bool ok = true;
    for (uint32_t i = 0; i < parse->setting_count; i++) {
        struct plugin_setting *s = &parse->settings[i];
        const struct leat_option *o = s->used ? NULL : option_find(options, count, s->path);
        if (o && report_refused(parse, o, s)) {
            s->used = true;
            ok = false;
        }
    }
    store_defaults(parse, options, count, config);
    for (uint32_t i = 0; i < count; i++)
        ok = parse_option(parse, options, count, &options[i], config) && check_synonyms(parse, options, i) && ok;
    for (uint32_t i = 0; i < count; i++) {
        if (options[i].type == LEAT_OPT_FORMAT && !(options[i].flags & refused))
            ok = option_parse_format(parse, &options[i], config) && ok;
    }
    return option_check_only(parse, options, count, config) && ok;
}

void *plugin_component_parse(struct plugin_parse *parse, const struct leat_component *component, bool *ok)
{
    char *config = base_arena_calloc(parse->arena, 1, component->config_size ? component->config_size : 1);
    if (!config) {
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-R0001", &parse->place, NULL, "out of memory");
        return NULL;
    }
    parse->kind = component->kind;
    *ok = plugin_options_parse(parse, component->options, component->option_count, config);
    parse->refused = !option_check(parse, component, config);
    *ok = *ok && !parse->refused;
    return config;
}

// Collects the names that a user may write. The list is NULL-terminated; NULL when memory is short.
static const char **known_names(struct plugin_parse *parse, const struct leat_option *const *tables,
                                const uint32_t *counts)
{
    size_t max = 1, n = 0;
    for (size_t t = 0; tables[t]; t++)
        max += counts[t];
    const char **names = base_arena_calloc(parse->arena, max, sizeof *names);
    for (size_t t = 0; names && tables[t]; t++) {
        for (uint32_t i = 0; i < counts[t]; i++) {
            if (!(tables[t][i].flags & refused) && !option_is_prefix(&tables[t][i]))
                names[n++] = tables[t][i].name;
        }
    }
    return names;
}

static void report_elsewhere(struct plugin_parse *parse, const struct plugin_setting *s, const char *where,
                             const char *hint)
{
    base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0019", &s->key_place, hint,
                  "option \"%s\" of %s is for %s and does nothing here", s->path, parse->owner, where);
}

void plugin_options_elsewhere(struct plugin_parse *parse, const struct leat_option *const *tables,
                              const uint32_t *counts, const struct leat_option *other, uint32_t other_count,
                              const char *where)
{
    for (uint32_t i = 0; i < parse->setting_count; i++) {
        struct plugin_setting *s = &parse->settings[i];
        const struct leat_option *o = s->used ? NULL : option_find(other, other_count, s->path);
        for (size_t t = 0; o && tables[t]; t++)
            o = option_find(tables[t], counts[t], s->path) ? NULL : o;
        if (!o)
            continue;
        s->used = true;
        if (!report_refused(parse, o, s))
            report_elsewhere(parse, s, where, base_arena_sprintf(parse->arena, "Write it below %s.", where));
    }
}

void plugin_options_unknown(struct plugin_parse *parse, const struct leat_option *const *tables, const uint32_t *counts,
                            const struct leat_option *other, uint32_t other_count, const char *where)
{
    const char **names = known_names(parse, tables, counts);
    for (uint32_t i = 0; i < parse->setting_count; i++) {
        struct plugin_setting *s = &parse->settings[i];
        if (s->used)
            continue;
        s->used = true;
        if (other && option_find(other, other_count, s->path))
            report_elsewhere(parse, s, where, "Remove it here.");
        else
            base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0005", &s->key_place,
                          names ? base_diag_nearest(parse->diags, s->path, names) : NULL, "unknown option \"%s\" of %s",
                          s->path, parse->owner);
    }
}
