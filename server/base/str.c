// SPDX-License-Identifier: Apache-2.0
// Growing text, JSON quoting and the nearest known word. See str.h.
#include "base/str.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 64 // longer words are compared by their beginning: nobody means a neighbour of a novel

static char empty[1];

void base_str_init(struct base_str *s)
{
    *s = (struct base_str){.ptr = empty, .max = BASE_STR_MAX};
}

void base_str_fini(struct base_str *s)
{
    if (s->cap)
        free(s->ptr);
    base_str_init(s);
}

void base_str_clear(struct base_str *s)
{
    s->len = 0;
    s->failed = false;
    if (s->cap)
        s->ptr[0] = 0;
}

// Room for `more` bytes and the terminator. False, and failed for good, if there is none.
static bool reserve(struct base_str *s, size_t more)
{
    if (s->failed || more > s->max || s->len > s->max - more) {
        s->failed = true;
        return false;
    }
    size_t need = s->len + more + 1;
    if (need <= s->cap)
        return true;
    size_t cap = s->cap ? s->cap : 64;
    while (cap < need)
        cap *= 2;
    char *ptr = realloc(s->cap ? s->ptr : NULL, cap);
    if (!ptr) {
        s->failed = true;
        return false;
    }
    s->ptr = ptr;
    s->cap = cap;
    return true;
}

void base_str_add(struct base_str *s, const char *text, size_t len)
{
    if (!len || !reserve(s, len))
        return;
    memcpy(s->ptr + s->len, text, len);
    s->len += len;
    s->ptr[s->len] = 0;
}

void base_str_addz(struct base_str *s, const char *text)
{
    base_str_add(s, text, strlen(text));
}

void base_str_addc(struct base_str *s, char c)
{
    base_str_add(s, &c, 1);
}

void base_str_fill(struct base_str *s, char c, size_t count)
{
    if (!count || !reserve(s, count))
        return;
    memset(s->ptr + s->len, c, count);
    s->len += count;
    s->ptr[s->len] = 0;
}

void base_str_addv(struct base_str *s, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len < 0)
        s->failed = true;
    else if (reserve(s, (size_t)len)) {
        vsnprintf(s->ptr + s->len, (size_t)len + 1, format, again);
        s->len += (size_t)len;
    }
    va_end(again);
}

void base_str_addf(struct base_str *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    base_str_addv(s, format, args);
    va_end(args);
}

// Length of the well-formed UTF-8 sequence at `p` (1 to 4), 0 if there is none.
static size_t utf8_length(const unsigned char *p, size_t len)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n > len)
        return 0;
    uint32_t code = p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3fu);
    }
    return code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : n;
}

void base_str_add_json(struct base_str *s, const char *text, size_t len)
{
    base_str_addc(s, '"');
    for (size_t i = 0; i < len;) {
        const unsigned char *p = (const unsigned char *)text + i;
        size_t n = utf8_length(p, len - i);
        if (n == 0)
            base_str_addz(s, "\xef\xbf\xbd");
        else if (*p == '"' || *p == '\\')
            base_str_addf(s, "\\%c", *p);
        else if (*p == '\n')
            base_str_addz(s, "\\n");
        else if (*p == '\t')
            base_str_addz(s, "\\t");
        else if (*p < 0x20 || *p == 0x7f)
            base_str_addf(s, "\\u%04x", *p);
        else
            base_str_add(s, text + i, n);
        i += n ? n : 1;
    }
    base_str_addc(s, '"');
}

void base_str_add_utf8(struct base_str *s, const char *text, size_t len)
{
    size_t from = 0; // of what is well-formed and not yet added
    for (size_t i = 0; i < len;) {
        size_t n = utf8_length((const unsigned char *)text + i, len - i);
        if (n == 0) {
            base_str_add(s, text + from, i - from);
            base_str_addz(s, "\xef\xbf\xbd");
            from = i + 1;
        }
        i += n ? n : 1;
    }
    base_str_add(s, text + from, len - from);
}

#define SENTENCE 128 // room of this size holds sentences, not names
#define WORD     40  // longest word that is left out as a whole

// Where the letter begins to which the byte at `at` belongs.
static size_t letter_start(const char *text, size_t at)
{
    while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    return at;
}

// A sentence that goes on: "… the words that fit…".
static void cut_words(char *out, size_t size)
{
    static const char more[] = "\xe2\x80\xa6"; // …
    size_t end = letter_start(out, size - sizeof more), word = end;
    while (word > end - WORD && out[word] != ' ')
        word--;
    memcpy(out + (out[word] == ' ' ? word : end), more, sizeof more);
}

// Whether the last letter is whole cannot be seen any more, unless it is one byte.
static void cut_letter(char *out, size_t size)
{
    size_t last = letter_start(out, size - 2);
    if ((unsigned char)out[last] >= 0x80)
        out[last] = 0;
}

void base_text_fitv(char *out, size_t size, const char *format, va_list args)
{
    int n = vsnprintf(out, size, format, args);
    if (n < 0)
        out[0] = 0;
    else if ((size_t)n >= size && size > SENTENCE)
        cut_words(out, size);
    else if ((size_t)n >= size && size > 1)
        cut_letter(out, size);
}

void base_text_fit(char *out, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    base_text_fitv(out, size, format, args);
    va_end(args);
}

char *base_str_take(struct base_str *s)
{
    char *text = NULL;
    if (!s->failed && reserve(s, 0)) {
        s->ptr[s->len] = 0;
        text = s->ptr;
        base_str_init(s);
    } else {
        base_str_fini(s);
    }
    return text;
}

char *base_strndup(const char *text, size_t len)
{
    char *copy = malloc(len + 1);
    if (!copy)
        return NULL;
    if (len)
        memcpy(copy, text, len);
    copy[len] = 0;
    return copy;
}

static bool is_separator(char c)
{
    return c == '-' || c == '_' || c == '.';
}

static unsigned letter_cost(char a, char b)
{
    if (a == b)
        return 0;
    if (tolower((unsigned char)a) == tolower((unsigned char)b) || (is_separator(a) && is_separator(b)))
        return 1;
    return 2;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned base_distance(const char *a, const char *b, unsigned limit)
{
    size_t na = strnlen(a, WORD_MAX), nb = strnlen(b, WORD_MAX);
    unsigned rows[3][WORD_MAX + 1]; // the three last rows of the edit table; a swap looks back two
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = (unsigned)j * 2;
    for (size_t i = 1; i <= na; i++) {
        unsigned *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
        row[0] = (unsigned)i * 2;
        for (size_t j = 1; j <= nb; j++) {
            unsigned best = up[j - 1] + letter_cost(a[i - 1], b[j - 1]);
            best = least(best, least(up[j], row[j - 1]) + 2);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = least(best, up2[j - 2] + 2);
            row[j] = best;
        }
    }
    return least(rows[na % 3][nb], limit + 1);
}

// "postgres" and "postgresql" for "postgres-cdc", "earliest" for "earliest-offset": the one word whose first part is what
// was written, or all but two letters of it.
static const char *nearest_part(const char *word, const char *const *words)
{
    const char *found = NULL;
    size_t len = strlen(word);
    for (; *words; words++) {
        size_t part = strcspn(*words, "-");
        bool is = part >= 4 && (*words)[part] && len >= part && len <= part + 2 && strncasecmp(word, *words, part) == 0;
        if (is && found)
            return NULL;
        if (is)
            found = *words;
    }
    return found;
}

const char *base_nearest(const char *word, const char *const *words)
{
    const char *const *all = words;
    const char *found = NULL;
    unsigned best = (unsigned)(strnlen(word, WORD_MAX) * 2 + 2) / 3; // one slip (2) in three letters
    for (; *words; words++) {
        unsigned d = strcasecmp(word, *words) == 0 ? 0 : base_distance(word, *words, best);
        if (d <= best && (!found || d < best)) {
            best = d;
            found = *words;
        }
    }
    return found ? found : nearest_part(word, all);
}
