// SPDX-License-Identifier: Apache-2.0
// Objects and arrays as the value of a STRING column: their text without blanks, as Java's Jackson writes a tree that
// it has read. So names that repeat are one (first place, last value), escapes are only where they must be, and a
// number with a point or an exponent is spelt as the double it is. Where the double would be another number than the
// one that was sent, the sender's spelling stays; Flink would lose digits there.
//
// Written into a scratch text of the format; each object notes where its members lie, so that repeated ones can be
// taken out when it ends.
#include <string.h>

#include "json.h"
#include "json_word.h"
#include "number.h"

// A member "name":value in the text.
struct member {
    uint32_t start, name_end, end;
};

static const uint8_t *write_value(struct fjson_reader *r, const uint8_t *p, unsigned depth);

static int put(struct fjson_reader *r, const void *bytes, size_t len)
{
    struct fjson_scratch *out = &r->f->text;
    if (!fjson_room(r->ctx, out, len)) {
        fjson_no_memory(r);
        return 0;
    }
    memcpy(out->ptr + out->len, bytes, len);
    out->len += len;
    return 1;
}

// --- numbers

// A number's digits without zeros at either end, and the power of ten of the last one.
struct digits {
    uint8_t digit[40];
    unsigned count;
    int64_t power;
    int negative, exact;
};

static void collect(struct digits *d, const uint8_t *p, size_t len)
{
    const uint8_t *end = p + len;
    int behind_point = 0, sign = 1;
    int64_t zeros = 0, exponent = 0;
    *d = (struct digits){.exact = 1};
    for (; p < end && (*p | 0x20) != 'e'; p++) {
        if (*p == '-')
            d->negative = 1;
        else if (*p == '.')
            behind_point = 1;
        else {
            d->power -= behind_point;
            if (*p == '0') {
                zeros++;
                continue;
            }
            for (; d->count && zeros && d->count < sizeof d->digit; zeros--)
                d->digit[d->count++] = '0';
            if (d->count == sizeof d->digit)
                d->exact = 0;
            else
                d->digit[d->count++] = *p;
            zeros = 0;
        }
    }
    d->power += d->count ? zeros : 0;
    for (; p < end; p++) {
        if (*p == '-')
            sign = -1;
        else if (*p >= '0' && *p <= '9' && exponent < INT32_MAX)
            exponent = exponent * 10 + (*p - '0');
    }
    d->power = d->count ? d->power + sign * exponent : 0;
}

static int same_number(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    struct digits x, y;
    collect(&x, a, a_len);
    collect(&y, b, b_len);
    return x.exact && y.exact && x.count == y.count && x.power == y.power && x.negative == y.negative &&
           memcmp(x.digit, y.digit, x.count) == 0;
}

static const uint8_t *write_number(struct fjson_reader *r, const uint8_t *p)
{
    struct word_number n;
    const uint8_t *next = word_scan_number(p, r->end, &n);
    char text[NUMBER_F64_MAX];
    double v;
    if (!next)
        return fjson_bad_text(r, p, "a value");
    if (n.integer && n.len == 2 && p[0] == '-' && p[1] == '0')
        return put(r, "0", 1) ? next : NULL;
    if (!n.integer && n.len <= JSON_NUMBER_MAX && number_f64_parse(p, n.len, &v) == NUMBER_OK) {
        size_t len = number_f64_print(text, v);
        if (same_number(p, n.len, (const uint8_t *)text, len))
            return put(r, text, len) ? next : NULL;
    }
    return put(r, p, n.len) ? next : NULL;
}

// --- strings, objects, arrays

static const uint8_t *write_string(struct fjson_reader *r, const uint8_t *p)
{
    struct fjson_span span;
    struct leat_bytes text;
    struct fjson_scratch *out = &r->f->text;
    const uint8_t *next = fjson_scan_string(r, p + 1, &span);
    if (!next)
        return NULL;
    int rc = fjson_string(r, &span, &text);
    if (rc <= 0)
        return rc == 0 ? fjson_bad_text(r, p, "a string without broken escapes") : NULL;
    if (!fjson_room(r->ctx, out, (size_t)text.len * 6 + 2))
        return fjson_no_memory(r);
    out->len = (size_t)(fjson_put_string(out->ptr + out->len, text.ptr, text.len, 0) - out->ptr);
    return next;
}

static int note_member(struct fjson_reader *r, struct member m)
{
    struct fjson_scratch *members = &r->f->members;
    if (!fjson_room(r->ctx, members, sizeof m)) {
        fjson_no_memory(r);
        return 0;
    }
    memcpy(members->ptr + members->len, &m, sizeof m);
    members->len += sizeof m;
    return 1;
}

static struct member member_at(const struct fjson_reader *r, size_t base, uint32_t i)
{
    struct member m;
    memcpy(&m, r->f->members.ptr + base + i * sizeof m, sizeof m);
    return m;
}

// Writes the members again behind the text, each name once, and moves them to where the first stood.
static int write_members_once(struct fjson_reader *r, size_t base, uint32_t n, const uint32_t *first)
{
    struct fjson_scratch *out = &r->f->text;
    size_t start = member_at(r, base, 0).start, from = out->len;
    if (!fjson_room(r->ctx, out, from - start + 1)) {
        fjson_no_memory(r);
        return 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (first[i] != i)
            continue;
        uint32_t last = i;
        for (uint32_t k = i + 1; k < n; k++)
            if (first[k] == i)
                last = k;
        struct member m = member_at(r, base, last);
        if (out->len > from)
            out->ptr[out->len++] = ',';
        memcpy(out->ptr + out->len, out->ptr + m.start, m.end - m.start);
        out->len += m.end - m.start;
    }
    memmove(out->ptr + start, out->ptr + from, out->len - from);
    out->len = start + (out->len - from);
    return 1;
}

// The members of the object that began at `base` of the notes; the notes are dropped.
static int finish_members(struct fjson_reader *r, size_t base)
{
    struct fjson_scratch *members = &r->f->members;
    uint32_t n = (uint32_t)((members->len - base) / sizeof(struct member)), repeated = 0;
    size_t keys_at = (members->len + 15) & ~(size_t)15;
    if (n < 2) {
        members->len = base;
        return 1;
    }
    if (!fjson_room(r->ctx, members, keys_at - members->len + n * sizeof(struct leat_bytes))) {
        fjson_no_memory(r);
        return 0;
    }
    struct leat_bytes *keys = (struct leat_bytes *)(void *)(members->ptr + keys_at);
    for (uint32_t i = 0; i < n; i++) {
        struct member m = member_at(r, base, i);
        keys[i] = (struct leat_bytes){r->f->text.ptr + m.start, m.name_end - m.start};
    }
    const uint32_t *first = fjson_same_keys(r->ctx, r->f, keys, n);
    if (!first) {
        fjson_no_memory(r);
        return 0;
    }
    for (uint32_t i = 0; i < n; i++)
        repeated += first[i] != i;
    int good = !repeated || write_members_once(r, base, n, first);
    members->len = base;
    return good;
}

static const uint8_t *write_member(struct fjson_reader *r, const uint8_t *p, unsigned depth)
{
    struct member m = {.start = (uint32_t)r->f->text.len};
    if (p == r->end || *p != '"')
        return fjson_bad_text(r, p, "a name in quotes");
    if (!(p = write_string(r, p)))
        return NULL;
    m.name_end = (uint32_t)r->f->text.len;
    p = fjson_blanks(p, r->end);
    if (p == r->end || *p != ':')
        return fjson_bad_text(r, p, "':' after the name");
    if (!put(r, ":", 1) || !(p = write_value(r, fjson_blanks(p + 1, r->end), depth)))
        return NULL;
    m.end = (uint32_t)r->f->text.len;
    return note_member(r, m) ? p : NULL;
}

// An object or array, p at its opening byte.
static const uint8_t *write_container(struct fjson_reader *r, const uint8_t *p, unsigned depth)
{
    int object = *p == '{';
    const char *closing = object ? "}" : "]";
    size_t base = r->f->members.len;
    if (depth == JSON_TEXT_DEPTH)
        return fjson_bad_text(r, p, "fewer objects and arrays within each other");
    if (!put(r, p, 1))
        return NULL;
    p = fjson_blanks(p + 1, r->end);
    if (p < r->end && *p == (uint8_t)*closing)
        return put(r, closing, 1) ? p + 1 : NULL;
    for (;;) {
        if (!(p = object ? write_member(r, p, depth + 1) : write_value(r, p, depth + 1)))
            return NULL;
        p = fjson_blanks(p, r->end);
        if (p == r->end || (*p != ',' && *p != (uint8_t)*closing))
            return fjson_bad_text(r, p, object ? "',' or '}'" : "',' or ']'");
        if (*p != ',')
            break;
        if (!put(r, ",", 1))
            return NULL;
        p = fjson_blanks(p + 1, r->end);
    }
    return (!object || finish_members(r, base)) && put(r, closing, 1) ? p + 1 : NULL;
}

static const uint8_t *write_value(struct fjson_reader *r, const uint8_t *p, unsigned depth)
{
    if (p == r->end)
        return fjson_bad_text(r, p, "a value");
    if (*p == '{' || *p == '[')
        return write_container(r, p, depth);
    if (*p == '"')
        return write_string(r, p);
    if (*p == '-' || (*p >= '0' && *p <= '9'))
        return write_number(r, p);
    const uint8_t *next = fjson_skip(r, p); // true, false, null
    return next && put(r, p, (size_t)(next - p)) ? next : NULL;
}

const uint8_t *fjson_container_text(struct fjson_reader *r, const uint8_t *p, struct leat_bytes *out)
{
    struct fjson_scratch *text = &r->f->text;
    text->len = 0;
    r->f->members.len = 0;
    const uint8_t *next = write_container(r, p, 0);
    if (!next)
        return NULL;
    if (text->len > UINT32_MAX)
        return fjson_bad_text(r, p, "a shorter value");
    uint8_t *copy = leat_batch_alloc(r->b, text->len, 1);
    if (!copy)
        return fjson_no_memory(r);
    memcpy(copy, text->ptr, text->len);
    *out = (struct leat_bytes){copy, (uint32_t)text->len};
    return next;
}
