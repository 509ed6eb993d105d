// SPDX-License-Identifier: Apache-2.0
// A plugin: one .so with one exported function and one ELF note. Include this header; it brings all others.
//
// The headers in reading order. 1 to 5 are needed for any plugin, then comes the kind that you write:
//
//     1 plugin.h    what a library offers: components, options, error codes
//     2 types.h     the data model: types, values, NULL and its kin, row kinds, changelog modes
//     3 schema.h    columns and ports          batch.h   rows: built once, then read in place
//     4 error.h     results and failures       host.h    all that the core does for a plugin
//     5 option.h    the table from which a configuration struct is filled
//     6 source.h    where rows come from (the life of an instance is told here)     state.h   what survives a restart
//       sink.h      where they go              operator.h   what turns them
//       lookup.h    tables asked by key        format.h     bytes of records to rows and back
//
// docs/guide/write-a-plugin.md builds a source, a sink and an operator with them.
//
//     static const struct leat_component components[] = {{
//         LEAT_COMPONENT(options, struct config),
//         .kind = LEAT_SINK, .name = "blackhole", .summary = "swallows every row", .sink = &ops,
//     }};
//     LEAT_PLUGIN("blackhole", "0.1.0", "sink:blackhole", components, NULL, 0)
//
// The note is read before the library is loaded; the entry function is called once, on the main thread, before any
// pipeline starts. It must not start threads or do I/O. Libraries are never unloaded.
//
// What crosses the border: integers of fixed width, size_t, pointers, (ptr, len) and NUL-terminated strings, function
// pointers, and a va_list where a message is formatted. No enum, bool, bit-field, time_t, FILE, longjmp or exception. Who
// allocates frees. Compilers: gcc and clang, C11 or later.
//
// Versions. LEAT_ABI_MAJOR changes when something existing changes its meaning; LEAT_ABI_MINOR when something is added
// at the end of a struct. A plugin of another major, or of a higher minor than the host's, is refused; an older minor
// runs. How structs grow, so that it can:
//   - what a plugin hands over says its size (`struct_size`, or the stride of an array): the core copies the smaller of
//     the two sizes into a zeroed struct of its own, and an absent tail means "not offered";
//   - what the core hands over may be longer than the plugin knows; its arrays are stepped with their stride;
//   - structs with neither (leat_bytes, leat_cell, leat_datum, leat_type, leat_field, leat_column, leat_metric,
//     leat_buffer, leat_strings, leat_pair) never change within a major version.
//
//   1.0  first version
//   1.1  host: error_place
#ifndef LEAT_PLUGIN_H
#define LEAT_PLUGIN_H

#include <leat/batch.h>
#include <leat/error.h>
#include <leat/format.h>
#include <leat/host.h>
#include <leat/lookup.h>
#include <leat/operator.h>
#include <leat/option.h>
#include <leat/schema.h>
#include <leat/sink.h>
#include <leat/source.h>
#include <leat/state.h>
#include <leat/types.h>

#define LEAT_ABI_MAJOR 1
#define LEAT_ABI_MINOR 1
#define LEAT_MAGIC     0x5441454cu // "LEAT"

// Kinds of components. Stored as uint8_t.
#define LEAT_SOURCE   1
#define LEAT_SINK     2
#define LEAT_OPERATOR 3
#define LEAT_FORMAT   4
#define LEAT_LOOKUP   5

// One thing that a plugin offers. Constant; lives as long as the library.
struct leat_component {
    uint32_t struct_size;
    uint8_t kind;        // LEAT_SOURCE …
    const char *name;    // "postgres-cdc"; [a-z][a-z0-9-]*, at most 64 characters
    const char *summary; // one line
    const char *doc;     // paragraphs for the manual, Markdown; NULL = none
    const struct leat_option *options;
    uint32_t option_count;
    uint32_t option_stride; // sizeof(struct leat_option) as the plugin was compiled
    uint32_t config_size;   // of the configuration struct
    // Rules across options, gives diagnostics. An error refuses the node, with LEAT_OK too; LEAT_CONFIG says besides that
    // describe, inputs and bind may fail for that reason alone. They are asked all the same, so that no fault of columns
    // is hidden: they must stand whatever the table of options lets through, and what they fail with is told if it is a
    // diagnostic. No I/O, may be NULL.
    leat_status (*check)(struct leat_ctx *ctx, const void *config);
    const struct leat_source_ops *source; // the one of `kind` is set
    const struct leat_sink_ops *sink;
    const struct leat_operator_ops *op;
    const struct leat_format_ops *format;
    const struct leat_lookup_ops *lookup;
};

// The members of a component that follow from its table of options (an array) and the struct that it fills.
#define LEAT_COMPONENT(options_, config_)                                                                              \
    .struct_size = sizeof(struct leat_component), .options = (options_),                                               \
    .option_count = sizeof(options_) / sizeof((options_)[0]), .option_stride = sizeof((options_)[0]),                  \
    .config_size = sizeof(config_)

// What an error code means, for the page of codes.
struct leat_code {
    const char *code;  // "LEAT-J0101"
    const char *cause; // a sentence
    const char *cure;  // a sentence
};

// What the entry function returns. Constant; lives as long as the library.
struct leat_plugin {
    uint32_t magic; // LEAT_MAGIC
    uint16_t abi_major, abi_minor;
    uint32_t struct_size;
    // frozen for ever up to here: what any host reads before it believes the rest
    const char *name;
    const char *version;
    const char *vcs_id; // "" if unknown
    const struct leat_component *components;
    uint32_t component_count;
    uint32_t component_stride;
    const struct leat_code *codes;
    uint32_t code_count;
    uint32_t code_stride;
};

// leat_plugin_entry, as LEAT_PLUGIN defines it. NULL = the plugin cannot work here; then its file is refused.
typedef const struct leat_plugin *(*leat_plugin_entry_fn)(const struct leat_host *host);

#define LEAT_NOTE_OWNER "leat"
#define LEAT_NOTE_TYPE  1
#define LEAT_NOTE_TEXT  256

// The ELF note: owner "leat", type 1, this as descriptor. `components` is "source:kafka,sink:kafka", padded with zeros.
struct leat_note {
    uint32_t magic;
    uint16_t abi_major, abi_minor;
    uint32_t pointer_size;
    uint32_t reserved;
    char components[LEAT_NOTE_TEXT];
};

// The note as it lies in the file.
struct leat_note_section {
    uint32_t name_size, desc_size, type;
    char owner[8];
    struct leat_note note;
};

// -DLEAT_VCS_ID="\"$(git describe)\"" shows it in `leat plugins`.
#ifndef LEAT_VCS_ID
#define LEAT_VCS_ID ""
#endif

// Writes the note and the entry function; once in a library. `note_components` is "kind:name,kind:name" of all
// components: clashes are found by it before any code runs.
#define LEAT_PLUGIN(name_, version_, note_components, components_, codes_, code_count_)                                \
    __attribute__((section(".note.leat"), used, aligned(4))) static const struct leat_note_section leat_note_ = {      \
        5,                                                                                                             \
        sizeof(struct leat_note),                                                                                      \
        LEAT_NOTE_TYPE,                                                                                                \
        LEAT_NOTE_OWNER,                                                                                               \
        {LEAT_MAGIC, LEAT_ABI_MAJOR, LEAT_ABI_MINOR, sizeof(void *), 0, note_components}};                             \
    __attribute__((visibility("default"))) const struct leat_plugin *leat_plugin_entry(const struct leat_host *host);  \
    const struct leat_plugin *leat_plugin_entry(const struct leat_host *host)                                          \
    {                                                                                                                  \
        static const struct leat_plugin plugin = {                                                                     \
            .magic = LEAT_MAGIC,                                                                                       \
            .abi_major = LEAT_ABI_MAJOR,                                                                               \
            .abi_minor = LEAT_ABI_MINOR,                                                                               \
            .struct_size = sizeof plugin,                                                                              \
            .name = (name_),                                                                                           \
            .version = (version_),                                                                                     \
            .vcs_id = LEAT_VCS_ID,                                                                                     \
            .components = (components_),                                                                               \
            .component_count = sizeof(components_) / sizeof((components_)[0]),                                         \
            .component_stride = sizeof((components_)[0]),                                                              \
            .codes = (codes_),                                                                                         \
            .code_count = (code_count_),                                                                               \
            .code_stride = sizeof(struct leat_code),                                                                   \
        };                                                                                                             \
        (void)host;                                                                                                    \
        return &plugin;                                                                                                \
    }

#endif
