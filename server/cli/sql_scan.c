// SPDX-License-Identifier: Apache-2.0
// See sql_scan.h.
#include "cli/sql_scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 64

struct scan {
    const char *at, *end;
    const char *wrong;
};

static void blanks(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\n'))
        s->at++;
}

static bool fail(struct scan *s, const char *what)
{
    if (!s->wrong)
        s->wrong = what;
    return false;
}

static bool take(struct scan *s, char c)
{
    blanks(s);
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

// A string; its text lies between *text and s->at - 1.
static bool string(struct scan *s, const char **text)
{
    if (!take(s, '"'))
        return fail(s, "a string in quotes is expected");
    *text = s->at;
    while (s->at < s->end && *s->at != '"') {
        if ((unsigned char)*s->at < 0x20)
            return fail(s, "a control character stands in a string");
        s->at += *s->at == '\\' && s->end - s->at > 1 ? 2 : 1;
    }
    if (s->at >= s->end)
        return fail(s, "a string does not end");
    s->at++;
    return true;
}

static uint32_t digits(struct scan *s)
{
    const char *from = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return (uint32_t)(s->at - from);
}

static bool fits_bigint(const char *text, uint32_t n, bool negative)
{
    return n < 19 || (n == 19 && memcmp(text, negative ? "9223372036854775808" : "9223372036854775807", 19) <= 0);
}

static bool number(struct scan *s, struct scan_value *v)
{
    bool negative = *s->at == '-';
    s->at += negative;
    const char *first = s->at;
    uint32_t n = digits(s);
    if (!n)
        return fail(s, "a value is expected");
    bool zero = *first == '0';
    if (zero && n > 1)
        return fail(s, "a number begins with 0");
    *v = (struct scan_value){.kind = SCAN_NUMBER, .whole = zero ? 0 : n};
    v->bigint = fits_bigint(first, n, negative);
    if (s->at < s->end && *s->at == '.') {
        s->at++;
        v->bigint = false;
        if (!(v->fraction = digits(s)))
            return fail(s, "a digit is expected behind the point");
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        s->at++;
        v->exponent = true;
        v->bigint = false;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
            s->at++;
        if (!digits(s))
            return fail(s, "a digit is expected in the exponent");
        v->huge = !isfinite(strtod(first, NULL)); // ends at the delimiter
    }
    return true;
}

static bool word(struct scan *s, const char *w)
{
    size_t n = strlen(w);
    if ((size_t)(s->end - s->at) < n || memcmp(s->at, w, n) != 0)
        return false;
    s->at += n;
    return true;
}

static bool value(struct scan *s, struct scan_value *v, unsigned depth);

// The rest of an array or object behind its bracket.
static bool nested(struct scan *s, char close, unsigned depth)
{
    struct scan_value ignored;
    const char *text;
    if (depth == DEPTH_MAX)
        return fail(s, "it is nested too deeply");
    if (take(s, close))
        return true;
    do {
        if (close == '}' && (!string(s, &text) || (!take(s, ':') && !fail(s, "':' is expected"))))
            return false;
        if (!value(s, &ignored, depth + 1))
            return false;
    } while (take(s, ','));
    return take(s, close) || fail(s, close == '}' ? "',' or '}' is expected" : "',' or ']' is expected");
}

static bool value(struct scan *s, struct scan_value *v, unsigned depth)
{
    const char *text;
    blanks(s);
    *v = (struct scan_value){.kind = SCAN_OTHER};
    if (s->at == s->end)
        return fail(s, "a value is expected");
    if (*s->at == '"')
        return string(s, &text);
    if (take(s, '{'))
        return nested(s, '}', depth);
    if (take(s, '['))
        return nested(s, ']', depth);
    if (word(s, "null")) {
        v->kind = SCAN_NULL;
        return true;
    }
    if (word(s, "true") || word(s, "false")) {
        v->kind = SCAN_BOOL;
        return true;
    }
    return number(s, v);
}

static bool fields(struct scan *s, scan_fn fn, void *arg)
{
    if (!take(s, '{'))
        return fail(s, "it is no object: '{' is expected");
    if (take(s, '}'))
        return true;
    do {
        const char *name;
        struct scan_value v;
        if (!string(s, &name))
            return false;
        size_t len = (size_t)(s->at - 1 - name);
        if (!take(s, ':'))
            return fail(s, "':' is expected");
        if (!value(s, &v, 0))
            return false;
        if (!fn(arg, name, len, &v))
            return fail(s, "");
    } while (take(s, ','));
    return take(s, '}') || fail(s, "',' or '}' is expected");
}

const char *sql_scan(const char *line, size_t len, scan_fn fn, void *arg, size_t *offset)
{
    struct scan s = {line, line + len, NULL};
    if (fields(&s, fn, arg)) {
        blanks(&s);
        if (s.at < s.end)
            fail(&s, "something follows the object");
    }
    *offset = (size_t)(s.at - line);
    return s.wrong;
}
