// SPDX-License-Identifier: Apache-2.0
// The text itself: strings and their escapes, values that are only passed by, records in UTF-16 and UTF-32, and the
// descriptions of failures. Strings are searched eight bytes at a time for the quote, the backslash and bytes above
// 0x7F; most end within the first two words and need nothing else.
#include <string.h>

#include "json.h"
#include "json_word.h"
#include "utf8.h"

// --- failures

const uint8_t *fjson_bad_text(struct fjson_reader *r, const uint8_t *at, const char *expected)
{
    r->error = JSON_BAD_TEXT;
    r->at = at;
    r->expected = expected;
    return NULL;
}

const uint8_t *fjson_no_memory(struct fjson_reader *r)
{
    r->error = JSON_NO_MEMORY;
    return NULL;
}

const uint8_t *fjson_bad_value(struct fjson_reader *r, const uint8_t *at, const uint8_t *next,
                               const struct leat_type *type, uint8_t *state)
{
    if (!next)
        return NULL;
    if (r->f->config.ignore_parse_errors) {
        *state = LEAT_NULL;
        return next;
    }
    r->error = JSON_BAD_VALUE;
    r->at = at;
    r->type = type;
    return NULL;
}

// --- strings

const uint8_t *fjson_scan_string(struct fjson_reader *r, const uint8_t *p, struct fjson_span *s)
{
    const uint8_t *start = p, *end = r->end;
    uint64_t high = 0;
    s->escaped = 0;
    for (;;) {
        while (end - p >= 8) {
            uint64_t word = word_load(p), hits = word_find(word, '"') | word_find(word, '\\');
            if (!hits) {
                high |= word;
                p += 8;
                continue;
            }
            unsigned before = word_first(hits);
            high |= word & word_low(before);
            p += before;
            break;
        }
        while (p < end && *p != '"' && *p != '\\')
            high |= *p++;
        if (p == end)
            return fjson_bad_text(r, start - 1, "a closing quote");
        if (*p == '"')
            break;
        s->escaped = 1;
        if (end - p < 2)
            return fjson_bad_text(r, start - 1, "a closing quote");
        high |= p[1];
        p += 2;
    }
    s->ptr = start;
    s->len = (uint32_t)(p - start);
    s->high = (high & WORD_TOPS) != 0;
    return p + 1;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Four hex digits at p, or -1.
static int32_t hex_unit(const uint8_t *p, const uint8_t *end)
{
    int32_t unit = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

// What follows "\u" at *p: a code point, with its second half if there is one; half a pair alone is '?', as Java
// writes it. -1 = no such escape.
static int32_t unicode_escape(const uint8_t **p, const uint8_t *end)
{
    int32_t unit = hex_unit(*p, end);
    if (unit < 0)
        return -1;
    *p += 4;
    if (unit < 0xD800 || unit > 0xDFFF)
        return unit;
    if (unit <= 0xDBFF && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        int32_t second = hex_unit(*p + 2, end);
        if (second >= 0xDC00 && second <= 0xDFFF) {
            *p += 6;
            return 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00);
        }
    }
    return '?';
}

static uint8_t simple_escape(uint8_t c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

// Writes the meaning of s to `to`, which has room for s->len bytes. NULL = failed; *cut when an escape is cut short by
// the end of the string.
static uint8_t *unescape(struct fjson_reader *r, const struct fjson_span *s, uint8_t *to, int *cut)
{
    const uint8_t *p = s->ptr, *end = p + s->len;
    while (p < end) {
        if (*p != '\\') {
            *to++ = *p++;
            continue;
        }
        const uint8_t *at = p++; // a backslash is never the last byte of a span
        uint8_t plain = simple_escape(*p);
        if (plain) {
            *to++ = plain;
            p++;
            continue;
        }
        int32_t code = *p == 'u' ? (p++, unicode_escape(&p, end)) : -1;
        if (code < 0) {
            const uint8_t *digit = at + 2;
            while (at[1] == 'u' && digit < end && hex_digit(*digit) >= 0)
                digit++;
            *cut = at[1] == 'u' && digit == end;
            fjson_bad_text(r, at, "an escape such as \\n or \\u00e9");
            return NULL;
        }
        to += utf8_encode(to, (uint32_t)code);
    }
    return to;
}

// Turns surrogates that were written as three bytes each (as Java's modified UTF-8 has them) into '?'. In place;
// returns the new length, or SIZE_MAX when the text is not valid otherwise.
static size_t replace_surrogates(uint8_t *text, size_t len)
{
    size_t from = 0, to = 0;
    while (from < len) {
        size_t good = utf8_valid_prefix(text + from, len - from);
        memmove(text + to, text + from, good);
        from += good;
        to += good;
        if (from == len)
            break;
        if (len - from < 3 || text[from] != 0xED || text[from + 1] < 0xA0 || text[from + 1] > 0xBF ||
            text[from + 2] < 0x80 || text[from + 2] > 0xBF)
            return SIZE_MAX;
        text[to++] = '?';
        from += 3;
    }
    return to;
}

int fjson_string(struct fjson_reader *r, const struct fjson_span *s, struct leat_bytes *out)
{
    int valid = !s->high || utf8_valid(s->ptr, s->len);
    if (valid && !s->escaped && r->lasting) {
        *out = (struct leat_bytes){s->ptr, s->len};
        return 1;
    }
    uint8_t *copy = leat_batch_alloc(r->b, s->len ? s->len : 1, 1);
    if (!copy) {
        fjson_no_memory(r);
        return -1;
    }
    size_t len = s->len;
    int cut = 0;
    if (s->escaped) {
        const uint8_t *end = unescape(r, s, copy, &cut);
        if (!end)
            return cut ? 0 : -1;
        len = (size_t)(end - copy);
    } else {
        memcpy(copy, s->ptr, len);
    }
    if (!valid && (len = replace_surrogates(copy, len)) == SIZE_MAX) {
        fjson_bad_text(r, s->ptr + utf8_valid_prefix(s->ptr, s->len), "valid UTF-8");
        return -1;
    }
    *out = (struct leat_bytes){copy, (uint32_t)len};
    return 1;
}

// --- values passed by

static const uint8_t *skip_string(struct fjson_reader *r, const uint8_t *p)
{
    struct fjson_span s;
    p = fjson_scan_string(r, p + 1, &s);
    if (!p)
        return NULL;
    if (s.high && !utf8_valid(s.ptr, s.len))
        return fjson_bad_text(r, s.ptr + utf8_valid_prefix(s.ptr, s.len), "valid UTF-8");
    for (const uint8_t *at = s.ptr, *end = s.ptr + s.len; s.escaped && at < end; at++) {
        if (*at != '\\')
            continue;
        at++;
        if (!simple_escape(*at) && !(*at == 'u' && hex_unit(at + 1, end) >= 0))
            return fjson_bad_text(r, at - 1, "an escape such as \\n or \\u00e9");
    }
    return p;
}

static const uint8_t *skip_number(struct fjson_reader *r, const uint8_t *p)
{
    struct word_number n;
    const uint8_t *next = word_scan_number(p, r->end, &n);
    return next ? next : fjson_bad_text(r, p, "a value");
}

static const uint8_t *skip_word(struct fjson_reader *r, const uint8_t *p)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(r->end - p) >= len && memcmp(p, words[i], len) == 0)
            return p + len;
    }
    return fjson_bad_text(r, p, "a value");
}

static const uint8_t *skip_scalar(struct fjson_reader *r, const uint8_t *p)
{
    if (p == r->end)
        return fjson_bad_text(r, p, "a value");
    if (*p == '"')
        return skip_string(r, p);
    return *p == '-' || (*p >= '0' && *p <= '9') ? skip_number(r, p) : skip_word(r, p);
}

static const uint8_t *skip_name(struct fjson_reader *r, const uint8_t *p)
{
    if (p == r->end || *p != '"')
        return fjson_bad_text(r, p, "a name in quotes");
    p = skip_string(r, p);
    if (!p)
        return NULL;
    p = fjson_blanks(p, r->end);
    if (p == r->end || *p != ':')
        return fjson_bad_text(r, p, "':' after the name");
    return fjson_blanks(p + 1, r->end);
}

// Objects and arrays without recursion: a bit per open one says which it is.
const uint8_t *fjson_skip(struct fjson_reader *r, const uint8_t *p)
{
    uint64_t is_object[JSON_DEPTH_MAX / 64] = {0};
    unsigned depth = 0;
    for (;;) {
        // p is at a value
        if (p < r->end && (*p == '{' || *p == '[')) {
            int object = *p == '{';
            if (depth == JSON_DEPTH_MAX)
                return fjson_bad_text(r, p, "fewer objects and arrays within each other");
            is_object[depth / 64] = (is_object[depth / 64] & ~(UINT64_C(1) << depth % 64)) | (uint64_t)object
                                                                                                 << depth % 64;
            depth++;
            p = fjson_blanks(p + 1, r->end);
            if (p < r->end && *p == (object ? '}' : ']')) {
                depth--;
                p++;
            } else {
                if (object && !(p = skip_name(r, p)))
                    return NULL;
                continue;
            }
        } else if (!(p = skip_scalar(r, p))) {
            return NULL;
        }
        // p is behind a value
        for (;; depth--, p++) {
            if (depth == 0)
                return p;
            int object = is_object[(depth - 1) / 64] >> (depth - 1) % 64 & 1;
            p = fjson_blanks(p, r->end);
            if (p == r->end || (*p != ',' && *p != (object ? '}' : ']')))
                return fjson_bad_text(r, p, object ? "',' or '}'" : "',' or ']'");
            if (*p != ',')
                continue;
            p = fjson_blanks(p + 1, r->end);
            if (object && !(p = skip_name(r, p)))
                return NULL;
            break;
        }
    }
}

// --- records that are not UTF-8

static uint32_t unit_at(const uint8_t *p, unsigned width, int little)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < width; i++)
        v |= (uint32_t)p[i] << 8 * (little ? i : width - 1 - i);
    return v;
}

// Width 2 or 4 and byte order from a byte order mark or, since a record begins with ASCII, from its zero bytes.
static unsigned wide_units(const uint8_t *p, size_t len, int *little, size_t *mark)
{
    static const struct {
        uint8_t bytes[4], mask[4]; // of the mask's bytes 1 must be equal
        uint8_t width, little, mark;
    } forms[] = {
        {{0, 0, 0xFE, 0xFF}, {1, 1, 1, 1}, 4, 0, 4},
        {{0xFF, 0xFE, 0, 0}, {1, 1, 1, 1}, 4, 1, 4},
        {{0xFE, 0xFF}, {1, 1}, 2, 0, 2},
        {{0xFF, 0xFE}, {1, 1}, 2, 1, 2},
        {{0, 0, 0, 0}, {1, 1, 1, 0}, 4, 0, 0},
        {{0, 0, 0, 0}, {0, 1, 1, 1}, 4, 1, 0},
        {{0, 0}, {1, 0}, 2, 0, 0},
        {{0, 0}, {0, 1}, 2, 1, 0},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        int fits = len >= forms[i].width;
        for (unsigned k = 0; k < 4 && fits; k++)
            fits = !forms[i].mask[k] || (k < len && p[k] == forms[i].bytes[k]);
        if (!fits)
            continue;
        *little = forms[i].little;
        *mark = forms[i].mark;
        return forms[i].width;
    }
    return 0;
}

int fjson_narrow(struct fjson_reader *r, struct leat_bytes *text)
{
    int little = 0;
    size_t mark = 0, at;
    unsigned width = wide_units(text->ptr, text->len, &little, &mark);
    if (!width)
        return 0;
    struct fjson_scratch *out = &r->f->wide;
    out->len = 0;
    if (!fjson_room(r->ctx, out, (size_t)text->len * 2 + 8)) {
        fjson_no_memory(r);
        return -1;
    }
    for (at = mark; text->len - at >= width; at += width) {
        uint32_t code = unit_at(text->ptr + at, width, little);
        if (width == 2 && code >= 0xD800 && code <= 0xDBFF && text->len - at >= 4) {
            uint32_t second = unit_at(text->ptr + at + 2, 2, little);
            if (second >= 0xDC00 && second <= 0xDFFF) {
                code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00);
                at += 2;
            }
        }
        out->len += utf8_encode(out->ptr + out->len, code >= 0xD800 && code <= 0xDFFF ? '?' : code);
    }
    *text = (struct leat_bytes){out->ptr, (uint32_t)out->len};
    return 1;
}
