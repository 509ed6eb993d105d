// SPDX-License-Identifier: Apache-2.0
// See store.h. Where the newest state of each node lies, and reading it back.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint/manifest.h"
#include "checkpoint/store_int.h"

// Where the newest state of each node lies: gathered over all jobs' newest manifests.
struct loading {
    struct store *store;
    const char *const *nodes;
    uint32_t count;
    leat_epoch *best; // per node
    char (*job)[NAME_MAX + 1];
    void (*unknown)(void *arg, const char *node);
    void *arg;
};

static leat_status look_into_job(void *arg, const char *job, struct base_error *error)
{
    struct loading *l = arg;
    leat_epoch epoch;
    char path[PATH_MAX];
    int fd;
    json_t *root;
    uint64_t blobs;
    leat_status st = store_newest_of(l->store, job, UINT64_MAX, &epoch, error);
    if (st < 0 || epoch == 0)
        return st;
    if (!store_path_of(l->store, job, epoch, path))
        return store_path_too_long(error);
    if (epoch > l->store->newest)
        l->store->newest = epoch;
    if ((st = manifest_open(path, &fd, &root, &blobs, error)) < 0)
        return st;
    close(fd);
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(root, "states"), i, item)
    {
        const char *node = json_string_value(json_object_get(item, "node"));
        if (!node)
            continue;
        if (l->unknown && !store_contains(l->nodes, l->count, node))
            l->unknown(l->arg, node);
        for (uint32_t k = 0; k < l->count && l->best; k++) {
            if (strcmp(l->nodes[k], node) == 0 && epoch > l->best[k]) {
                l->best[k] = epoch;
                snprintf(l->job[k], sizeof l->job[k], "%s", job);
            }
        }
    }
    json_decref(root);
    return LEAT_OK;
}

static leat_status load_piece(const struct store *store, const char *job, struct store_piece *piece,
                              struct base_error *error)
{
    char path[PATH_MAX];
    int fd;
    json_t *root;
    uint64_t blobs;
    if (!store_path_of(store, job, piece->epoch, path))
        return base_fail(error, LEAT_BUG, "LEAT-T0003", "the path of the checkpoint folder is too long");
    leat_status st = manifest_open(path, &fd, &root, &blobs, error);
    if (st < 0)
        return st;
    json_decref(root);
    st = manifest_read_piece(fd, path, blobs, piece, error);
    close(fd);
    return st;
}

static leat_status load_node(struct store *store, const char *job, leat_epoch epoch, const char *node,
                             struct store_manifest *m, struct base_error *error)
{
    char path[PATH_MAX];
    int fd;
    json_t *root;
    uint64_t blobs;
    if (!store_path_of(store, job, epoch, path))
        return base_fail(error, LEAT_BUG, "LEAT-T0003", "the path of the checkpoint folder is too long");
    leat_status st = manifest_open(path, &fd, &root, &blobs, error);
    if (st < 0)
        return st;
    close(fd);
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(root, "states"), i, item)
    {
        const char *name = json_string_value(json_object_get(item, "node"));
        if (!name || strcmp(name, node) != 0)
            continue;
        struct store_state *states = realloc(m->states, (m->state_count + 1) * sizeof *states);
        if (!states) {
            st = base_no_memory(error);
            break;
        }
        m->states = states;
        struct store_state *state = &m->states[m->state_count++];
        st = manifest_state_from_json(item, state, error);
        for (uint32_t k = 0; st >= 0 && k < state->piece_count; k++)
            st = load_piece(store, job, &state->pieces[k], error);
        if (st < 0)
            break;
    }
    json_decref(root);
    return st;
}

leat_status store_load(struct store *store, const char *const *nodes, uint32_t count, struct store_manifest *m,
                       struct base_error *error)
{
    *m = (struct store_manifest){0};
    struct loading l = {.store = store, .nodes = nodes, .count = count};
    l.best = calloc(count ? count : 1, sizeof *l.best);
    l.job = calloc(count ? count : 1, sizeof *l.job);
    leat_status st = l.best && l.job ? store_each_job(store, look_into_job, &l, error) : base_no_memory(error);
    for (uint32_t i = 0; i < count && st >= 0; i++) {
        if (l.best[i] > m->epoch)
            m->epoch = l.best[i];
        if (l.best[i])
            st = load_node(store, l.job[i], l.best[i], nodes[i], m, error);
    }
    free(l.best);
    free(l.job);
    if (st < 0)
        store_manifest_fini(m);
    return st;
}

leat_status store_unknown(struct store *store, const char *const *nodes, uint32_t count,
                          void (*fn)(void *arg, const char *node), void *arg, struct base_error *error)
{
    struct loading l = {.store = store, .nodes = nodes, .count = count, .unknown = fn, .arg = arg};
    return store_each_job(store, look_into_job, &l, error);
}
