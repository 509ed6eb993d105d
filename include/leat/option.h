// SPDX-License-Identifier: Apache-2.0
// Options: one table is parser, check and manual.
//
// A component lists its options as an array of struct leat_option. The core parses the pipeline file into the
// component's zeroed configuration struct by `offset`, checks type and range, applies defaults (written as a user would
// write them and parsed by the same code), reports unknown names with the nearest known one, and prints the table as
// documentation. Names are Flink's own wherever Flink has one.
//
// What each type stores at `offset`:
//
//     BOOL      uint8_t               0 or 1; 0 when unset
//     INT       int64_t               LEAT_UNSET when neither given nor defaulted
//     FLOAT     double                NaN when unset
//     STRING    const char *          NUL-terminated UTF-8 without NUL bytes; NULL when unset
//     DURATION  int64_t               microseconds; LEAT_UNSET when unset
//     BYTES     int64_t               bytes; LEAT_UNSET when unset
//     ENUM      int32_t               index of the word in `words`; -1 when unset
//     LIST      struct leat_strings   a TOML array of strings, or one string cut at ';'; count 0 when unset
//     MAP       struct leat_pairs     every option whose name begins with `name` (which ends in '.'), without that prefix
//     FORMAT    const char *          name of a format; its own options are checked and kept by the core (format.h)
//
// Memory belongs to the core and lives as long as the node. Thread: the struct is read-only once filled; any may read.
//
//     struct config {
//         int64_t interval;
//     };
//     static const struct leat_option options[] = {
//         LEAT_OPTION(struct config, interval, DURATION, .name = "interval", .def = "1s", .doc = "Time between rows."),
//     };
#ifndef LEAT_OPTION_H
#define LEAT_OPTION_H

#include <stddef.h>

#include <leat/types.h>

// A row of the table: where its value goes, its type as listed above, and the other members by their names.
#define LEAT_OPTION(config_, member_, type_, ...)                                                                      \
    {                                                                                                                  \
        .type = LEAT_OPT_##type_, .offset = offsetof(config_, member_), __VA_ARGS__                                    \
    }

// Types. Stored as uint8_t.
#define LEAT_OPT_BOOL     1
#define LEAT_OPT_INT      2
#define LEAT_OPT_FLOAT    3
#define LEAT_OPT_STRING   4
#define LEAT_OPT_DURATION 5
#define LEAT_OPT_BYTES    6
#define LEAT_OPT_ENUM     7
#define LEAT_OPT_LIST     8
#define LEAT_OPT_MAP      9
#define LEAT_OPT_FORMAT   10

// No number was given.
#define LEAT_UNSET INT64_MIN

// Flags.
#define LEAT_OPT_REQUIRED    1u   // must be given
#define LEAT_OPT_SECRET      2u   // never printed anywhere; for a MAP, the pairs whose names look secret are
#define LEAT_OPT_DEPRECATED  4u   // works, with a warning; `successor` names what to write
#define LEAT_OPT_EXPERT      8u   // listed last, for those who know
#define LEAT_OPT_UNSUPPORTED 16u  // known in Flink, not supported yet: refused with its place
#define LEAT_OPT_SENSELESS   32u  // known in Flink, makes no sense here: refused; `doc` says what to write instead
#define LEAT_OPT_VERBATIM    64u  // no ${…} replacement (queries)
#define LEAT_OPT_READING     128u // of a format: does something in sources and lookups only
#define LEAT_OPT_WRITING     256u // of a format: does something in sinks only

// A row of the table. Every text is a constant of the plugin.
struct leat_option {
    const char *name;      // "slot.name"; a MAP's ends in '.': "properties."
    uint8_t type;          // LEAT_OPT_*
    uint32_t flags;        // LEAT_OPT_REQUIRED …
    const char *def;       // default as a user writes it; NULL = none
    const char *min, *max; // bounds as a user writes them, inclusive; NULL = none
    const char *words;     // ENUM: "earliest-offset|latest-offset"; the first is number 0
    uint32_t offset;       // in the configuration struct; ignored for UNSUPPORTED and SENSELESS
    const char *doc;       // one or more sentences
    const char *example;   // as written in the file, without the name; NULL = none
    const char *group;     // heading in the manual; NULL = "General"
    const char *since;     // version; NULL = 0.1
    const char *successor; // DEPRECATED
    const char *only;      // does something only then; NULL = always
};

// `only` is a condition on another option of the table: "lookup.cache = PARTIAL", "scan.startup.mode = a|b" (one of the
// words), "sslmode != disable", or "key.format" (that it has a value). Given while the condition does not hold, the option
// gets a warning; with REQUIRED it must be given while it holds.

// The value of a LIST.
struct leat_strings {
    uint32_t count;
    const char *const *items;
};

// The value of a MAP: names without the prefix, in the order of the file.
struct leat_pair {
    const char *key;
    const char *value;
};

struct leat_pairs {
    uint32_t count;
    const struct leat_pair *items;
};

#endif
