// SPDX-License-Identifier: Apache-2.0
// A setting: one option as the user wrote it, before anybody knows what it means.
//
// The configuration flattens a section into settings with dotted paths; the option parser (option.h) matches them with
// a table. Everything lives in the configuration's arena; only `used` changes. Thread: the one that reads files.
#ifndef PLUGIN_SETTING_H
#define PLUGIN_SETTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"

enum plugin_setting_kind {
    PLUGIN_TEXT,
    PLUGIN_INT,
    PLUGIN_FLOAT,
    PLUGIN_BOOL,
    PLUGIN_LIST,
    PLUGIN_OTHER, // dates and times, which no option takes
};

struct plugin_item {
    enum plugin_setting_kind kind; // of a list's item; never PLUGIN_LIST
    const char *text;              // terminated; TEXT after ${…} replacement, others as written
    uint32_t len;
    struct base_place place;
};

struct plugin_setting {
    const char *path; // "properties.bootstrap.servers"
    enum plugin_setting_kind kind;
    const char *text; // terminated; TEXT after ${…} replacement, others as written; "" for a list
    uint32_t len;
    const char *raw; // TEXT before ${…} replacement; the same pointer as text if there was none
    uint32_t raw_len;
    const struct plugin_item *items; // of a list
    uint32_t item_count;
    bool secret; // part of it came out of a ${file:…}
    bool used;   // somebody knows this option
    bool broken; // its value could not be read, which has been reported: given, but not to be looked at
    struct base_place key_place, place;
};

// The place of byte `offset` of a string setting's value in the file: counts through quotes, escapes and line
// continuations. The value's own place where that has no meaning.
struct base_place plugin_setting_place(const struct plugin_setting *setting, uint32_t offset);

// The place of a fault: the whole value for offset 0, unless it is a text of many words (a query).
struct base_place plugin_setting_fault(const struct plugin_setting *setting, uint32_t offset);

// "the string \"x\"", "the number 7" … for messages; the value is left out when it is secret. Memory of the arena.
const char *plugin_setting_shown(struct base_arena *arena, const struct plugin_setting *setting, bool secret);

#endif
