// SPDX-License-Identifier: Apache-2.0
// Diagnostics: faults in what a user wrote, each at its place, all of them in one list.
//
// Everything that reads a pipeline file adds to one list and goes on, so that a check finds all faults in one pass.
// Printed as
//
//     etc/orders.toml:12:3: error: unknown option "slot.nmae" of connector "postgres-cdc" [LEAT-C0005]
//        12 |   slot.nmae = "leat_orders"
//           |   ^~~~~~~~~
//           = Did you mean "slot.name"?
//
// Columns count bytes from 1, as compilers do. In the quoted line, values of keys that look secret are masked, and so
// is every registered secret. Thread: the owner.
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leat/error.h"

struct base_arena;
struct base_error;
struct base_secrets;
struct base_str;

// A text with a name: a file, or what was given on a command line. Immutable; lives in an arena.
struct base_source {
    const char *name;
    const char *text; // terminated
    size_t len;
    const uint32_t *lines; // offset of each line's beginning
    uint32_t line_count;
};

// A place in a source. source NULL = nowhere in particular; line 0 = the source as a whole.
struct base_place {
    const struct base_source *source;
    uint32_t line, column; // from 1; column in bytes
    uint32_t len;          // bytes to underline, at least 1 is
};

#define BASE_SOURCE_MAX ((size_t)1 << 20) // longest text

// A copy of `text` in the arena, without the byte order mark that it may begin with. NULL when memory is short or it is longer than BASE_SOURCE_MAX.
const struct base_source *base_source_make(struct base_arena *arena, const char *name, const char *text, size_t len);
// Reads a file. Fails as LEAT_CONFIG with the reason.
leat_status base_source_read(struct base_arena *arena, const char *path, const struct base_source **out,
                             struct base_error *err) LEAT_MUST_CHECK;
// The bytes of line `line` (from 1) without its end.
const char *base_source_line(const struct base_source *source, uint32_t line, size_t *len);
// The place of a byte offset (clamped to the text).
struct base_place base_place_at(const struct base_source *source, size_t offset, size_t len);
// The same, of the whole word that begins there.
struct base_place base_place_of_word(const struct base_source *source, size_t offset);
// And back.
size_t base_place_offset(const struct base_place *place);

struct base_diag {
    uint8_t severity; // LEAT_DIAG_*
    uint32_t number;  // order of adding
    char code[16];
    struct base_place place;
    const char *message;
    const char *hint; // sentence; NULL = none
    bool lost;        // base_diag_lost
};

struct base_diags {
    struct base_arena *arena; // of messages and items
    struct base_diag *items;
    uint32_t count, cap;
    uint32_t errors, warnings;
    bool overflow; // more than BASE_DIAGS_MAX, or memory ran out: something is missing
};

#define BASE_DIAGS_MAX 1000

bool base_diags_init(struct base_diags *diags);
void base_diags_fini(struct base_diags *diags);

// Adds one; place NULL = nowhere. The same message at the same place is kept once. `hint` is copied, NULL = none.
void base_diag_add(struct base_diags *diags, uint8_t severity, const char *code, const struct base_place *place,
                   const char *hint, const char *format, ...) __attribute__((format(printf, 6, 7)));
void base_diag_addv(struct base_diags *diags, uint8_t severity, const char *code, const struct base_place *place,
                    const char *hint, const char *format, va_list args) __attribute__((format(printf, 6, 0)));

// The line of the newest one could not be read: whatever else is said of it follows from that.
void base_diag_lost(struct base_diags *diags);

// By file, line and column; what has no place first; equal places in the order of adding. Of a
// lost line only that diagnostic is kept.
void base_diags_sort(struct base_diags *diags);

// All of them for people, and the count. `colour` adds terminal colours.
void base_diags_print(const struct base_diags *diags, struct base_secrets *secrets, bool colour, struct base_str *out);
// {"errors":1,"warnings":0,"diagnostics":[{"severity":…,"code":…,"file":…,"line":…,"column":…,"end_column":…,
// "length":…,"message":…,"hint":…,"page":…}]}; columns count bytes from 1, end_column is the first behind the place.
void base_diags_json(const struct base_diags *diags, struct base_secrets *secrets, struct base_str *out);

// "Did you mean \"x\"?" in the arena of the list, NULL when no word is near. `words` as for base_nearest.
const char *base_diag_nearest(struct base_diags *diags, const char *word, const char *const *words);

#endif
