// SPDX-License-Identifier: Apache-2.0
// The option parser: matches settings with a table, stores them, follows formats, reports what does not fit.
#include "plugin/option.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/str.h"
#include "plugin/check.h"
#include "plugin/option_int.h"
#include "plugin/registry.h"

static const uint32_t refused = OPTION_REFUSED;

static bool is_prefix(const char *prefix, const char *path)
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
        if (option_is_prefix(o) && is_prefix(o->name, path) && path[strlen(o->name)] &&
            (!best || strlen(o->name) > strlen(best->name)))
            best = o;
    }
    return best;
}

// --- secrets

bool plugin_name_is_secret(const char *name)
{
    static const char *const parts[] = {"password", "passphrase", "secret",      "token",
                                        "jaas",     "credential", "private-key", "key.pem"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strcasestr(name, parts[i]))
            return true;
    }
    return false;
}

// A password as it stands in a URL, and what it means there: %40 is a character.
static bool add_from_url(struct base_secrets *secrets, const char *text, size_t len)
{
    char plain[512];
    size_t n = 0;
    for (size_t i = 0; i < len && n < sizeof plain; i++) {
        unsigned value;
        char digits[3] = {i + 2 < len ? text[i + 1] : (char)0, i + 2 < len ? text[i + 2] : (char)0, 0};
        if (i + 2 < len && text[i] == '%' && isxdigit((unsigned char)digits[0]) && isxdigit((unsigned char)digits[1]) &&
            sscanf(digits, "%x", &value) == 1) {
            plain[n++] = (char)value;
            i += 2;
        } else {
            plain[n++] = text[i];
        }
    }
    return base_secrets_add(secrets, text, len) && base_secrets_add(secrets, plain, n);
}

bool plugin_find_secrets(struct base_secrets *secrets, const char *text)
{
    const char *rest = strstr(text, "://"), *at, *colon;
    if (rest && (at = strchr(rest + 3, '@')) && (colon = memchr(rest + 3, ':', (size_t)(at - rest - 3))) &&
        !memchr(rest + 3, '/', (size_t)(at - rest - 3)) && !add_from_url(secrets, colon + 1, (size_t)(at - colon - 1)))
        return false;
    for (const char *p = text; (p = strcasestr(p, "password"));) {
        p += strlen("password");
        if (*p++ != '=')
            continue;
        const char *quote = *p == '"' || *p == '\'' ? p++ : NULL;
        size_t n = quote ? strcspn(p, quote[0] == '"' ? "\"" : "'") : strcspn(p, "&; ");
        if (!add_from_url(secrets, p, n))
            return false;
        p += n;
    }
    return true;
}

// A password that is at the same time the user's name or the like is no secret, and masking it would blot out the log.
static bool said_openly(const struct plugin_parse *parse, const struct plugin_setting *secret)
{
    for (uint32_t i = 0; i < parse->setting_count; i++) {
        const struct plugin_setting *s = &parse->settings[i];
        if (s != secret && s->kind == PLUGIN_TEXT && !plugin_name_is_secret(s->path) && s->len == secret->len &&
            strcmp(s->text, secret->text) == 0)
            return true;
    }
    return false;
}

static void keep_secret(struct plugin_parse *parse, const struct leat_option *o, const struct plugin_setting *s)
{
    bool secret = o->flags & LEAT_OPT_SECRET && (o->type != LEAT_OPT_MAP || plugin_name_is_secret(s->path));
    if (s->kind != PLUGIN_TEXT || !parse->secrets)
        return;
    bool kept = plugin_find_secrets(parse->secrets, s->text);
    if (secret && !said_openly(parse, s))
        kept = base_secrets_add(parse->secrets, s->text, s->len) && kept;
    if (!kept)
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-R0001", &s->place, NULL, "out of memory for secrets");
    if (secret && s->len && s->raw == s->text)
        base_diag_add(parse->diags, LEAT_DIAG_WARNING, "LEAT-C0020", &s->place,
                      "Write \"${VARIABLE}\" or \"${file:/path}\" and keep the secret out of the file.",
                      "secret option \"%s\" is written in clear", s->path);
}

// --- faults that others follow from

static void note_faulty(struct plugin_parse *parse, const char *name)
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

static bool store_setting(struct plugin_parse *parse, const struct leat_option *o, struct plugin_setting *s,
                          char *config)
{
    const char *code = "LEAT-C0006", *why = option_store(parse->arena, o, s, config + o->offset, &code);
    if (why) {
        const char *hint = word_hint(parse, o, s);
        if (!hint && o->example)
            hint = base_arena_sprintf(parse->arena, "For example: %s = %s", o->name, o->example);
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, code, &s->place, hint, "option \"%s\" %s", s->path, why);
        return false;
    }
    keep_secret(parse, o, s);
    if (o->flags & LEAT_OPT_DEPRECATED) {
        const char *hint = o->successor ? base_arena_sprintf(parse->arena, "Write \"%s\".", o->successor) : NULL;
        base_diag_add(parse->diags, LEAT_DIAG_WARNING, "LEAT-C0018", &s->key_place, hint, "option \"%s\" is deprecated",
                      s->path);
    }
    return true;
}

static bool store_map(struct plugin_parse *parse, const struct leat_option *o, char *config)
{
    size_t prefix = strlen(o->name);
    struct leat_pair *pairs = base_arena_calloc(parse->arena, parse->setting_count + 1, sizeof *pairs);
    uint32_t count = 0;
    bool ok = pairs != NULL;
    for (uint32_t i = 0; pairs && i < parse->setting_count; i++) {
        struct plugin_setting *s = &parse->settings[i];
        if (!is_prefix(o->name, s->path) || !s->path[prefix])
            continue;
        s->used = true;
        ok = ok && !s->broken;
        if (s->broken) {
            note_faulty(parse, s->path);
            continue;
        }
        if (s->kind == PLUGIN_LIST || s->kind == PLUGIN_OTHER || strlen(s->text) != s->len) {
            base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0006", &s->place, NULL,
                          "option \"%s\" must be a string, not %s", s->path,
                          plugin_setting_shown(parse->arena, s, plugin_name_is_secret(s->path)));
            note_faulty(parse, s->path);
            ok = false;
            continue;
        }
        keep_secret(parse, o, s);
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

static struct plugin_setting *find_setting(const struct plugin_parse *parse, const char *path)
{
    for (uint32_t i = 0; i < parse->setting_count; i++) {
        if (strcmp(parse->settings[i].path, path) == 0)
            return &parse->settings[i];
    }
    return NULL;
}

static bool parse_option(struct plugin_parse *parse, const struct leat_option *o, char *config)
{
    if (o->flags & refused)
        return true; // seen from the settings' side
    if (o->type == LEAT_OPT_MAP)
        return store_map(parse, o, config);
    struct plugin_setting *s = find_setting(parse, o->name);
    if (s) {
        s->used = true;
        if (!s->broken && store_setting(parse, o, s, config))
            return true;
    } else if (o->flags & LEAT_OPT_REQUIRED) {
        const char *hint =
            o->example ? base_arena_sprintf(parse->arena, "For example: %s = %s", o->name, o->example) : o->doc;
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0008", &parse->place, hint, "%s needs the option \"%s\"",
                      parse->owner, o->name);
    } else {
        return true;
    }
    note_faulty(parse, o->name);
    if (o->flags & LEAT_OPT_REQUIRED)
        option_store_stand_in(parse->arena, o, config + o->offset);
    return false;
}

// Two names of one thing share their place in the struct: only one of them may be given.
static bool check_synonyms(struct plugin_parse *parse, const struct leat_option *options, uint32_t at)
{
    const struct leat_option *o = &options[at];
    const struct plugin_setting *s = o->flags & refused ? NULL : find_setting(parse, o->name), *t;
    for (uint32_t i = 0; s && i < at; i++) {
        if (options[i].offset != o->offset || options[i].flags & refused || !(t = find_setting(parse, options[i].name)))
            continue;
        const char *hint = base_arena_sprintf(parse->arena, "The other one is in line %u.", t->place.line);
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0017", &s->key_place, hint,
                      "options \"%s\" and \"%s\" mean the same: give one of them", t->path, s->path);
        note_faulty(parse, s->path);
        note_faulty(parse, t->path);
        return false;
    }
    return true;
}

// --- formats

// Rules across options; they make sense only for options that are right one by one.
static bool run_check(struct plugin_parse *parse, const struct leat_component *component, const void *config)
{
    struct plugin_check check;
    uint32_t before = parse->diags->errors;
    if (!component->check)
        return true;
    plugin_check_init(&check, parse);
    if (component->check(&check.ctx, config) == LEAT_OK)
        return true;
    if (parse->diags->errors == before && !check.held_back &&
        !plugin_speaks_of(parse->faulty, parse->faulty_count, check.error.message)) // it failed without a diagnostic
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, check.error.code, &parse->place,
                      check.error.hint[0] ? check.error.hint : NULL, "%s", check.error.message);
    return false;
}

// Settings "value.json.x" of the format "json" of "value.format", as settings "x" of their own.
static bool parse_format_options(struct plugin_parse *parse, const struct leat_option *o,
                                 const struct leat_component *component, const void **config)
{
    size_t stem = strlen(o->name) - strlen("format"); // "value." of "value.format", "" of "format"
    char *prefix = base_arena_sprintf(parse->arena, "%.*s%s.", (int)stem, o->name, component->name);
    struct plugin_setting *own = base_arena_calloc(parse->arena, parse->setting_count + 1, sizeof *own);
    struct plugin_parse sub = *parse;
    if (!prefix || !own)
        return false;
    sub.owner = base_arena_sprintf(parse->arena, "format \"%s\"", component->name);
    sub.settings = own;
    sub.setting_count = 0;
    sub.formats = NULL;
    sub.format_count = 0;
    for (uint32_t i = 0; i < parse->setting_count; i++) {
        struct plugin_setting *s = &parse->settings[i];
        if (s->used || !is_prefix(prefix, s->path))
            continue;
        s->used = true;
        own[sub.setting_count] = *s;
        own[sub.setting_count].used = false;
        own[sub.setting_count++].path = s->path + strlen(prefix);
    }
    sub.faulty = NULL;
    sub.faulty_count = 0;
    char *bytes = base_arena_calloc(parse->arena, 1, component->config_size ? component->config_size : 1);
    const struct leat_option *tables[] = {component->options, NULL};
    uint32_t counts[] = {component->option_count}, before = parse->diags->errors;
    plugin_options_correct(&sub, tables, counts, NULL, 0);
    bool ok = bytes && plugin_options_parse(&sub, component->options, component->option_count, bytes);
    if (!bytes)
        return false;
    plugin_options_unknown(&sub, tables, counts, NULL, 0, NULL);
    run_check(&sub, component, bytes);
    *config = bytes;
    return ok && parse->diags->errors == before;
}

static void add_format(struct plugin_parse *parse, const char *option, const struct leat_component *component,
                       const void *config)
{
    struct plugin_format *grown = base_arena_calloc(parse->arena, parse->format_count + 1, sizeof *grown);
    if (!grown) {
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-R0001", &parse->place, NULL, "out of memory");
        return;
    }
    if (parse->format_count)
        memcpy(grown, parse->formats, parse->format_count * sizeof *grown);
    grown[parse->format_count++] = (struct plugin_format){option, component, config};
    parse->formats = grown;
}

// "value.jsno.x" is meant for the format that "jsno" is meant for.
static void rename_prefix(struct plugin_parse *parse, const struct leat_option *o, const char *name, const char *meant)
{
    int stem = (int)(strlen(o->name) - strlen("format"));
    const char *prefix = base_arena_sprintf(parse->arena, "%.*s%s.", stem, o->name, name);
    for (uint32_t i = 0; prefix && i < parse->setting_count; i++) {
        struct plugin_setting *s = &parse->settings[i];
        const char *path =
            s->used || !is_prefix(prefix, s->path)
                ? NULL
                : base_arena_sprintf(parse->arena, "%.*s%s.%s", stem, o->name, meant, s->path + strlen(prefix));
        if (path)
            s->path = path;
    }
}

// The name of the format could not be read: what was meant for whichever format is not unknown.
static void use_all_formats(struct plugin_parse *parse, const struct leat_option *o)
{
    const char *const *names = plugin_registry_names(parse->registry, LEAT_FORMAT);
    int stem = (int)(strlen(o->name) - strlen("format"));
    for (; *names; names++) {
        const char *prefix = base_arena_sprintf(parse->arena, "%.*s%s.", stem, o->name, *names);
        for (uint32_t i = 0; prefix && i < parse->setting_count; i++)
            parse->settings[i].used |= is_prefix(prefix, parse->settings[i].path);
    }
}

// Formats of Flink that have no plugin yet are known by name.
static bool known_format(const char *name)
{
    static const char *const names[] = {
        "csv",        "avro", "avro-confluent", "debezium-json", "debezium-avro-confluent",
        "canal-json", "raw",  "maxwell-json",   "ogg-json",      "protobuf",
        "parquet",    "orc"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool parse_format(struct plugin_parse *parse, const struct leat_option *o, const char *config)
{
    const char *name;
    memcpy(&name, config + o->offset, sizeof name);
    const struct plugin_setting *s = find_setting(parse, o->name);
    if (!name && s && parse->registry)
        use_all_formats(parse, o);
    if (!name || !parse->registry)
        return true;
    const struct leat_component *component = plugin_registry_find(parse->registry, LEAT_FORMAT, name);
    if (component) {
        const void *format_config = NULL;
        bool ok = parse_format_options(parse, o, component, &format_config);
        add_format(parse, o->name, component, format_config);
        return ok;
    }
    const char *const *names = plugin_registry_names(parse->registry, LEAT_FORMAT);
    if (known_format(name))
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0015", s ? &s->place : &parse->place, NULL,
                      "format \"%s\" is known in Flink, not supported yet", name);
    else
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0014", s ? &s->place : &parse->place,
                      base_diag_nearest(parse->diags, name, names), "unknown format \"%s\"", name);
    note_faulty(parse, o->name);
    const char *near = known_format(name) ? NULL : base_nearest(name, names);
    component = near ? plugin_registry_find(parse->registry, LEAT_FORMAT, near) : NULL;
    if (component) { // reading goes on as if it had been written
        const void *format_config = NULL;
        rename_prefix(parse, o, name, near);
        parse_format_options(parse, o, component, &format_config);
        add_format(parse, o->name, component, format_config);
        return false;
    }
    // whatever was meant for it is not to be called unknown on top of that
    char *prefix =
        base_arena_sprintf(parse->arena, "%.*s%s.", (int)(strlen(o->name) - strlen("format")), o->name, name);
    for (uint32_t i = 0; prefix && i < parse->setting_count; i++)
        parse->settings[i].used |= is_prefix(prefix, parse->settings[i].path);
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
        ok = parse_option(parse, &options[i], config) && check_synonyms(parse, options, i) && ok;
    for (uint32_t i = 0; i < count; i++) {
        if (options[i].type == LEAT_OPT_FORMAT && !(options[i].flags & refused))
            ok = parse_format(parse, &options[i], config) && ok;
    }
    return ok;
}

void *plugin_component_parse(struct plugin_parse *parse, const struct leat_component *component, bool *ok)
{
    char *config = base_arena_calloc(parse->arena, 1, component->config_size ? component->config_size : 1);
    if (!config) {
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-R0001", &parse->place, NULL, "out of memory");
        return NULL;
    }
    *ok = plugin_options_parse(parse, component->options, component->option_count, config);
    if (run_check(parse, component, config))
        return config;
    *ok = false;
    return NULL;
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

void plugin_options_unknown(struct plugin_parse *parse, const struct leat_option *const *tables, const uint32_t *counts,
                            const struct leat_option *other, uint32_t other_count, const char *where)
{
    const char **names = known_names(parse, tables, counts);
    for (uint32_t i = 0; i < parse->setting_count; i++) {
        struct plugin_setting *s = &parse->settings[i];
        if (s->used)
            continue;
        s->used = true;
        const struct leat_option *o = other ? option_find(other, other_count, s->path) : NULL;
        if (o && !(o->flags & refused))
            base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0019", &s->key_place, "Remove it here.",
                          "option \"%s\" of %s is for %s and does nothing here", s->path, parse->owner, where);
        else
            base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-C0005", &s->key_place,
                          names ? base_diag_nearest(parse->diags, s->path, names) : NULL, "unknown option \"%s\" of %s",
                          s->path, parse->owner);
    }
}

// --- the table itself

static bool name_is_right(const char *name)
{
    size_t n = name ? strlen(name) : 0;
    if (!n || n > 128)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'))
            return false;
    }
    return name[0] != '.';
}

static const char *table_fault(struct base_arena *arena, const struct leat_option *o, uint32_t config_size)
{
    size_t size = option_value_size(o->type);
    if (o->flags & refused)
        return NULL;
    if (!size)
        return "has an unknown type";
    if (o->type == LEAT_OPT_MAP && !option_is_prefix(o))
        return "is a map, so its name must end in '.'";
    if (o->type != LEAT_OPT_MAP && option_is_prefix(o))
        return "ends in '.', but is no map";
    if (o->offset > config_size || size > config_size - o->offset)
        return "lies outside of the configuration struct";
    if (o->offset % (size < 8 ? size : 8))
        return "is not aligned in the configuration struct";
    if (o->type == LEAT_OPT_ENUM && (!o->words || !*o->words))
        return "has no words";
    if (o->type == LEAT_OPT_FORMAT && (strlen(o->name) < 6 || strcmp(o->name + strlen(o->name) - 6, "format") != 0))
        return "is a format, so its name must end in \"format\"";
    if (o->flags & LEAT_OPT_REQUIRED && o->def)
        return "is required and has a default";
    if (!o->doc || !*o->doc)
        return "has no documentation";
    const char *code;
    const char *const texts[] = {o->min, o->max, o->def};
    for (size_t i = 0; i < 3 && o->type != LEAT_OPT_MAP; i++) {
        struct plugin_setting s = option_setting(o, texts[i] ? texts[i] : "");
        if (texts[i] && option_store(arena, o, &s, NULL, &code))
            return i == 2 ? "has a default that is not a value of its type"
                          : "has a bound that is not a value of its type";
    }
    return NULL;
}

leat_status plugin_options_check_table(const struct leat_option *options, uint32_t count, uint32_t config_size,
                                       const char *who, struct base_error *err)
{
    struct base_arena *arena = base_arena_create(0, 0);
    leat_status st = arena ? LEAT_OK : base_no_memory(err);
    for (uint32_t i = 0; i < count && st == LEAT_OK; i++) {
        const char *fault = name_is_right(options[i].name) ? table_fault(arena, &options[i], config_size)
                                                           : "has no name of the form [a-z0-9._-]";
        for (uint32_t j = 0; j < i && !fault; j++) {
            if (strcmp(options[j].name, options[i].name) == 0)
                fault = "stands in the table twice";
        }
        if (fault)
            st = base_fail(err, LEAT_CONFIG, "LEAT-P0010", "option %u \"%.64s\" of %s %s", i,
                           options[i].name ? options[i].name : "", who, fault);
    }
    base_arena_destroy(arena);
    return st;
}
