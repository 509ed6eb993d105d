// SPDX-License-Identifier: Apache-2.0
// What the files of the option parser share.
#ifndef PLUGIN_OPTION_INT_H
#define PLUGIN_OPTION_INT_H

#include "plugin/option.h"

// Reads one setting as the option's type and stores it at `to` (aligned for the type; NULL = only check). NULL when all
// is well, else what is wrong, as the rest of a sentence that begins with "option \"x\" ": "must be a whole number".
// *code tells the kind of fault.
const char *option_store(struct base_arena *arena, const struct leat_option *option,
                         const struct plugin_setting *setting, void *to, const char **code);

#define OPTION_REFUSED (LEAT_OPT_UNSUPPORTED | LEAT_OPT_SENSELESS)

// Does the name end in a dot?
bool option_is_prefix(const struct leat_option *option);
// The option of a path: the very name, else the longest prefix; NULL = none.
const struct leat_option *option_find(const struct leat_option *options, uint32_t count, const char *path);

// A value of the right type for a required option that has none, so that others can be looked at.
void option_store_stand_in(struct base_arena *arena, const struct leat_option *option, void *to);

// The value that means "unset".
void option_store_unset(const struct leat_option *option, void *to);

// Bytes that a value of this type takes in the configuration struct, 0 for an unknown type.
size_t option_value_size(uint8_t type);

// A default or bound as a setting.
struct plugin_setting option_setting(const struct leat_option *option, const char *text);

// "true or false", "a whole number", … ; for ENUM the words.
const char *option_type_words(struct base_arena *arena, const struct leat_option *option);

#endif
