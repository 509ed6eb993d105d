// SPDX-License-Identifier: Apache-2.0
// JSON documents as trees; see json_doc.h.
#include "functions/json_doc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "utf8.h"

struct reader {
    struct sql_evaluator *ev;
    const uint8_t *at, *end;
    int depth;
    int failed; // out of memory
};

struct json_node *json_new(struct sql_evaluator *ev, uint8_t kind)
{
    struct json_node *n = sql_arena_calloc(&ev->arena, 1, sizeof *n);
    if (!n) {
        sql_fail_memory(ev);
        return NULL;
    }
    n->kind = kind;
    return n;
}

void json_append(struct json_node *parent, struct json_node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

struct json_node *json_member(const struct json_node *object, struct leat_bytes name)
{
    struct json_node *found = NULL;
    for (struct json_node *n = object->first; n; n = n->next)
        if (leat_bytes_equal(n->name, name))
            found = n; // the last one of that name
    return found;
}

// --- reading ---

static struct json_node *read_value(struct reader *r);

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static int take(struct reader *r, uint8_t c)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != c)
        return 0;
    r->at++;
    return 1;
}

static struct json_node *make(struct reader *r, uint8_t kind)
{
    struct json_node *n = json_new(r->ev, kind);
    r->failed |= !n;
    return n;
}

static int hex4(struct reader *r, uint32_t *code)
{
    *code = 0;
    if (r->end - r->at < 4)
        return 0;
    for (int i = 0; i < 4; i++) {
        uint8_t c = *r->at++, small = c | 0x20;
        if (!((c >= '0' && c <= '9') || (small >= 'a' && small <= 'f')))
            return 0;
        *code = *code * 16 + (uint32_t)(c <= '9' ? c - '0' : small - 'a' + 10);
    }
    return 1;
}

// What stands behind a backslash. 0 = wrong.
static int read_escape(struct reader *r, uint8_t **to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    uint32_t code, low;
    if (r->at == r->end)
        return 0;
    uint8_t c = *r->at++;
    const char *known = c ? strchr(from, c) : NULL;
    if (known) {
        *(*to)++ = (uint8_t)into[known - from];
        return 1;
    }
    if (c != 'u' || !hex4(r, &code))
        return 0;
    if (code >= 0xD800 && code < 0xDC00 && r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u') {
        const uint8_t *back = r->at;
        r->at += 2;
        if (!hex4(r, &low))
            return 0;
        if (low >= 0xDC00 && low < 0xE000)
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        else
            r->at = back;
    }
    *to += utf8_encode(*to, code); // half a pair becomes U+FFFD
    return 1;
}

// Behind the first quote. Without escapes the text is borrowed.
static int read_string(struct reader *r, struct leat_bytes *out)
{
    const uint8_t *start = r->at;
    while (r->at < r->end && *r->at != '"' && *r->at != '\\' && *r->at >= 0x20)
        r->at++;
    if (r->at < r->end && *r->at == '"') {
        *out = (struct leat_bytes){start, (uint32_t)(r->at++ - start)};
        return 1;
    }
    uint8_t *text = sql_arena_alloc(&r->ev->arena, (size_t)(r->end - start) + UTF8_CHAR_MAX), *to = text;
    if (!text) {
        sql_fail_memory(r->ev);
        r->failed = 1;
        return 0;
    }
    for (r->at = start; r->at < r->end && *r->at != '"';) {
        if (*r->at < 0x20)
            return 0;
        if (*r->at != '\\') {
            *to++ = *r->at++;
            continue;
        }
        r->at++;
        if (!read_escape(r, &to))
            return 0;
    }
    if (r->at == r->end)
        return 0;
    r->at++;
    *out = (struct leat_bytes){text, (uint32_t)(to - text)};
    return 1;
}

static uint32_t digits(struct reader *r)
{
    const uint8_t *start = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return (uint32_t)(r->at - start);
}

static struct json_node *read_number(struct reader *r)
{
    const uint8_t *start = r->at;
    int whole = 1;
    r->at += *r->at == '-';
    int zero = r->at < r->end && *r->at == '0';
    uint32_t n = digits(r);
    if (!n || (zero && n > 1))
        return NULL;
    if (r->at < r->end && *r->at == '.') {
        whole = 0;
        r->at++;
        if (!digits(r))
            return NULL;
    }
    if (r->at < r->end && (*r->at | 0x20) == 'e') {
        whole = 0;
        r->at++;
        r->at += r->at < r->end && (*r->at == '+' || *r->at == '-');
        if (!digits(r))
            return NULL;
    }
    struct json_node *node = make(r, whole ? JSON_INTEGER : JSON_FLOAT);
    if (!node)
        return NULL;
    node->text = (struct leat_bytes){start, (uint32_t)(r->at - start)};
    if (!whole)
        number_f64_parse(start, node->text.len, &node->number);
    return node;
}

static struct json_node *read_word(struct reader *r)
{
    static const char *const words[] = {"null", "false", "true"};
    for (uint8_t i = 0; i < 3; i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(r->end - r->at) >= len && !memcmp(r->at, words[i], len)) {
            r->at += len;
            return make(r, i); // JSON_NULL, JSON_FALSE, JSON_TRUE
        }
    }
    return NULL;
}

static int read_member(struct reader *r, struct json_node *object)
{
    struct leat_bytes name;
    if (!take(r, '"') || !read_string(r, &name) || !take(r, ':'))
        return 0;
    struct json_node *value = read_value(r);
    if (!value)
        return 0;
    value->name = name;
    json_append(object, value);
    return 1;
}

// Behind the bracket.
static struct json_node *read_list(struct reader *r, uint8_t kind, uint8_t close)
{
    struct json_node *list = make(r, kind);
    if (!list || r->depth >= JSON_DEPTH_MAX)
        return NULL;
    if (take(r, close))
        return list;
    r->depth++;
    do {
        if (kind == JSON_OBJECT) {
            if (!read_member(r, list))
                return NULL;
        } else {
            struct json_node *item = read_value(r);
            if (!item)
                return NULL;
            json_append(list, item);
        }
    } while (take(r, ','));
    r->depth--;
    return take(r, close) ? list : NULL;
}

static struct json_node *read_value(struct reader *r)
{
    struct leat_bytes text;
    skip_blanks(r);
    if (r->at == r->end)
        return NULL;
    uint8_t c = *r->at;
    if (c == '-' || (c >= '0' && c <= '9'))
        return read_number(r);
    if (c != '{' && c != '[' && c != '"')
        return read_word(r);
    r->at++;
    if (c == '{')
        return read_list(r, JSON_OBJECT, '}');
    if (c == '[')
        return read_list(r, JSON_ARRAY, ']');
    struct json_node *n = read_string(r, &text) ? make(r, JSON_STRING) : NULL;
    if (n)
        n->text = text;
    return n;
}

struct json_node *json_parse(struct sql_evaluator *ev, struct leat_bytes text, int *failed)
{
    struct reader r = {.ev = ev, .at = text.ptr, .end = text.ptr + text.len};
    struct json_node *n = read_value(&r);
    *failed = r.failed;
    skip_blanks(&r);
    return r.at == r.end ? n : NULL;
}

// --- writing ---

void json_write_string(struct sql_text *t, struct leat_bytes s)
{
    static const char hex[] = "0123456789ABCDEF";
    uint32_t from = 0;
    sql_text_put(t, "\"", 1);
    for (uint32_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        sql_text_put(t, s.ptr + from, i - from);
        from = i + 1;
        const char *known = c == '"'    ? "\\\""
                            : c == '\\' ? "\\\\"
                            : c == '\n' ? "\\n"
                            : c == '\r' ? "\\r"
                            : c == '\t' ? "\\t"
                            : c == '\b' ? "\\b"
                            : c == '\f' ? "\\f"
                                        : NULL;
        char code[] = {'\\', 'u', '0', '0', hex[c >> 4 & 15], hex[c & 15]};
        if (known)
            sql_text_put(t, known, 2);
        else
            sql_text_put(t, code, sizeof code);
    }
    sql_text_put(t, s.ptr + from, s.len - from);
    sql_text_put(t, "\"", 1);
}

void json_put_scalar(struct sql_text *t, const struct json_node *n)
{
    char text[NUMBER_F64_MAX];
    switch (n->kind) {
    case JSON_STRING:
    case JSON_INTEGER:
        sql_text_put(t, n->text.ptr, n->text.len);
        break;
    case JSON_FLOAT:
        sql_text_put(t, text, number_f64_print(text, n->number));
        break;
    default:
        sql_text_put(t,
                     n->kind == JSON_NULL   ? "null"
                     : n->kind == JSON_TRUE ? "true"
                                            : "false",
                     n->kind == JSON_FALSE ? 5 : 4);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct leat_bytes x = (*(struct json_node *const *)a)->name, y = (*(struct json_node *const *)b)->name;
    uint32_t len = x.len < y.len ? x.len : y.len;
    int c = len ? memcmp(x.ptr, y.ptr, len) : 0;
    return c ? c : (x.len > y.len) - (x.len < y.len);
}

static void write_object(struct sql_text *t, const struct json_node *n)
{
    struct json_node **members = sql_arena_alloc(&t->ev->arena, (n->count + 1) * sizeof *members);
    uint32_t count = 0, written = 0;
    if (!members) {
        sql_fail_memory(t->ev);
        t->failed = 1;
        return;
    }
    for (struct json_node *m = n->first; m; m = m->next)
        members[count++] = m;
    qsort(members, count, sizeof *members, by_name);
    sql_text_put(t, "{", 1);
    for (uint32_t i = 0; i < count; i++) {
        struct json_node *m = members[i];
        if (i && leat_bytes_equal(m->name, members[i - 1]->name))
            continue;
        if (i + 1 < count && leat_bytes_equal(m->name, members[i + 1]->name))
            m = json_member(n, m->name); // of several of one name the last one counts
        if (written++)
            sql_text_put(t, ",", 1);
        json_write_string(t, m->name);
        sql_text_put(t, ":", 1);
        json_write(t, m);
    }
    sql_text_put(t, "}", 1);
}

void json_write(struct sql_text *t, const struct json_node *n)
{
    if (n->kind == JSON_OBJECT) {
        write_object(t, n);
    } else if (n->kind == JSON_ARRAY) {
        sql_text_put(t, "[", 1);
        for (const struct json_node *m = n->first; m && !t->failed; m = m->next) {
            if (m != n->first)
                sql_text_put(t, ",", 1);
            json_write(t, m);
        }
        sql_text_put(t, "]", 1);
    } else if (n->kind == JSON_STRING) {
        json_write_string(t, n->text);
    } else {
        json_put_scalar(t, n);
    }
}
