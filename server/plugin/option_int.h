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

bool option_begins(const char *prefix, const char *path);
// Does the name end in a dot?
bool option_is_prefix(const struct leat_option *option);
// The option of a path: the very name, else the longest prefix; NULL = none.
const struct leat_option *option_find(const struct leat_option *options, uint32_t count, const char *path);

// The setting of an option; NULL = not given.
struct plugin_setting *option_given(const struct plugin_parse *parse, const char *path);
// The option's value is not what the user meant: what others say of it is no news.
void option_note_faulty(struct plugin_parse *parse, const char *name);
// Rules across options; they make sense only for options that are right one by one.
bool option_check(struct plugin_parse *parse, const struct leat_component *component, const void *config);
// Finds the format that a FORMAT option names and parses its options.
bool option_parse_format(struct plugin_parse *parse, const struct leat_option *option, const char *config);
// Options that do nothing where they stand (warnings), and those that are needed only under a condition and missing: false.
bool option_check_only(struct plugin_parse *parse, const struct leat_option *options, uint32_t count, char *config);
// What is wrong with the option's condition; NULL = nothing.
const char *option_only_fault(const struct leat_option *options, uint32_t count, const struct leat_option *option);
// A value that is secret, or has a secret in it, is masked from here on.
void option_keep_secret(struct plugin_parse *parse, const struct leat_option *option,
                        const struct plugin_setting *setting);

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
