// SPDX-License-Identifier: Apache-2.0
// Misspelt sections: reported, and put where they belong before anything is read, so that what stands in them is looked
// at and nothing is missing elsewhere.
//
//     [soruces.orders]           belongs to [sources]
//     [sources.ordres.schema]    belongs to [sources.orders], if no other part of "ordres" is there
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "config/config_int.h"

const char *const section_names[] = {"server", "pipeline", "sources", "lookups", "operators", "sinks", NULL};

int section_named(const char *name)
{
    for (int i = 0; name && section_names[i]; i++) {
        if (strcmp(section_names[i], name) == 0)
            return i;
    }
    return -1;
}

static struct toml_node *member(struct toml_node *list, const char *key)
{
    while (list && strcmp(list->key, key) != 0)
        list = list->next;
    return list;
}

// Moves the members of `from` into `into`; where both have a table, those are merged. What is there already stays.
static void move_members(struct toml_node *into, struct toml_node *from)
{
    struct toml_node *next;
    for (struct toml_node *n = from->first; n; n = next) {
        struct toml_node *same = member(into->first, n->key), **tail = &into->first;
        next = n->next;
        if (same && same->kind == TOML_TABLE && n->kind == TOML_TABLE) {
            move_members(same, n);
            continue;
        }
        if (same)
            continue;
        while (*tail)
            tail = &(*tail)->next;
        n->next = NULL;
        *tail = n;
    }
    from->first = NULL;
}

// Takes a member out of its list.
static void unlink_member(struct toml_node **list, const struct toml_node *n)
{
    while (*list != n)
        list = &(*list)->next;
    *list = n->next;
}

// What other programs call these sections.
static const char *section_meant(const char *name)
{
    static const struct {
        const char *name, *meant;
    } words[] = {
        {"transforms", "operators"}, {"transform", "operators"}, {"processors", "operators"}, {"queries", "operators"},
        {"steps", "operators"},      {"inputs", "sources"},      {"outputs", "sinks"},        {"targets", "sinks"},
        {"destinations", "sinks"},   {"dimensions", "lookups"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].name, name) == 0)
            return words[i].meant;
    }
    return base_nearest(name, section_names);
}

static void mend_sections(struct config *config, struct toml_node *root)
{
    struct toml_node *next;
    for (struct toml_node *n = root->first; n; n = next) {
        const char *near = n->kind == TOML_TABLE && section_named(n->key) < 0 ? section_meant(n->key) : NULL;
        struct toml_node *into = near ? member(root->first, near) : NULL;
        next = n->next;
        if (!near || (into && into->kind != TOML_TABLE))
            continue;
        char hint[64];
        snprintf(hint, sizeof hint, "Did you mean \"%s\"?", near);
        ERROR(config, "LEAT-C0004", &n->key_place, hint, "unknown section \"%s\"", n->key);
        n->key = near; // of static life
        n->key_len = (uint32_t)strlen(near);
        if (!into)
            continue;
        move_members(into, n);
        unlink_member(&root->first, n);
    }
}

// Nothing but a schema.
static bool is_schema_only(const struct toml_node *n)
{
    return n->kind == TOML_TABLE && n->first && !n->first->next && n->first->kind == TOML_TABLE &&
           strcmp(n->first->key, "schema") == 0;
}

// A schema whose node is called otherwise: goes to the node without one that has a name near to it.
static void mend_schemas(struct config *config, struct toml_node *section)
{
    struct toml_node *next;
    for (struct toml_node *n = section->first; n; n = next) {
        const char *words[2] = {NULL};
        struct toml_node *into = section->first;
        next = n->next;
        for (; is_schema_only(n) && into; into = into->next) {
            words[0] = into->key;
            if (into != n && into->kind == TOML_TABLE && !member(into->first, "schema") && base_nearest(n->key, words))
                break;
        }
        if (!is_schema_only(n) || !into)
            continue;
        char hint[160];
        snprintf(hint, sizeof hint, "Did you mean \"%.64s\"?", into->key);
        ERROR(config, "LEAT-C0004", &n->key_place, hint, "there is a schema for \"%s\", and no node of this name",
              n->key);
        move_members(into, n);
        unlink_member(&section->first, n);
    }
}

void mend_tree(struct config *config, struct toml_node *root)
{
    mend_sections(config, root);
    for (struct toml_node *n = root->first; n; n = n->next) {
        int section = section_named(n->key);
        if (n->kind == TOML_TABLE && (section == SECTION_SOURCES || section == SECTION_LOOKUPS))
            mend_schemas(config, n);
    }
}
