// SPDX-License-Identifier: Apache-2.0
// From TOML tables to settings: dotted keys, quoted keys and nested tables all become one dotted path.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/str.h"
#include "config/config_int.h"

#define SETTINGS_MAX 4096 // of one section or node

struct flat {
    struct config *config;
    struct plugin_setting *items;
    uint32_t count, cap;
    struct base_map seen; // path -> number of the setting + 1
    struct base_str path;
};

void no_memory(struct config *config)
{
    ERROR(config, "LEAT-R0001", NULL, NULL, "out of memory");
}

static bool is_query(const char *path)
{
    return strcmp(path, "query") == 0;
}

static const enum plugin_setting_kind kinds[] = {
    [TOML_ARRAY] = PLUGIN_LIST,  [TOML_TEXT] = PLUGIN_TEXT, [TOML_INT] = PLUGIN_INT,
    [TOML_FLOAT] = PLUGIN_FLOAT, [TOML_BOOL] = PLUGIN_BOOL, [TOML_DATE] = PLUGIN_OTHER,
};

static bool make_items(struct config *config, const struct toml_node *list, struct plugin_setting *out)
{
    uint32_t count = 0;
    bool ok = true;
    for (const struct toml_node *n = list->first; n; n = n->next)
        count++;
    struct plugin_item *items = base_arena_calloc(config->arena, count + 1, sizeof *items);
    if (!items) {
        no_memory(config);
        return false;
    }
    for (const struct toml_node *n = list->first; n; n = n->next) {
        if (n->kind == TOML_TABLE || n->kind == TOML_ARRAY) {
            ERROR(config, "LEAT-C0006", &n->place, NULL,
                  "option \"%s\" must be a list of plain values, without %s in it", out->path,
                  n->kind == TOML_TABLE ? "tables" : "lists");
            return false;
        }
        struct plugin_item *item = &items[out->item_count++];
        *item = (struct plugin_item){kinds[n->kind], n->text, n->len, n->place};
        struct plugin_setting where = {
            .path = out->path, .kind = PLUGIN_TEXT, .text = n->text, .raw = n->text, .place = n->place};
        if (item->kind == PLUGIN_TEXT)
            ok = substitute(config, &item->text, &item->len, &where, &out->secret) && ok;
    }
    out->items = items;
    return ok;
}

bool make_setting(struct config *config, const struct toml_node *node, const char *path, struct plugin_setting *out)
{
    *out = (struct plugin_setting){.path = path,
                                   .kind = kinds[node->kind],
                                   .text = node->text,
                                   .len = node->len,
                                   .raw = node->text,
                                   .raw_len = node->len,
                                   .key_place = node->key_place,
                                   .place = node->place};
    if (out->kind == PLUGIN_LIST)
        return make_items(config, node, out);
    struct plugin_setting where = *out;
    return out->kind != PLUGIN_TEXT || is_query(path) ||
           substitute(config, &out->text, &out->len, &where, &out->secret);
}

// Room for one more; NULL and a fault when there is none.
static struct plugin_setting *next_setting(struct flat *f, const struct toml_node *node)
{
    if (f->count < f->cap)
        return &f->items[f->count];
    if (f->count >= SETTINGS_MAX) {
        ERROR(f->config, "LEAT-C0003", &node->key_place, NULL, "more than %d options", SETTINGS_MAX);
        return NULL;
    }
    uint32_t cap = f->cap ? f->cap * 2 : 16;
    struct plugin_setting *grown = base_arena_calloc(f->config->arena, cap, sizeof *grown);
    if (!grown) {
        no_memory(f->config);
        return NULL;
    }
    if (f->count)
        memcpy(grown, f->items, f->count * sizeof *grown);
    f->items = grown;
    f->cap = cap;
    return &f->items[f->count];
}

// Where the key segment that ends before `p` begins; `p` itself if there is none.
static const char *segment_begin(const char *p, const char *line)
{
    const char *q = p;
    if (q > line && (q[-1] == '"' || q[-1] == '\'')) {
        char quote = *--q;
        do
            q--;
        while (q > line && *q != quote);
        return q > line || *q == quote ? q : p;
    }
    while (q > line && (isalnum((unsigned char)q[-1]) || q[-1] == '_' || q[-1] == '-'))
        q--;
    return q;
}

// The place of a key with the dotted segments before it: a table's own place is where it was named first, which may be
// another line.
static struct base_place whole_key(const struct base_place *last)
{
    const struct base_source *s = last->source;
    const char *line = s->text + s->lines[last->line - 1], *from = line + last->column - 1, *p = from;
    for (;;) {
        while (p > line && (p[-1] == ' ' || p[-1] == '\t'))
            p--;
        if (p == line || *--p != '.')
            break;
        while (p > line && (p[-1] == ' ' || p[-1] == '\t'))
            p--;
        const char *begin = segment_begin(p, line);
        if (begin == p)
            break;
        from = p = begin;
    }
    struct base_place whole = *last;
    whole.column = (uint32_t)(from - line) + 1;
    whole.len += last->column - whole.column;
    return whole;
}

static void add_value(struct flat *f, const struct toml_node *node)
{
    const char *path = base_arena_strndup(f->config->arena, f->path.ptr, f->path.len);
    struct base_place key_place = whole_key(&node->key_place);
    if (!path) {
        no_memory(f->config);
        return;
    }
    if (strlen(path) != f->path.len) {
        ERROR(f->config, "LEAT-C0005", &key_place, NULL, "the name of an option must not hold a NUL character");
        return;
    }
    size_t seen = (size_t)(uintptr_t)base_map_get(&f->seen, path, f->path.len);
    if (seen) {
        char hint[200];
        snprintf(hint, sizeof hint, "A dotted key and the quoted key mean the same; it is first given in line %u.",
                 f->items[seen - 1].key_place.line);
        ERROR(f->config, "LEAT-C0009", &key_place, hint, "option \"%s\" is given twice", path);
        return;
    }
    struct plugin_setting *s = next_setting(f, node);
    if (!s || !base_map_put(&f->seen, path, f->path.len, (void *)(uintptr_t)(f->count + 1)))
        return;
    bool broken = !make_setting(f->config, node, path, s);
    s->broken = broken;
    s->key_place = key_place; // stays in: it is not missing on top of its own fault
    f->count++;
}

static void add_table(struct flat *f, const struct toml_node *table, const char *skip)
{
    size_t base = f->path.len;
    for (const struct toml_node *n = table->first; n; n = n->next) {
        if (skip && strcmp(n->key, skip) == 0)
            continue;
        if (base)
            base_str_addc(&f->path, '.');
        base_str_add(&f->path, n->key, n->key_len);
        if (!base_str_ok(&f->path))
            no_memory(f->config);
        else if (n->kind == TOML_TABLE)
            add_table(f, n, NULL);
        else
            add_value(f, n);
        f->path.len = base;
        if (f->path.cap)
            f->path.ptr[base] = 0;
    }
}

struct plugin_setting *flatten(struct config *config, const struct toml_node *table, const char *skip, uint32_t *count)
{
    struct flat f = {.config = config};
    base_map_init(&f.seen);
    base_str_init(&f.path);
    f.path.max = 4096;
    add_table(&f, table, skip);
    base_map_fini(&f.seen);
    base_str_fini(&f.path);
    *count = f.count;
    return f.items;
}
