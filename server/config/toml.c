// SPDX-License-Identifier: Apache-2.0
// From the shim's pieces to a tree in file order. See toml.h.
#include "config/toml.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/toml_shim.h"

#define MENDS_MAX 50 // lines of a file that are mended: each means to read it anew

struct build {
    struct base_arena *arena;
    const struct base_source *source;
    struct toml_node *stack[SHIM_DEPTH_MAX + 2]; // open tables and arrays
    struct toml_node *last[SHIM_DEPTH_MAX + 2];  // their last child so far
    int depth;
    struct toml_node *root; // of what was read before a section that stands twice
};

// Byte column of the column that toml++ counts in characters.
static uint32_t byte_column(const struct base_source *source, uint32_t line, uint32_t column)
{
    size_t len, at = 0;
    const char *text = base_source_line(source, line, &len);
    for (uint32_t i = 1; i < column && at < len; i++) {
        at++;
        while (at < len && ((unsigned char)text[at] & 0xc0) == 0x80)
            at++;
    }
    return (uint32_t)at + 1;
}

static struct base_place place_of(const struct base_source *source, uint32_t line, uint32_t column, uint32_t end_line,
                                  uint32_t end_column)
{
    struct base_place p = {source, line, byte_column(source, line, column), 1};
    size_t len;
    base_source_line(source, line, &len);
    uint32_t end = line == end_line ? byte_column(source, line, end_column) : (uint32_t)len + 1;
    if (end > p.column)
        p.len = end - p.column;
    return p;
}

// The value as written.
static bool take_text(struct build *b, struct toml_node *n, const struct shim_item *item)
{
    const char *text = item->text;
    size_t len = item->len;
    if (item->kind != SHIM_STRING) {
        text = b->source->text + base_place_offset(&n->place);
        len = n->place.len;
        while (len && strchr(" \t\r\n", text[len - 1]))
            len--;
    }
    n->text = base_arena_strndup(b->arena, text, len);
    n->len = (uint32_t)len;
    return n->text != NULL;
}

static struct toml_node *make_node(struct build *b, const struct shim_item *item)
{
    static const enum toml_kind kinds[] = {
        [SHIM_TABLE] = TOML_TABLE, [SHIM_ARRAY] = TOML_ARRAY, [SHIM_STRING] = TOML_TEXT, [SHIM_INT] = TOML_INT,
        [SHIM_FLOAT] = TOML_FLOAT, [SHIM_BOOL] = TOML_BOOL,   [SHIM_OTHER] = TOML_DATE};
    struct toml_node *n = base_arena_calloc(b->arena, 1, sizeof *n);
    if (!n)
        return NULL;
    n->kind = kinds[item->kind];
    n->text = "";
    if (item->key) {
        n->key = base_arena_strndup(b->arena, item->key, item->key_len);
        n->key_len = (uint32_t)item->key_len;
        n->key_place = place_of(b->source, item->key_line, item->key_column, item->key_line, item->key_end_column);
        if (!n->key)
            return NULL;
    }
    n->place = place_of(b->source, item->line, item->column, item->end_line, item->end_column);
    if (n->kind != TOML_TABLE && n->kind != TOML_ARRAY && !take_text(b, n, item))
        return NULL;
    return n;
}

static int on_item(void *arg, const struct shim_item *item)
{
    struct build *b = arg;
    if (item->kind == SHIM_END) {
        b->depth--;
        return 0;
    }
    struct toml_node *n = make_node(b, item);
    if (!n)
        return -3;
    if (b->depth > 0) {
        struct toml_node **last = &b->last[b->depth - 1];
        if (*last)
            (*last)->next = n;
        else
            b->stack[b->depth - 1]->first = n;
        *last = n;
    }
    if (n->kind == TOML_TABLE || n->kind == TOML_ARRAY || b->depth == 0) {
        b->stack[b->depth] = n;
        b->last[b->depth++] = NULL;
    }
    return 0;
}

static bool before(const struct toml_node *a, const struct toml_node *b)
{
    const struct base_place *p = &a->key_place, *q = &b->key_place;
    return p->line != q->line ? p->line < q->line : p->column < q->column;
}

// Merges two lists that are in file order.
static struct toml_node *merge(struct toml_node *a, struct toml_node *b)
{
    struct toml_node *first = NULL, **tail = &first;
    while (a && b) {
        struct toml_node **from = before(b, a) ? &b : &a;
        *tail = *from;
        tail = &(*tail)->next;
        *from = (*from)->next;
    }
    *tail = a ? a : b;
    return first;
}

// Puts a list of members into file order. toml++ gives them sorted by name.
static struct toml_node *sort(struct toml_node *list)
{
    if (!list || !list->next)
        return list;
    struct toml_node *slow = list, *fast = list->next;
    while (fast && fast->next) {
        slow = slow->next;
        fast = fast->next->next;
    }
    struct toml_node *half = slow->next;
    slow->next = NULL;
    return merge(sort(list), sort(half));
}

static void sort_all(struct toml_node *n)
{
    if (n->kind == TOML_TABLE)
        n->first = sort(n->first);
    for (struct toml_node *c = n->first; c; c = c->next)
        sort_all(c);
}

// --- a section that stands twice

// The order in which toml++ gives members; lists are put into file order at the very end.
static int compare_keys(const struct toml_node *a, const struct toml_node *b)
{
    int order = memcmp(a->key, b->key, a->key_len < b->key_len ? a->key_len : b->key_len);
    return order ? order : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static bool are_tables(const struct toml_node *a, const struct toml_node *b)
{
    return a->kind == TOML_TABLE && b->kind == TOML_TABLE;
}

// Do they give the same option? Then they are two of one name, rather than one in two pieces.
static bool are_two(const struct toml_node *one, const struct toml_node *other)
{
    const struct toml_node *a = one->first, *b = other->first;
    while (a && b) {
        int order = compare_keys(a, b);
        if (order == 0 && !are_tables(a, b))
            return true;
        a = order <= 0 ? a->next : a;
        b = order >= 0 ? b->next : b;
    }
    return false;
}

// Puts what was read later to what was read before; `depth` 1 is that of nodes. A value that is there stays.
static void join(struct toml_node *into, struct toml_node *from, int depth)
{
    struct toml_node *a = into->first, *b = from->first, **tail = &into->first;
    while (a && b) {
        int order = compare_keys(a, b);
        struct toml_node *n = order < 0 ? a : b;
        *(order < 0 ? &a : &b) = n->next;
        bool again = order == 0 && are_tables(a, n);
        if (again && (depth != 1 || !are_two(a, n))) {
            join(a, n, depth + 1);
        } else if (again || order != 0) {
            *tail = n;
            tail = &n->next;
        }
    }
    *tail = a ? a : b;
}

// Takes the tree that was built to what there is.
static void take_tree(struct build *b)
{
    if (b->root)
        join(b->root, b->stack[0], 0);
    else
        b->root = b->stack[0];
}

// Reads what stands before `at`, and leaves blanks in its place.
static bool split(struct build *b, struct base_str *text, size_t at)
{
    struct shim_error ignored;
    if (shim_parse(text->ptr, at, on_item, b, &ignored) != 0)
        return false;
    take_tree(b);
    for (size_t i = 0; i < at; i++)
        if (text->ptr[i] != '\n')
            text->ptr[i] = ' ';
    return true;
}

// --- faults

static void report_syntax(const struct base_source *source, struct base_diags *diags, const struct shim_error *e)
{
    const char *what = e->text, *prefix = "Error while parsing ";
    if (strncmp(what, prefix, strlen(prefix)) == 0)
        what += strlen(prefix);
    struct base_place place = {source, e->line, e->line ? byte_column(source, e->line, e->column) : 0, 1};
    base_diag_add(diags, LEAT_DIAG_ERROR, "LEAT-C0002", &place, toml_hint(source, e->line, what),
                  "this is not TOML: %c%s", tolower((unsigned char)what[0]), what[0] ? what + 1 : "");
}

// Puts a mended line in the place of the one that begins at `at`.
static bool put_line(struct base_str *text, size_t at, const struct base_str *line)
{
    const char *end = memchr(text->ptr + at, '\n', text->len - at);
    struct base_str all;
    base_str_init(&all);
    base_str_addf(&all, "%.*s%s%s", (int)at, text->ptr, line->len ? line->ptr : "", end ? end : "");
    bool ok = base_str_ok(line) && base_str_ok(&all);
    if (ok) {
        base_str_fini(text);
        *text = all;
    } else {
        base_str_fini(&all);
    }
    return ok;
}

// Mends the line of an error in `text`, whose lines are as many as those of the source.
static bool mend_line(struct build *b, struct base_diags *diags, struct base_str *text, const struct shim_error *e)
{
    size_t at = 0;
    for (uint32_t i = 1; i < e->line; i++) {
        const char *end = memchr(text->ptr + at, '\n', text->len - at);
        if (!end)
            return false;
        at = (size_t)(end + 1 - text->ptr);
    }
    if (strstr(e->text, "table header: cannot redefine existing table")) {
        base_diag_lost(diags);
        return split(b, text, at);
    }
    struct base_str line;
    base_str_init(&line);
    enum toml_mended mended = TOML_STOP;
    if (e->line && !toml_is_within(text->ptr, text->len, at))
        mended = toml_mend(text->ptr, text->len, at, byte_column(b->source, e->line, e->column), e->text, &line);
    bool ok = mended != TOML_STOP && put_line(text, at, &line);
    if (mended == TOML_LOST)
        base_diag_lost(diags);
    base_str_fini(&line);
    return ok;
}

static bool is_query(const char *line)
{
    line += strspn(line, " \t\"'");
    return strncmp(line, "query", 5) == 0;
}

// Are all lines behind the first one options of the node rather than text?
static bool are_options(const char *p, const char *end)
{
    while ((p = memchr(p, '\n', (size_t)(end - p)))) {
        p++;
        size_t len = strcspn(p, "\n");
        if (p + strspn(p, " \t\r") < p + len && p[strspn(p, " \t")] != '#' && !memchr(p, '=', len))
            return false;
    }
    return true;
}

// Closes a string of several lines that takes in the next section: in its own line where options of the node follow, else
// before the section. The line, 0 = there is no such string behind line `last`.
static uint32_t close_string(const struct build *b, struct base_diags *diags, struct base_str *text, uint32_t last)
{
    size_t close, at = toml_open_string(text->ptr, text->len, &close), begin = 0;
    struct base_place place = {b->source, 1, 0, 3};
    for (size_t i = 0; i < at; i++)
        if (text->ptr[i] == '\n') {
            place.line++;
            begin = i + 1;
        }
    if (at == text->len || place.line <= last)
        return 0;
    bool query = is_query(text->ptr + begin);
    if (!query && are_options(text->ptr + at, text->ptr + close))
        close = at + strcspn(text->ptr + at, "\r\n");
    char quotes[4] = {text->ptr[at], text->ptr[at], text->ptr[at]}, hint[80];
    struct base_str all;
    base_str_init(&all);
    base_str_addf(&all, "%.*s%s%s", (int)close, text->ptr, quotes, text->ptr + close);
    if (!base_str_ok(&all)) {
        base_str_fini(&all);
        return 0;
    }
    base_str_fini(text);
    *text = all;
    place.column = (uint32_t)(at - begin) + 1;
    snprintf(hint, sizeof hint, "Close it by %s behind its last line.", quotes);
    base_diag_add(diags, LEAT_DIAG_ERROR, "LEAT-C0002", &place, hint,
                  "this is not TOML: the string that begins here is not closed");
    if (!query)
        base_diag_lost(diags);
    return place.line;
}

// 0, or what shim_parse says; -1 has been reported.
static int parse_mending(struct build *b, struct base_diags *diags)
{
    const struct base_source *source = b->source;
    struct shim_error e;
    struct base_str text;
    uint32_t last = 0;
    int st = shim_parse(source->text, source->len, on_item, b, &e);
    if (st != -1)
        return st;
    base_str_init(&text);
    base_str_addf(&text, "%s", source->text);
    bool go_on = base_str_ok(&text) && text.len == source->len; // no NUL bytes
    for (int n = 0; st == -1; n++) {
        go_on = go_on && n < MENDS_MAX;
        uint32_t line = go_on ? close_string(b, diags, &text, last) : 0;
        if (!line) {
            report_syntax(source, diags, &e);
            line = e.line;
            go_on = go_on && line > last && mend_line(b, diags, &text, &e);
        }
        if (!go_on || toml_guard(text.ptr, text.len) != text.len)
            break;
        last = line;
        st = shim_parse(text.ptr, text.len, on_item, b, &e);
    }
    base_str_fini(&text);
    return st;
}

struct toml_node *toml_parse(struct base_arena *arena, const struct base_source *source, struct base_diags *diags)
{
    struct build b = {.arena = arena, .source = source};
    size_t deep = toml_guard(source->text, source->len);
    if (deep < source->len) {
        struct base_place place = base_place_at(source, deep, 1);
        base_diag_add(diags, LEAT_DIAG_ERROR, "LEAT-C0003", &place, NULL, "nested deeper than %d levels",
                      TOML_DEPTH_MAX);
        return NULL;
    }
    int st = parse_mending(&b, diags);
    if (st == -1)
        return NULL;
    if (st != 0) {
        base_diag_add(diags, LEAT_DIAG_ERROR, st == -2 ? "LEAT-C0003" : "LEAT-R0001",
                      &(struct base_place){.source = source}, NULL, st == -2 ? "nested too deeply" : "out of memory");
        return NULL;
    }
    take_tree(&b);
    sort_all(b.root);
    return b.root;
}

const struct toml_node *toml_member(const struct toml_node *table, const char *key)
{
    for (const struct toml_node *n = table->first; n; n = n->next) {
        if (n->key && n->key_len == strlen(key) && memcmp(n->key, key, n->key_len) == 0)
            return n;
    }
    return NULL;
}
