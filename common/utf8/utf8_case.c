// SPDX-License-Identifier: Apache-2.0
// Upper and lower case. ASCII goes eight bytes at a time; other letters are looked up in runs of equal distance; the
// few that become several letters have a list of their own. Two rules depend on more than the letter itself: capital
// İ has a dot of its own in lower case, and Σ at the end of a word is ς.
//
// The end of a word is found with a small notion of words: the next letter with case decides; marks, digits and single
// joiners (hyphen, apostrophe, full stop) are looked past; anything else ends the word.
#include "utf8.h"

#include <string.h>

struct case_run {
    uint32_t first;
    uint32_t last;
    int32_t step; // 1: all code points of the run map, 2: every second one
    int32_t delta;
};

struct case_several {
    uint32_t code;
    uint32_t len;
    char bytes[8];
};

#include "utf8_case_table.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define CAPITAL_SIGMA  0x3A3u
#define FINAL_SIGMA    0x3C2u
#define CAPITAL_I_DOT  0x130u
#define LOWER_I_DOTTED "i\xcc\x87"

// Between these bounds lie CJK and its neighbours, which have no case.
#define CASELESS_FIRST 0x2E80u
#define CASELESS_LAST  0xA63Fu

static uint32_t map_code(const struct case_run *runs, size_t count, uint32_t code)
{
    size_t low = 0, high = count;
    if (code >= CASELESS_FIRST && code <= CASELESS_LAST)
        return code;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (runs[mid].last < code)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == count || code < runs[low].first || (code - runs[low].first) % (uint32_t)runs[low].step)
        return code;
    return (uint32_t)((int32_t)code + runs[low].delta);
}

static uint32_t upper_code(uint32_t code)
{
    return map_code(upper_runs, COUNT(upper_runs), code);
}

static uint32_t lower_code(uint32_t code)
{
    return map_code(lower_runs, COUNT(lower_runs), code);
}

static const struct case_several *find_several(uint32_t code)
{
    size_t low = 0, high = COUNT(upper_several);
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (upper_several[mid].code < code)
            low = mid + 1;
        else
            high = mid;
    }
    return low < COUNT(upper_several) && upper_several[low].code == code ? &upper_several[low] : NULL;
}

// Flips the case of the ASCII letters from `first` to `first` + 25 in eight ASCII bytes.
static uint64_t flip_ascii(uint64_t word, uint8_t first)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t from = word + (0x80u - first) * ones;        // top bit: byte >= first
    uint64_t beyond = word + (0x80u - first - 26) * ones; // top bit: byte > first + 25
    return word ^ ((from & ~beyond & 0x80 * ones) >> 2);
}

// Copies the ASCII at the front with its case changed and returns how many bytes that were.
static size_t map_ascii(uint8_t *out, const uint8_t *at, size_t len, uint8_t first)
{
    size_t i = 0;
    for (; len - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, at + i, 8);
        if (word & 0x8080808080808080u)
            break;
        word = flip_ascii(word, first);
        memcpy(out + i, &word, 8);
    }
    for (; i < len && at[i] < 0x80; i++)
        out[i] = (uint8_t)(at[i] ^ ((uint8_t)(at[i] - first) < 26 ? 0x20 : 0));
    return i;
}

size_t utf8_upper(void *out, const void *text, size_t len)
{
    uint8_t *to = out;
    const uint8_t *at = text, *end = len ? at + len : at;
    while (at < end) {
        size_t ascii = map_ascii(to, at, (size_t)(end - at), 'a');
        at += ascii;
        to += ascii;
        if (at == end)
            break;
        unsigned used;
        uint32_t code = utf8_decode(at, (size_t)(end - at), &used);
        uint32_t mapped = upper_code(code);
        const struct case_several *several = mapped == code ? find_several(code) : NULL;
        if (several) {
            memcpy(to, several->bytes, several->len);
            to += several->len;
        } else if (mapped != code) {
            to += utf8_encode(to, mapped);
        } else {
            memcpy(to, at, used);
            to += used;
        }
        at += used;
    }
    return (size_t)(to - (uint8_t *)out);
}

enum word_class { WORD_END, WORD_MARK, WORD_JOINER, WORD_LETTER };

static enum word_class word_class(uint32_t code)
{
    static const struct {
        uint32_t first, last;
        enum word_class class;
    } others[] = {
        {'\'', '\'', WORD_JOINER},     {'-', '.', WORD_JOINER},       {'0', '9', WORD_MARK},
        {'_', '_', WORD_MARK},         {0xAD, 0xAD, WORD_JOINER},     {0xB7, 0xB7, WORD_JOINER},
        {0x300, 0x36F, WORD_MARK},     {0x483, 0x489, WORD_MARK},     {0x1AB0, 0x1AFF, WORD_MARK},
        {0x1DC0, 0x1DFF, WORD_MARK},   {0x200C, 0x200D, WORD_MARK},   {0x2010, 0x2011, WORD_JOINER},
        {0x2019, 0x2019, WORD_JOINER}, {0x2027, 0x2027, WORD_JOINER}, {0x20D0, 0x20FF, WORD_MARK},
        {0xFE00, 0xFE0F, WORD_MARK},   {0xFE20, 0xFE2F, WORD_MARK},
    };
    if (code < 0x80
            ? (uint8_t)((code | 0x20) - 'a') < 26
            : upper_code(code) != code || lower_code(code) != code || code == CAPITAL_I_DOT || find_several(code))
        return WORD_LETTER;
    for (size_t i = 0; i < COUNT(others); i++)
        if (code >= others[i].first && code <= others[i].last)
            return others[i].class;
    return WORD_END;
}

// Whether the search for a letter goes on behind a code point of this class; only single joiners stand inside words.
static int goes_on(enum word_class class, int *joined)
{
    int on = class == WORD_MARK || (class == WORD_JOINER && !*joined);
    *joined = class == WORD_JOINER;
    return on;
}

static int letter_follows(const uint8_t *at, const uint8_t *end)
{
    enum word_class class = WORD_END;
    int joined = 0;
    do {
        unsigned used;
        class = word_class(utf8_decode(at, (size_t)(end - at), &used));
        at += used;
    } while (goes_on(class, &joined) && at < end);
    return class == WORD_LETTER;
}

static int letter_precedes(const uint8_t *start, const uint8_t *at)
{
    enum word_class class = WORD_END;
    int joined = 0;
    while (at > start) {
        const uint8_t *end = at--;
        unsigned used;
        while (at > start && end - at < UTF8_CHAR_MAX && (*at & 0xC0) == 0x80)
            at--;
        class = word_class(utf8_decode(at, (size_t)(end - at), &used));
        if (!goes_on(class, &joined))
            break;
    }
    return class == WORD_LETTER;
}

size_t utf8_lower(void *out, const void *text, size_t len)
{
    uint8_t *to = out;
    const uint8_t *start = text, *at = start, *end = len ? at + len : at;
    while (at < end) {
        size_t ascii = map_ascii(to, at, (size_t)(end - at), 'A');
        at += ascii;
        to += ascii;
        if (at == end)
            break;
        unsigned used;
        uint32_t code = utf8_decode(at, (size_t)(end - at), &used);
        uint32_t mapped = lower_code(code);
        if (code == CAPITAL_SIGMA && letter_precedes(start, at) && !letter_follows(at + used, end))
            mapped = FINAL_SIGMA;
        if (code == CAPITAL_I_DOT) {
            memcpy(to, LOWER_I_DOTTED, 3);
            to += 3;
        } else if (mapped != code) {
            to += utf8_encode(to, mapped);
        } else {
            memcpy(to, at, used);
            to += used;
        }
        at += used;
    }
    return (size_t)(to - (uint8_t *)out);
}
