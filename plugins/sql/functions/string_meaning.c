// SPDX-License-Identifier: Apache-2.0
// Strings that mean something: URLs, pairs of keys and values, digits and letters, identifiers.
#include "expr/expr.h"

#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "expr/text.h"
#include "expr/types.h"
#include "functions/pcre.h"
#include "number.h"
#include "utf8.h"

// --- PARSE_URL, as java.net.URL takes them apart ---

struct url {
    struct leat_bytes protocol, authority, user, host, path, query, file, ref; // ptr == NULL: not there
};

// Cuts `s` at the first `mark`; what stands behind it, or no bytes.
static struct leat_bytes cut_at(struct leat_bytes *s, uint8_t mark)
{
    const uint8_t *at = s->len ? memchr(s->ptr, mark, s->len) : NULL;
    if (!at)
        return (struct leat_bytes){NULL, 0};
    struct leat_bytes rest = {at + 1, (uint32_t)(s->ptr + s->len - at - 1)};
    s->len = (uint32_t)(at - s->ptr);
    return rest;
}

static void take_authority(struct url *u, struct leat_bytes *s)
{
    uint32_t n = 2;
    while (n < s->len && s->ptr[n] != '/' && s->ptr[n] != '?')
        n++;
    u->authority = (struct leat_bytes){s->ptr + 2, n - 2};
    *s = (struct leat_bytes){s->ptr + n, s->len - n};
    struct leat_bytes head = u->authority, tail = cut_at(&head, '@');
    u->host = tail.ptr ? tail : head;
    if (tail.ptr)
        u->user = head;
    if (!u->host.len || u->host.ptr[0] != '[')
        cut_at(&u->host, ':');
}

static int parse_url(struct leat_bytes s, struct url *u)
{
    static const char *const protocols[] = {"http", "https", "ftp", "file", "jar", "mailto"};
    memset(u, 0, sizeof *u);
    u->protocol = s;
    s = cut_at(&u->protocol, ':');
    int known = 0;
    for (size_t i = 0; s.ptr && i < sizeof protocols / sizeof *protocols; i++)
        known |= strlen(protocols[i]) == u->protocol.len &&
                 !strncasecmp(protocols[i], (const char *)u->protocol.ptr, u->protocol.len);
    if (!known)
        return 0;
    u->ref = cut_at(&s, '#');
    u->host = (struct leat_bytes){s.ptr, 0};
    if (s.len >= 2 && s.ptr[0] == '/' && s.ptr[1] == '/')
        take_authority(u, &s);
    u->file = u->path = s;
    u->query = cut_at(&u->path, '?');
    return 1;
}

static const struct leat_bytes *url_part(const struct url *u, struct leat_bytes name)
{
    const struct {
        const char *name;
        const struct leat_bytes *part;
    } parts[] = {{"HOST", &u->host},         {"PATH", &u->path}, {"QUERY", &u->query},         {"REF", &u->ref},
                 {"PROTOCOL", &u->protocol}, {"FILE", &u->file}, {"AUTHORITY", &u->authority}, {"USERINFO", &u->user}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strlen(parts[i].name) == name.len && !memcmp(parts[i].name, name.ptr, name.len))
            return parts[i].part;
    return NULL;
}

// The value of `key` in a=1&b=2.
static struct leat_bytes query_value(struct leat_bytes query, struct leat_bytes key)
{
    while (query.ptr) {
        struct leat_bytes rest = cut_at(&query, '&'), value = cut_at(&query, '=');
        if (value.ptr && query.len == key.len && !memcmp(query.ptr, key.ptr, key.len))
            return value;
        query = rest;
    }
    return query;
}

static int row_parse_url(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                         union leat_cell *out, uint8_t *state)
{
    struct url u;
    const struct leat_bytes *part = parse_url(args[0]->bytes, &u) ? url_part(&u, args[1]->bytes) : NULL;
    struct leat_bytes found = part ? *part : (struct leat_bytes){NULL, 0};
    if (e->arg_count > 2)
        found = part == &u.query ? query_value(found, args[2]->bytes) : (struct leat_bytes){NULL, 0};
    *state = found.ptr ? LEAT_VALUE : LEAT_NULL;
    out->bytes = found;
    return 0;
}

static int derive_parse_url(struct sql_bind *b, struct sql_expr *e)
{
    return sql_want_strings(b, e, 0, e->arg_count) ? -1 : sql_derive_string_null(b, e);
}

// --- STR_TO_MAP(text[, between pairs, between key and value]) ---

#define PAIRS_MAX 65536

struct splitter {
    struct sql_regexp *between, *inside;
    uint8_t first, second;
};

struct pairs {
    struct leat_datum *items;
    uint32_t count, cap;
};

static struct leat_datum text_datum(struct leat_bytes s)
{
    return (struct leat_datum){{.bytes = s}, s.ptr ? LEAT_VALUE : LEAT_NULL};
}

// A key that was there already gets the new value.
static int add_pair(struct sql_evaluator *ev, const struct sql_expr *e, struct pairs *p, struct leat_bytes key,
                    struct leat_bytes value)
{
    for (uint32_t i = 0; i < p->count; i += 2)
        if (leat_bytes_equal(p->items[i].cell.bytes, key)) {
            p->items[i + 1] = text_datum(value);
            return 0;
        }
    if (p->count == p->cap) {
        uint32_t cap = p->cap ? 2 * p->cap : 16;
        struct leat_datum *items = cap > PAIRS_MAX ? NULL : sql_eval_alloc(ev, cap * sizeof *items);
        if (!items)
            return cap > PAIRS_MAX ? sql_fail(ev, e, "STR_TO_MAP finds more than %u pairs", PAIRS_MAX / 2) : -1;
        if (p->count)
            memcpy(items, p->items, p->count * sizeof *items);
        p->items = items;
        p->cap = cap;
    }
    p->items[p->count++] = text_datum(key);
    p->items[p->count++] = text_datum(value);
    return 0;
}

// The next separator in s from `at` on; 0 = none, -1 = failure recorded. Separators are regular expressions, as in
// Java.
static int next_place(struct sql_evaluator *ev, const struct sql_expr *e, struct sql_regexp *r, uint8_t literal,
                      struct leat_bytes s, size_t at, size_t *from, size_t *to)
{
    if (!r) {
        const uint8_t *hit = at < s.len ? memchr(s.ptr + at, literal, s.len - at) : NULL;
        *from = hit ? (size_t)(hit - s.ptr) : s.len;
        *to = *from + 1;
        return hit != NULL;
    }
    int found = at <= s.len ? sql_regexp_find(ev, e, r, s, at) : 0;
    if (found != SQL_REGEXP_MATCH)
        return found;
    sql_regexp_group(r, 0, from, to);
    if (*from == *to) { // between two characters
        if (*from >= s.len)
            return 0;
        if (*from == at)
            *from = *to = at + utf8_offset(s.ptr + at, s.len - at, 1);
        return *from < s.len;
    }
    return 1;
}

static int take_pair(struct sql_evaluator *ev, const struct sql_expr *e, const struct splitter *p, struct pairs *to,
                     struct leat_bytes pair)
{
    size_t from = 0, end = 0;
    int found = next_place(ev, e, p->inside, p->second, pair, 0, &from, &end);
    if (found < 0)
        return -1;
    if (!found)
        return add_pair(ev, e, to, pair, (struct leat_bytes){NULL, 0});
    return add_pair(ev, e, to, (struct leat_bytes){pair.ptr, (uint32_t)from},
                    (struct leat_bytes){pair.ptr + end, (uint32_t)(pair.len - end)});
}

static int only_separators(struct sql_evaluator *ev, const struct sql_expr *e, const struct splitter *p,
                           struct leat_bytes s, size_t at)
{
    size_t from = 0, to = 0;
    while (at < s.len) {
        if (next_place(ev, e, p->between, p->first, s, at, &from, &to) <= 0 || from != at || to == from)
            return 0;
        at = to;
    }
    return 1;
}

static int use_separators(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                          struct splitter *p)
{
    if (e->arg_count < 3)
        return 0;
    for (int i = 0; i < 2; i++) {
        struct leat_bytes pattern = args[i + 1]->bytes;
        struct sql_regexp *r = i ? p->inside : p->between;
        if (sql_regexp_use(r, pattern, SQL_REGEXP_JAVA) == SQL_REGEXP_BAD)
            return sql_fail(ev, e, "a separator of STR_TO_MAP is no regular expression: %s", sql_regexp_fault(r));
    }
    return 0;
}

static int row_str_to_map(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                          union leat_cell *out, uint8_t *state)
{
    struct splitter *p = e->data;
    struct leat_bytes s = args[0]->bytes;
    struct pairs to = {0};
    size_t at = 0;
    if (use_separators(ev, e, args, p))
        return -1;
    while (at < s.len) {
        size_t from = 0, end = 0;
        int found = next_place(ev, e, p->between, p->first, s, at, &from, &end);
        if (found < 0)
            return -1;
        if (!found)
            from = end = s.len;
        if (take_pair(ev, e, p, &to, (struct leat_bytes){s.ptr + at, (uint32_t)(from - at)}))
            return -1;
        at = end;
        if (only_separators(ev, e, p, s, at)) // empty texts at the end do not count
            break;
    }
    out->list = (struct leat_list){to.items, to.count};
    return 0;
}

static int derive_str_to_map(struct sql_bind *b, struct sql_expr *e)
{
    struct splitter *p = sql_bind_alloc(b, sizeof *p);
    struct leat_type *t = sql_bind_alloc(b, sizeof *t), *children = sql_bind_alloc(b, 2 * sizeof *children);
    if (!p || !t || !children || e->arg_count == 2 || sql_want_strings(b, e, 0, e->arg_count))
        return b->diag->kind ? -1 : sql_bind_mismatch(b, e);
    p->first = ',';
    p->second = '=';
    if (e->arg_count > 2 && (!(p->between = sql_regexp_create(b)) || !(p->inside = sql_regexp_create(b))))
        return -1;
    children[0] = children[1] = (struct leat_type){.kind = LEAT_TYPE_VARCHAR, .nullable = 1, .length = LEAT_LENGTH_MAX};
    *t = (struct leat_type){
        .kind = LEAT_TYPE_MAP, .nullable = sql_args_nullable(e), .child_count = 2, .children = children};
    e->data = p;
    e->type = t;
    return 0;
}

// --- IS_ALPHA, IS_DIGIT, IS_DECIMAL: FALSE for NULL ---

static int row_is_class(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    out->i64 = 0;
    if (!args[0] || !args[0]->bytes.len)
        return 0;
    int found = sql_regexp_find(ev, e, e->data, args[0]->bytes, 0);
    out->i64 = found == SQL_REGEXP_MATCH;
    return found < 0 ? -1 : 0;
}

static int row_is_decimal(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                          union leat_cell *out, uint8_t *state)
{
    double v;
    out->i64 = 0;
    if (!args[0])
        return 0;
    struct leat_bytes s = number_trimmed(args[0]->bytes);
    out->i64 = number_f64_parse(s.ptr, s.len, &v) == NUMBER_OK;
    return 0;
}

// Numbers are numbers unless they are NULL, or of a type that Flink does not look at.
static int row_not_null(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    out->i64 = args[0] != NULL;
    return 0;
}

static int row_false(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                     union leat_cell *out, uint8_t *state)
{
    out->i64 = 0;
    return 0;
}

static int derive_is(struct sql_bind *b, struct sql_expr *e)
{
    uint8_t kind = e->args[0]->type->kind;
    int decimal = !strcmp(e->func->name, "IS_DECIMAL"), digit = !strcmp(e->func->name, "IS_DIGIT");
    if (!leat_type_is_string(kind) && sql_want_numeric(b, e, 0))
        return -1;
    e->type = sql_bind_type(b, LEAT_TYPE_BOOLEAN, 0);
    if (!leat_type_is_string(kind)) {
        int counts = leat_type_is_integer(kind) ? decimal || digit : decimal && sql_type_is_approx(kind);
        e->row = counts ? row_not_null : row_false;
        return e->type ? 0 : -1;
    }
    if (decimal) {
        e->row = row_is_decimal;
        return e->type ? 0 : -1;
    }
    static const char *const classes[] = {"\\p{L}+", "\\p{Nd}+"};
    struct sql_regexp *r = sql_regexp_create(b);
    if (!r || !e->type)
        return -1;
    struct leat_bytes pattern = {(const uint8_t *)classes[digit], (uint32_t)strlen(classes[digit])};
    sql_regexp_use(r, pattern, SQL_REGEXP_SIMILAR);
    e->data = r;
    e->row = row_is_class;
    return 0;
}

// --- UUID, HASH_CODE ---

static int row_uuid(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                    union leat_cell *out, uint8_t *state)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t id[16], text[36], *to = text;
    if (getrandom(id, sizeof id, 0) != sizeof id)
        return sql_fail(ev, e, "the system has no random numbers");
    id[6] = (id[6] & 0x0F) | 0x40; // version 4, at random
    id[8] = (id[8] & 0x3F) | 0x80;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = (uint8_t)hex[id[i] >> 4];
        *to++ = (uint8_t)hex[id[i] & 15];
    }
    return sql_bytes_copy(ev, text, sizeof text, out);
}

static int derive_uuid(struct sql_bind *b, struct sql_expr *e)
{
    e->type = sql_bind_sized(b, LEAT_TYPE_CHAR, 36, 0);
    return e->type ? 0 : -1;
}

// Java's String.hashCode over UTF-16 units, without its sign.
static int row_hash_code(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                         union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes;
    uint32_t h = 0;
    for (uint32_t at = 0; at < s.len;) {
        unsigned used;
        uint32_t code = utf8_decode(s.ptr + at, s.len - at, &used);
        if (code >= 0x10000) {
            h = h * 31 + (0xD800 + ((code - 0x10000) >> 10));
            code = 0xDC00 + ((code - 0x10000) & 0x3FF);
        }
        h = h * 31 + code;
        at += used;
    }
    out->i64 = (int32_t)h < 0 ? -(int64_t)(int32_t)h : (int32_t)h;
    return 0;
}

static int derive_hash_code(struct sql_bind *b, struct sql_expr *e)
{
    return sql_want_string(b, e, 0) ? -1 : sql_derive_int(b, e);
}

#define IS_FUNC(n)                                                                                                     \
    {                                                                                                                  \
        .name = n, .min_args = 1, .max_args = 1, .flags = SQL_FUNC_NULLS, .derive = derive_is,                         \
        .form = n "(<string or number>)"                                                                               \
    }

static const struct sql_func rows[] = {
    {.name = "PARSE_URL",
     .min_args = 2,
     .max_args = 3,
     .derive = derive_parse_url,
     .row = row_parse_url,
     .form = "PARSE_URL(<string>, <part>[, <key>])"},
    {.name = "STR_TO_MAP",
     .min_args = 1,
     .max_args = 3,
     .derive = derive_str_to_map,
     .row = row_str_to_map,
     .form = "STR_TO_MAP(<string>[, <string>, <string>])"},
    IS_FUNC("IS_ALPHA"),
    IS_FUNC("IS_DIGIT"),
    IS_FUNC("IS_DECIMAL"),
    {.name = "UUID", .flags = SQL_FUNC_VARIES, .derive = derive_uuid, .row = row_uuid, .form = "UUID()"},
    {.name = "HASH_CODE",
     .min_args = 1,
     .max_args = 1,
     .derive = derive_hash_code,
     .row = row_hash_code,
     .form = "HASH_CODE(<string>)"},
};
const struct sql_func_table sql_string_meaning_funcs = SQL_FUNC_TABLE(rows);
