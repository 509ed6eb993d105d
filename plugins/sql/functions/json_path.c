// SPDX-License-Identifier: Apache-2.0
// JSON paths; see json_path.h.
#include "functions/json_path.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

// --- parsing ---

struct cursor {
    const uint8_t *at, *end;
};

static int is_blank(uint8_t c)
{
    return c == ' ' || (c >= 9 && c <= 13);
}

// "lax" or "strict" and a blank.
static int mode_word(struct cursor *c, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(c->end - c->at) <= len || strncasecmp((const char *)c->at, word, len) != 0 || !is_blank(c->at[len]))
        return 0;
    c->at += len;
    while (c->at < c->end && is_blank(*c->at))
        c->at++;
    return 1;
}

static int add_step(struct json_path *p, uint8_t kind, struct leat_bytes name, int64_t index)
{
    if (p->count == JSON_STEPS_MAX)
        return JSON_PATH_UNSUPPORTED;
    p->step[p->count].kind = kind;
    p->step[p->count].name = name;
    p->step[p->count++].index = index;
    p->indefinite |= kind == JSON_STEP_ALL || kind == JSON_STEP_DEEP;
    return JSON_PATH_OK;
}

static int plain_name(struct json_path *p, struct cursor *c)
{
    const uint8_t *start = c->at;
    if (c->at < c->end && *c->at == '*') {
        c->at++;
        return add_step(p, JSON_STEP_ALL, (struct leat_bytes){NULL, 0}, 0);
    }
    while (c->at < c->end && *c->at != '.' && *c->at != '[' && *c->at != '(' && *c->at != ' ')
        c->at++;
    struct leat_bytes name = {start, (uint32_t)(c->at - start)};
    if (!name.len)
        return JSON_PATH_WRONG;
    if (c->at < c->end && *c->at == '(') {
        if (name.len != 6 || memcmp(name.ptr, "length", 6) != 0 || c->end - c->at != 2 || c->at[1] != ')')
            return JSON_PATH_UNSUPPORTED;
        c->at += 2;
        return add_step(p, JSON_STEP_LENGTH, name, 0);
    }
    return c->at < c->end && *c->at == ' ' ? JSON_PATH_WRONG : add_step(p, JSON_STEP_NAME, name, 0);
}

static void skip_blanks(struct cursor *c)
{
    while (c->at < c->end && *c->at == ' ')
        c->at++;
}

// 'name' in brackets; escapes are left out of what is offered.
static int quoted_name(struct json_path *p, struct cursor *c)
{
    uint8_t quote = *c->at++;
    const uint8_t *start = c->at;
    while (c->at < c->end && *c->at != quote && *c->at != '\\')
        c->at++;
    if (c->at == c->end)
        return JSON_PATH_WRONG;
    if (*c->at == '\\')
        return JSON_PATH_UNSUPPORTED;
    struct leat_bytes name = {start, (uint32_t)(c->at++ - start)};
    return add_step(p, JSON_STEP_NAME, name, 0);
}

static int index_step(struct json_path *p, struct cursor *c)
{
    int negative = *c->at == '-';
    int64_t v = 0;
    c->at += negative;
    const uint8_t *start = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9' && c->at - start < 9)
        v = v * 10 + (*c->at++ - '0');
    if (c->at == start)
        return c->at < c->end && *c->at == ':' ? JSON_PATH_UNSUPPORTED : JSON_PATH_WRONG;
    return add_step(p, JSON_STEP_INDEX, (struct leat_bytes){NULL, 0}, negative ? -v : v);
}

static int bracket(struct json_path *p, struct cursor *c)
{
    int st;
    skip_blanks(c);
    if (c->at == c->end)
        return JSON_PATH_WRONG;
    if (*c->at == '?' || *c->at == '(' || *c->at == '@')
        return JSON_PATH_UNSUPPORTED;
    if (*c->at == '*') {
        c->at++;
        st = add_step(p, JSON_STEP_ALL, (struct leat_bytes){NULL, 0}, 0);
    } else if (*c->at == '\'' || *c->at == '"') {
        st = quoted_name(p, c);
    } else {
        st = index_step(p, c);
    }
    if (st != JSON_PATH_OK)
        return st;
    skip_blanks(c);
    if (c->at < c->end && (*c->at == ',' || *c->at == ':'))
        return JSON_PATH_UNSUPPORTED;
    return c->at < c->end && *c->at++ == ']' ? JSON_PATH_OK : JSON_PATH_WRONG;
}

static int next_step(struct json_path *p, struct cursor *c)
{
    uint8_t first = *c->at++;
    if (first == '[')
        return bracket(p, c);
    if (first != '.')
        return JSON_PATH_WRONG;
    if (c->at < c->end && *c->at == '.') {
        for (uint32_t i = 0; i < p->count; i++) // two of them would visit most nodes many times
            if (p->step[i].kind == JSON_STEP_DEEP)
                return JSON_PATH_UNSUPPORTED;
        int st = add_step(p, JSON_STEP_DEEP, (struct leat_bytes){NULL, 0}, 0);
        c->at++;
        if (st != JSON_PATH_OK)
            return st;
    }
    if (c->at < c->end && *c->at == '[') {
        c->at++;
        return bracket(p, c);
    }
    return plain_name(p, c);
}

int json_path_parse(struct json_path *p, struct leat_bytes text)
{
    struct cursor c = {text.ptr, text.ptr + text.len};
    memset(p, 0, offsetof(struct json_path, step));
    while (c.at < c.end && is_blank(*c.at))
        c.at++;
    p->lax = (uint8_t)mode_word(&c, "lax");
    if (!p->lax)
        mode_word(&c, "strict");
    while (c.end > c.at && is_blank(c.end[-1]))
        c.end--;
    if (c.at == c.end || *c.at++ != '$')
        return JSON_PATH_WRONG;
    while (c.at < c.end) {
        int st = next_step(p, &c);
        if (st != JSON_PATH_OK)
            return st;
    }
    return JSON_PATH_OK;
}

// --- finding ---

struct search {
    struct sql_evaluator *ev;
    const struct json_path *path;
    struct json_node *found; // of an indefinite path: an array of copies
    struct json_node *one;
    int failed;
};

static void visit(struct search *s, struct json_node *n, uint32_t step);

static void arrive(struct search *s, struct json_node *n)
{
    if (!s->path->indefinite) {
        s->one = n;
        return;
    }
    struct json_node *copy = json_new(s->ev, n->kind);
    if (!copy) {
        s->failed = 1;
        return;
    }
    *copy = *n;
    copy->next = NULL;
    json_append(s->found, copy);
}

static void visit_index(struct search *s, struct json_node *n, uint32_t step)
{
    int64_t i = s->path->step[step].index;
    if (n->kind != JSON_ARRAY)
        return;
    i += i < 0 ? n->count : 0;
    struct json_node *item = n->first;
    for (; item && i > 0; i--)
        item = item->next;
    if (item && i == 0)
        visit(s, item, step + 1);
}

static void visit_length(struct search *s, struct json_node *n)
{
    char *text = sql_arena_alloc(&s->ev->arena, 16);
    struct json_node *length = json_is_scalar(n) ? NULL : json_new(s->ev, JSON_INTEGER);
    if (!text || !length) {
        s->failed |= !text || !json_is_scalar(n);
        return;
    }
    length->text = (struct leat_bytes){(uint8_t *)text, (uint32_t)snprintf(text, 16, "%u", n->count)};
    arrive(s, length);
}

// The node itself and all below it.
static void visit_deep(struct search *s, struct json_node *n, uint32_t step)
{
    visit(s, n, step + 1);
    for (struct json_node *child = n->first; child && !s->failed; child = child->next)
        visit_deep(s, child, step);
}

static void visit(struct search *s, struct json_node *n, uint32_t step)
{
    struct json_node *child;
    if (s->failed)
        return;
    if (step == s->path->count) {
        arrive(s, n);
        return;
    }
    switch (s->path->step[step].kind) {
    case JSON_STEP_NAME:
        child = n->kind == JSON_OBJECT ? json_member(n, s->path->step[step].name) : NULL;
        if (child)
            visit(s, child, step + 1);
        break;
    case JSON_STEP_INDEX:
        visit_index(s, n, step);
        break;
    case JSON_STEP_ALL:
        for (child = n->first; child; child = child->next)
            visit(s, child, step + 1);
        break;
    case JSON_STEP_DEEP:
        visit_deep(s, n, step);
        break;
    default:
        visit_length(s, n);
    }
}

struct json_node *json_path_find(struct sql_evaluator *ev, const struct json_path *p, struct json_node *root,
                                 int *failed)
{
    struct search s = {.ev = ev, .path = p};
    *failed = 0;
    if (p->indefinite && !(s.found = json_new(ev, JSON_ARRAY))) {
        *failed = 1;
        return NULL;
    }
    visit(&s, root, 0);
    *failed = s.failed;
    return p->indefinite ? s.found : s.one;
}
