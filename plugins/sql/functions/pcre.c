// SPDX-License-Identifier: Apache-2.0
// Regular expressions of Java's dialect on PCRE2; see pcre.h.
#include "functions/pcre.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "utf8.h"

#define PATTERN_MAX (64u << 10)
#define MATCH_LIMIT 1000000u

struct sql_regexp {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
    uint8_t *pattern; // as it was given, for comparison with the next one
    uint32_t length;
    uint8_t known, bad;
    int matched; // groups of the last match, as PCRE2 counts them
    PCRE2_UCHAR fault[160];
};

static void forget(struct sql_regexp *r)
{
    pcre2_match_data_free(r->data);
    pcre2_code_free(r->code);
    free(r->pattern);
    r->data = NULL;
    r->code = NULL;
    r->pattern = NULL;
    r->known = 0;
}

static void destroy(void *p)
{
    struct sql_regexp *r = p;
    forget(r);
    pcre2_match_context_free(r->limits);
}

struct sql_regexp *sql_regexp_create(struct sql_bind *b)
{
    struct sql_regexp *r = sql_bind_alloc(b, sizeof *r);
    if (!r)
        return NULL;
    r->limits = pcre2_match_context_create(NULL);
    if (!r->limits) {
        sql_diag_memory(b->diag);
        return NULL;
    }
    pcre2_set_match_limit(r->limits, MATCH_LIMIT);
    return sql_bind_defer(b, destroy, r) ? NULL : r;
}

// --- Java's spelling to PCRE2's ---

struct rewrite {
    const uint8_t *at, *end;
    uint8_t *to;
    int in_class;
};

static void put(struct rewrite *w, const char *text)
{
    size_t len = strlen(text);
    memcpy(w->to, text, len);
    w->to += len;
}

static int hex4(const uint8_t *at, const uint8_t *end, uint32_t *code)
{
    *code = 0;
    if (end - at < 4)
        return 0;
    for (int i = 0; i < 4; i++) {
        uint8_t c = at[i] | 0x20;
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return 0;
        *code = *code * 16 + (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return 1;
}

// \uXXXX, also two of them for one character. 1 = written.
static int unicode_escape(struct rewrite *w)
{
    uint32_t code, low;
    if (!hex4(w->at + 2, w->end, &code))
        return 0;
    w->at += 6;
    if (code >= 0xD800 && code < 0xDC00 && w->end - w->at >= 6 && w->at[0] == '\\' && w->at[1] == 'u' &&
        hex4(w->at + 2, w->end, &low)) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        w->at += 6;
    }
    static const char digits[] = "0123456789ABCDEF";
    put(w, "\\x{");
    for (int shift = 20; shift >= 0; shift -= 4)
        *w->to++ = (uint8_t)digits[code >> shift & 15];
    *w->to++ = '}';
    return 1;
}

// \p{Alpha} is a POSIX class, \p{IsHan} a property. 1 = written.
static int property(struct rewrite *w)
{
    static const char *const posix[] = {"Lower", "Upper", "ASCII", "Alpha", "Digit",  "Alnum", "Punct",
                                        "Graph", "Print", "Blank", "Cntrl", "XDigit", "Space"};
    const uint8_t *close = memchr(w->at, '}', (size_t)(w->end - w->at));
    if (w->end - w->at < 4 || w->at[2] != '{' || !close)
        return 0;
    const char *name = (const char *)w->at + 3;
    size_t len = (size_t)(close - w->at) - 3;
    int negated = w->at[1] == 'P';
    for (size_t i = 0; i < sizeof posix / sizeof *posix; i++)
        if (strlen(posix[i]) == len && !memcmp(posix[i], name, len)) {
            put(w, w->in_class ? "[:" : "[[:");
            put(w, negated ? "^" : "");
            for (size_t k = 0; k < len; k++)
                *w->to++ = (uint8_t)(name[k] | 0x20);
            put(w, w->in_class ? ":]" : ":]]");
            w->at = close + 1;
            return 1;
        }
    if (len > 2 && !memcmp(name, "Is", 2)) {
        put(w, negated ? "\\P{" : "\\p{");
        memcpy(w->to, name + 2, len - 2);
        w->to += len - 2;
        put(w, "}");
        w->at = close + 1;
        return 1;
    }
    return 0;
}

// The text between \Q and \E stays as it is.
static void quoted(struct rewrite *w)
{
    while (w->at < w->end && !(w->end - w->at >= 2 && w->at[0] == '\\' && w->at[1] == 'E'))
        *w->to++ = *w->at++;
}

// `to` has room for 8 times the pattern.
static size_t rewrite_java(struct leat_bytes pattern, uint8_t *to)
{
    struct rewrite w = {pattern.ptr, pattern.ptr + pattern.len, to, 0};
    while (w.at < w.end) {
        if (*w.at != '\\' || w.end - w.at < 2) {
            w.in_class = *w.at == '[' ? 1 : *w.at == ']' ? 0 : w.in_class;
            *w.to++ = *w.at++;
            continue;
        }
        uint8_t next = w.at[1];
        if ((next == 'u' && unicode_escape(&w)) || ((next == 'p' || next == 'P') && property(&w)))
            continue;
        *w.to++ = *w.at++;
        *w.to++ = *w.at++;
        if (next == 'Q')
            quoted(&w);
    }
    return (size_t)(w.to - to);
}

// --- compiling ---

static int compile(struct sql_regexp *r, struct leat_bytes pattern, int dialect)
{
    int code = 0;
    PCRE2_SIZE at;
    size_t len = pattern.len;
    uint8_t *text = malloc(len * 8 + 1);
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (text && context) {
        uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C;
        if (dialect == SQL_REGEXP_JAVA)
            len = rewrite_java(pattern, text);
        else if (len)
            memcpy(text, pattern.ptr, len);
        pcre2_set_newline(context, PCRE2_NEWLINE_ANY);
        if (dialect == SQL_REGEXP_SIMILAR)
            options |= PCRE2_DOTALL | PCRE2_ANCHORED | PCRE2_ENDANCHORED;
        r->code = pcre2_compile(text, len, options, &code, &at, context);
        if (!r->code)
            pcre2_get_error_message(code, r->fault, sizeof r->fault);
    }
    pcre2_compile_context_free(context);
    free(text);
    if (!r->code)
        return SQL_REGEXP_BAD;
    pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE); // without it the interpreter matches
    r->data = pcre2_match_data_create_from_pattern(r->code, NULL);
    return r->data ? SQL_REGEXP_MATCH : SQL_REGEXP_BAD;
}

int sql_regexp_use(struct sql_regexp *r, struct leat_bytes pattern, int dialect)
{
    if (r->known && r->length == pattern.len && !memcmp(r->pattern, pattern.ptr, pattern.len))
        return r->bad ? SQL_REGEXP_BAD : SQL_REGEXP_MATCH;
    forget(r);
    memcpy(r->fault, "too long", sizeof "too long");
    int st = pattern.len > PATTERN_MAX ? SQL_REGEXP_BAD : compile(r, pattern, dialect);
    r->bad = st == SQL_REGEXP_BAD;
    r->pattern = malloc(pattern.len + 1u);
    if (r->pattern && pattern.len)
        memcpy(r->pattern, pattern.ptr, pattern.len);
    r->length = pattern.len;
    r->known = r->pattern != NULL;
    return st;
}

const char *sql_regexp_fault(const struct sql_regexp *r)
{
    return (const char *)r->fault;
}

int sql_regexp_find(struct sql_evaluator *ev, const struct sql_expr *e, struct sql_regexp *r, struct leat_bytes text,
                    size_t start)
{
    const uint8_t *bytes = text.ptr ? text.ptr : (const uint8_t *)"";
    r->matched = pcre2_match(r->code, bytes, text.len, start, PCRE2_NO_UTF_CHECK, r->data, r->limits);
    if (r->matched == PCRE2_ERROR_NOMATCH)
        return SQL_REGEXP_NO_MATCH;
    if (r->matched > 0)
        return SQL_REGEXP_MATCH;
    return sql_fail(ev, e, "the regular expression of %s takes too long to match", e->func->name);
}

int sql_regexp_group(const struct sql_regexp *r, int64_t i, size_t *from, size_t *to)
{
    if (i < 0 || i >= r->matched)
        return 0;
    const PCRE2_SIZE *places = pcre2_get_ovector_pointer(r->data);
    if (places[2 * i] == PCRE2_UNSET || places[2 * i] > places[2 * i + 1])
        return 0;
    *from = places[2 * i];
    *to = places[2 * i + 1];
    return 1;
}
