// SPDX-License-Identifier: Apache-2.0
// Option tables at work: settings in, a filled configuration struct out, every fault in one pass.
//
// The same parser serves plugins, [server], [pipeline] and the core's own options of a node. A default goes through it
// as if the user had written it. Names that are not in the table stay unused: plugin_options_unknown reports what
// nobody wanted, once all tables have had their turn. Thread: the one that reads files.
#ifndef PLUGIN_OPTION_H
#define PLUGIN_OPTION_H

#include "base/diag.h"
#include "leat/plugin.h"
#include "plugin/setting.h"

struct base_arena;
struct base_error;
struct base_secrets;
struct base_str;
struct plugin_registry;

// A format that a FORMAT option named, with its own options parsed.
struct plugin_format {
    const char *option; // "value.format"
    const struct leat_component *component;
    const void *config;
};

struct plugin_parse {
    struct base_arena *arena; // configuration structs and their memory
    struct base_diags *diags;
    struct base_secrets *secrets;           // values of secret options are put here; NULL = none kept
    const struct plugin_registry *registry; // of formats; NULL = a FORMAT option keeps its name only
    uint8_t kind;                           // LEAT_SOURCE …: of the node; set by plugin_component_parse
    const char *prefix;                     // of its options in the file: "value.json."; NULL = none
    const char *owner;                      // "connector \"kafka\"", for messages
    struct base_place place;                // where something missing is missing
    struct plugin_setting *settings;        // of the section
    uint32_t setting_count;
    // out
    struct plugin_format *formats;
    uint32_t format_count;
    const char **faulty; // names of options whose value is not what the user meant: what mentions them is no news
    uint32_t faulty_count;
    bool refused; // the component's check failed: what fails later without a diagnostic only follows from that
};

// Names that nobody knows and that are near to an option of the tables (NULL-terminated, with `counts`) which is not
// given are reported and taken for it from here on, so that one slip has one fault and hides none. `other` (NULL =
// none) holds names that are right elsewhere.
void plugin_options_correct(struct plugin_parse *parse, const struct leat_option *const *tables, const uint32_t *counts,
                            const struct leat_option *other, uint32_t other_count);

// Fills `config` (zeroed, as large as the table's offsets reach). False if there was an error; the rest is filled all
// the same, with a stand-in of the right type for a required option without a value of its own. Every setting that the
// table knows is marked used.
bool plugin_options_parse(struct plugin_parse *parse, const struct leat_option *options, uint32_t count, void *config);

// Allocates the configuration struct of a component, parses into it, and calls the component's check (check.h), as it
// does for its formats. *ok = there was no error. What the component says of columns is asked for all the same, see
// `refused`. NULL when memory is short.
void *plugin_component_parse(struct plugin_parse *parse, const struct leat_component *component, bool *ok);

// Does a text speak of one of the options that have a fault of their own?
bool plugin_speaks_of(const char *const *faulty, uint32_t count, const char *text);

// Reports the settings that the tables do not know and `other`, the table of the section `where` ("[pipeline]"), does.
// Before plugin_options_correct, which would take them for something near.
void plugin_options_elsewhere(struct plugin_parse *parse, const struct leat_option *const *tables,
                              const uint32_t *counts, const struct leat_option *other, uint32_t other_count,
                              const char *where);

// Reports every setting that is still unused. `tables` (NULL-terminated, with `counts`) supply near names; `other`
// is a table whose names are right for another kind of node, `where` ("sinks"), with `other_count`; NULL = none.
void plugin_options_unknown(struct plugin_parse *parse, const struct leat_option *const *tables, const uint32_t *counts,
                            const struct leat_option *other, uint32_t other_count, const char *where);

// Is the table itself right (names, offsets, defaults, bounds)? For the loader. `who` names the component.
leat_status plugin_options_check_table(const struct leat_option *options, uint32_t count, uint32_t config_size,
                                       const char *who, struct base_error *err) LEAT_MUST_CHECK;

// "only with lookup.cache = "PARTIAL"": the condition under which the option does something; nothing when always.
void option_only_shown(const struct leat_option *options, uint32_t count, const struct leat_option *option,
                       struct base_str *out);

// Does a key like "sasl.jaas.config" or "ssl.key.password" name a secret?
bool plugin_name_is_secret(const char *name);

#endif
