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

// The value that means "unset".
void option_store_unset(const struct leat_option *option, void *to);

// Bytes that a value of this type takes in the configuration struct, 0 for an unknown type.
size_t option_value_size(uint8_t type);

// A default or bound as a setting.
struct plugin_setting option_setting(const struct leat_option *option, const char *text);

// "true or false", "a whole number", … ; for ENUM the words.
const char *option_type_words(struct base_arena *arena, const struct leat_option *option);

#endif
