// SPDX-License-Identifier: Apache-2.0
// Intrusive doubly linked list: the links live in the member, the list owns nothing.
//
// A `struct base_list` is both the head and the link. A head points at itself when empty; a link that is in no list
// does the same after base_list_init or base_list_remove, so that removing twice does no harm.
// Thread: the owner of the list.
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct base_list {
    struct base_list *prev, *next;
};

// The object of which `link` is the field `field`.
#define BASE_LIST_ITEM(link, type, field) ((type *)(void *)((char *)(link)-offsetof(type, field)))

// Walks all links; the body may not remove the one it stands on (see BASE_LIST_EACH_SAFE).
#define BASE_LIST_EACH(it, head) for (struct base_list *it = (head)->next; it != (head); it = it->next)

// Walks all links; the body may remove and free the one it stands on.
#define BASE_LIST_EACH_SAFE(it, head)                                                                                  \
    for (struct base_list *it = (head)->next, *it##_next = it->next; it != (head); it = it##_next, it##_next = it->next)

static inline void base_list_init(struct base_list *list)
{
    list->prev = list->next = list;
}

static inline bool base_list_empty(const struct base_list *list)
{
    return list->next == list;
}

static inline void base_list_push_back(struct base_list *list, struct base_list *link)
{
    link->prev = list->prev;
    link->next = list;
    list->prev->next = link;
    list->prev = link;
}

static inline void base_list_push_front(struct base_list *list, struct base_list *link)
{
    base_list_push_back(list->next, link);
}

static inline void base_list_remove(struct base_list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    base_list_init(link);
}

// Takes the first link out; NULL if the list is empty.
static inline struct base_list *base_list_pop_front(struct base_list *list)
{
    struct base_list *link = list->next;
    if (link == list)
        return NULL;
    base_list_remove(link);
    return link;
}

#endif
