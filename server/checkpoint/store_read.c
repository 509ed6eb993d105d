// SPDX-License-Identifier: Apache-2.0
// See store.h. Where the newest state of each node lies, and reading it back.
//
// A manifest that is damaged, or that needs a piece which is, is passed over for the next older one of its job: all of
// it, since the states of one manifest belong together. It is remembered, so that every reader takes the same one, and
// the reading begins again. What cannot be read at all (rights, a sick disk) is an error: it may be whole.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint/manifest.h"
#include "checkpoint/store_int.h"

// --- passing over what is damaged

static int is_passed_over(const struct store *store, const char *job, leat_epoch epoch)
{
    for (uint32_t i = 0; i < store->damaged_count; i++)
        if (store->damaged[i].epoch == epoch && strcmp(store->damaged[i].job, job) == 0)
            return 1;
    return 0;
}

// Newest epoch of the job below `below` that is not known to be damaged; 0 = none.
static leat_status newest_usable(const struct store *store, const char *job, leat_epoch below, leat_epoch *newest,
                                 struct base_error *error)
{
    leat_status st = LEAT_OK;
    *newest = below;
    do
        st = store_newest_of(store, job, *newest - 1, newest, error);
    while (st >= 0 && *newest && is_passed_over(store, job, *newest));
    return st;
}

static leat_status none_is_whole(const struct store *store, const char *job, struct base_error *error)
{
    for (uint32_t i = 0; i < store->damaged_count; i++) {
        if (strcmp(store->damaged[i].job, job) != 0)
            continue;
        *error = store->damaged[i].why; // of the newest
        break;
    }
    base_error_detail(error, "There is no older checkpoint of job \"%s\" that is whole.", job);
    return error->failure;
}

static leat_status remember(struct store *store, const char *job, leat_epoch epoch, leat_epoch instead,
                            const struct base_error *why, struct base_error *error)
{
    struct store_damaged *all = realloc(store->damaged, (store->damaged_count + 1) * sizeof *all);
    if (!all)
        return base_no_memory(error);
    store->damaged = all;
    all[store->damaged_count] = (struct store_damaged){.epoch = epoch, .instead = instead, .why = *why};
    snprintf(all[store->damaged_count++].job, sizeof all->job, "%s", job);
    for (uint32_t i = 0; i < store->damaged_count; i++) // what was to be taken instead was no better
        if (all[i].instead == epoch && strcmp(all[i].job, job) == 0)
            all[i].instead = instead;
    return LEAT_OK;
}

// The manifest of `epoch` failed with *error. LEAT_OK: an older one is taken from now on; else the reason why not.
static leat_status pass_over(struct store *store, const char *job, leat_epoch epoch, struct base_error *error)
{
    if (!manifest_is_damage(error))
        return error->failure;
    struct base_error why = *error;
    leat_epoch older;
    leat_status st = newest_usable(store, job, epoch, &older, error);
    if (st >= 0)
        st = remember(store, job, epoch, older, &why, error);
    if (st >= 0 && older == 0)
        st = none_is_whole(store, job, error);
    return st;
}

const struct store_damaged *store_passed_over(const struct store *store, uint32_t i)
{
    return i < store->damaged_count ? &store->damaged[i] : NULL;
}

// --- gathering

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

static leat_status read_manifest(const struct store *store, const char *job, leat_epoch epoch, json_t **root,
                                 struct base_error *error)
{
    char path[PATH_MAX];
    int fd;
    uint64_t blobs;
    if (!store_path_of(store, job, epoch, path))
        return store_path_too_long(error);
    leat_status st = manifest_open(path, &fd, root, &blobs, error);
    if (st >= 0)
        close(fd);
    return st;
}

// The newest manifest of the job that can be used; *epoch 0 = there is none.
static leat_status newest_manifest(struct store *store, const char *job, leat_epoch *epoch, json_t **root,
                                   struct base_error *error)
{
    for (;;) {
        leat_status st = newest_usable(store, job, 0, epoch, error); // below 0 is all there are
        if (st < 0 || *epoch == 0 || (st = read_manifest(store, job, *epoch, root, error)) >= 0)
            return st;
        if ((st = pass_over(store, job, *epoch, error)) < 0)
            return st;
    }
}

static void note_state(struct loading *l, const char *job, leat_epoch epoch, const char *node)
{
    if (l->unknown && !store_contains(l->nodes, l->count, node))
        l->unknown(l->arg, node);
    for (uint32_t k = 0; k < l->count && l->best; k++) {
        if (strcmp(l->nodes[k], node) == 0 && epoch > l->best[k]) {
            l->best[k] = epoch;
            snprintf(l->job[k], sizeof l->job[k], "%s", job);
        }
    }
}

static leat_status look_into_job(void *arg, const char *job, struct base_error *error)
{
    struct loading *l = arg;
    leat_epoch epoch;
    json_t *root;
    leat_status st = newest_manifest(l->store, job, &epoch, &root, error);
    if (st < 0 || epoch == 0)
        return st;
    if (epoch > l->store->newest)
        l->store->newest = epoch;
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(root, "states"), i, item)
    {
        const char *node = json_string_value(json_object_get(item, "node"));
        if (node)
            note_state(l, job, epoch, node);
    }
    json_decref(root);
    return LEAT_OK;
}

// --- loading

static leat_status load_piece(const struct store *store, const char *job, struct store_piece *piece,
                              struct base_error *error)
{
    char path[PATH_MAX];
    int fd;
    json_t *root;
    uint64_t blobs;
    if (!store_path_of(store, job, piece->epoch, path))
        return store_path_too_long(error);
    leat_status st = manifest_open(path, &fd, &root, &blobs, error);
    if (st < 0)
        return st;
    json_decref(root);
    st = manifest_read_piece(fd, path, blobs, piece, error);
    close(fd);
    return st;
}

static leat_status load_state(const struct store *store, const char *job, const json_t *item, struct store_manifest *m,
                              struct base_error *error)
{
    struct store_state *states = realloc(m->states, (m->state_count + 1) * sizeof *states);
    if (!states)
        return base_no_memory(error);
    m->states = states;
    struct store_state *state = &m->states[m->state_count++];
    leat_status st = manifest_state_from_json(item, state, error);
    for (uint32_t k = 0; st >= 0 && k < state->piece_count; k++)
        st = load_piece(store, job, &state->pieces[k], error);
    return st;
}

static leat_status load_node(const struct store *store, const char *job, leat_epoch epoch, const char *node,
                             struct store_manifest *m, struct base_error *error)
{
    json_t *root;
    leat_status st = read_manifest(store, job, epoch, &root, error);
    if (st < 0)
        return st;
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(root, "states"), i, item)
    {
        const char *name = json_string_value(json_object_get(item, "node"));
        if (name && strcmp(name, node) == 0 && (st = load_state(store, job, item, m, error)) < 0)
            break;
    }
    json_decref(root);
    return st;
}

// LEAT_AGAIN: a manifest was passed over; what was loaded is not to be mixed with what an older one says.
static leat_status load_nodes(struct loading *l, struct store_manifest *m, struct base_error *error)
{
    *m = (struct store_manifest){0};
    memset(l->best, 0, l->count * sizeof *l->best);
    leat_status st = store_each_job(l->store, look_into_job, l, error);
    for (uint32_t i = 0; i < l->count && st >= 0; i++) {
        if (l->best[i] > m->epoch)
            m->epoch = l->best[i];
        if (l->best[i] == 0 || (st = load_node(l->store, l->job[i], l->best[i], l->nodes[i], m, error)) >= 0)
            continue;
        if ((st = pass_over(l->store, l->job[i], l->best[i], error)) >= 0)
            st = LEAT_AGAIN;
        break;
    }
    if (st != LEAT_OK)
        store_manifest_fini(m);
    return st;
}

leat_status store_load(struct store *store, const char *const *nodes, uint32_t count, struct store_manifest *m,
                       struct base_error *error)
{
    *m = (struct store_manifest){0};
    struct loading l = {.store = store, .nodes = nodes, .count = count};
    l.best = calloc(count ? count : 1, sizeof *l.best);
    l.job = calloc(count ? count : 1, sizeof *l.job);
    leat_status st = l.best && l.job ? LEAT_AGAIN : base_no_memory(error);
    while (st == LEAT_AGAIN)
        st = load_nodes(&l, m, error);
    free(l.best);
    free(l.job);
    return st;
}

leat_status store_unknown(struct store *store, const char *const *nodes, uint32_t count,
                          void (*fn)(void *arg, const char *node), void *arg, struct base_error *error)
{
    struct loading l = {.store = store, .nodes = nodes, .count = count, .unknown = fn, .arg = arg};
    return store_each_job(store, look_into_job, &l, error);
}
