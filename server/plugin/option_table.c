// SPDX-License-Identifier: Apache-2.0
// Is an option table itself right? Asked when a plugin is loaded, so that the parser may rely on it.
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "plugin/option_int.h"

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
    if (o->flags & OPTION_REFUSED)
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
        if (!fault)
            fault = option_only_fault(options, count, &options[i]);
        if (fault)
            st = base_fail(err, LEAT_CONFIG, "LEAT-P0010", "option %u \"%.64s\" of %s %s", i,
                           options[i].name ? options[i].name : "", who, fault);
    }
    base_arena_destroy(arena);
    return st;
}
