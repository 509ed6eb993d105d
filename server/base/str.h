// SPDX-License-Identifier: Apache-2.0
// Text being built, and small questions about text.
//
// A `struct base_str` grows as it is written to and remembers the first failure (out of memory, or longer than its
// bound), so that a writer checks once at the end with base_str_ok. The text is always terminated; ptr is never NULL.
// Thread: the owner.
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

// Longest text when the owner names no bound.
#define BASE_STR_MAX ((size_t)64 << 20)

struct base_str {
    char *ptr;   // terminated text; owned unless it is the shared empty text
    size_t len;  // bytes without the terminator
    size_t cap;  // bytes allocated, 0 = nothing yet
    size_t max;  // longest text allowed
    bool failed; // sticky: something did not fit; the text is what came before
};

void base_str_init(struct base_str *s);
void base_str_fini(struct base_str *s);

// Empties the text and clears the failure; keeps the memory.
void base_str_clear(struct base_str *s);

static inline bool base_str_ok(const struct base_str *s)
{
    return !s->failed;
}

void base_str_add(struct base_str *s, const char *text, size_t len);
void base_str_addz(struct base_str *s, const char *text);
void base_str_addc(struct base_str *s, char c);
void base_str_fill(struct base_str *s, char c, size_t count);
void base_str_addf(struct base_str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void base_str_addv(struct base_str *s, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

// Adds the text as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void base_str_add_json(struct base_str *s, const char *text, size_t len);

// Adds the text with U+FFFD for every byte that is not UTF-8: words of another system, which go into JSON.
void base_str_add_utf8(struct base_str *s, const char *text, size_t len);

// Formatted text that is made to fit. Where `size` bytes are too few it is cut at the beginning of a UTF-8 letter, never
// inside one; in room for a sentence (more than 128 bytes) at the end of a word, with an ellipsis behind it.
void base_text_fit(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
void base_text_fitv(char *out, size_t size, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

// The owned text; the caller frees it. NULL after a failure (and the memory is given back). `s` is empty afterwards.
char *base_str_take(struct base_str *s);

// A terminated copy, NULL when memory is short. The caller frees it.
char *base_strndup(const char *text, size_t len);

// Of `words` (a NULL-terminated array) the one a person most likely meant by `word`, or NULL if none is near.
// One slip in three letters is near; case and the choice of '-', '_' and '.' weigh less than a wrong letter.
const char *base_nearest(const char *word, const char *const *words);

// How far apart two words are, as base_nearest counts (2 per wrong, missing, extra or swapped letter; 1 per change of
// case or separator). At most `limit` + 1 is returned.
unsigned base_distance(const char *a, const char *b, unsigned limit);

#endif
