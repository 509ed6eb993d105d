// SPDX-License-Identifier: Apache-2.0
// See store.h. Layout of a file, integers little-endian:
//
//     8 bytes "LEATCKP1" · u32 length of the manifest · u32 its CRC-32 · manifest (JSON) · pieces, one after the other
//
// The manifest: {"epoch": N, "job": "…", "states": [{"node": "…", "instance": 0, "instances": 1,
// "shape": "16 hex digits", "words": "…", "pieces": [{"epoch": M, "offset": O, "length": L, "version": V, "kind": 1, "crc": C}]}]}. `epoch` of a piece names its file;
// offsets count from the end of the manifest of that file. `shape` is missing where a node says none, and in files of
// builds that did not keep it; `words` where it has none.
#include "checkpoint/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "fault.h"

#define MAGIC        "LEATCKP1"
#define HEADER       16
#define MANIFEST_MAX ((size_t)256 << 20)
#define SUFFIX       ".ckpt"

struct store {
    char dir[PATH_MAX]; // of the pipeline
    int lock_fd;
    leat_epoch newest;
    int empty;
    int unsynced; // a job's folder may have been made that `dir` was not synced after; the writer's
};

// --- small things
// ---------------------------------------------------------------------------------------------------------

static uint32_t checksum(const void *bytes, size_t len)
{
    return (uint32_t)crc32_z(0, bytes, len);
}

static void put_u32(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static leat_status fail_io(struct base_error *error, const char *what, const char *path)
{
    int err = errno;
    leat_status st = base_fail(
        error, err == ENOMEM || err == ENOSPC || err == EDQUOT || err == EMFILE ? LEAT_RESOURCE : LEAT_TRANSIENT,
        "LEAT-T0001", "could not %s \"%s\": %s", what, path, strerror(err));
    base_error_native(error, strerrorname_np(err), strerror(err));
    return st;
}

// A folder that cannot be listed is not an empty one: to start anew there would write over what it holds.
static leat_status fail_list(struct base_error *error, const char *path)
{
    int err = errno;
    base_fail(error, LEAT_RESOURCE, "LEAT-T0001", "could not list checkpoint folder \"%s\": %s", path, strerror(err));
    base_error_native(error, strerrorname_np(err), strerror(err));
    if (err == EMFILE || err == ENFILE)
        base_error_hint(error, "Raise the limit of open files (ulimit -n, or LimitNOFILE= of the service).");
    else if (err == EACCES || err == EPERM)
        base_error_hint(error, "Give the user that runs leat the rights to read, write and enter the folder.");
    else
        base_error_hint(error, "Look at the disk and the file system of the folder; nothing in it was changed.");
    return LEAT_RESOURCE;
}

static leat_status path_too_long(struct base_error *error)
{
    return base_fail(error, LEAT_CONFIG, "LEAT-T0003", "the path of the checkpoint folder is too long");
}

static leat_status damaged(struct base_error *error, const char *path, const char *why)
{
    base_fail(error, LEAT_FATAL, "LEAT-T0002", "checkpoint file \"%s\" is damaged: %s", path, why);
    base_error_hint(error, "Restore the file from a backup, or remove the pipeline's checkpoint folder and start anew "
                           "(sources then begin as on their first start).");
    return LEAT_FATAL;
}

static int write_all(int fd, const void *ptr, size_t len)
{
    const uint8_t *at = ptr;
    while (len) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return 0;
        at += n;
        len -= (size_t)n;
    }
    return 1;
}

static int sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    int ok = fsync(fd) == 0, err = errno;
    close(fd);
    errno = err;
    return ok;
}

// A folder is there after a crash when the one above was synced. One that may be written but not read, or a file system
// that syncs no folders, is no reason to refuse: that is how the operator made it.
static int make_dir(char *path)
{
    if (mkdir(path, 0700) != 0)
        return errno == EEXIST;
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = 0;
    int ok = sync_dir(!slash ? "." : *path ? path : "/") || errno == EACCES || errno == EINVAL;
    if (slash)
        *slash = '/';
    int err = errno;
    if (!ok)
        rmdir(path); // so that the next try does not take it for synced
    errno = err;
    return ok;
}

static int make_dirs(char *path)
{
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = 0;
        int ok = make_dir(path);
        *at = '/';
        if (!ok)
            return 0;
    }
    return make_dir(path);
}

// The epoch in a file's name, or 0.
static leat_epoch epoch_of(const char *name)
{
    char *end = NULL;
    if (*name < '0' || *name > '9')
        return 0;
    leat_epoch epoch = strtoull(name, &end, 10);
    return end && strcmp(end, SUFFIX) == 0 ? epoch : 0;
}

static int path_of(const struct store *store, const char *job, leat_epoch epoch, char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s/%s/%016" PRIu64 SUFFIX, store->dir, job, epoch) < PATH_MAX;
}

// Newest epoch of a job's folder that is at most `below`; 0 = none, also when there is no folder.
static leat_status newest_of(const struct store *store, const char *job, leat_epoch below, leat_epoch *newest,
                             struct base_error *error)
{
    char path[PATH_MAX];
    *newest = 0;
    if (snprintf(path, sizeof path, "%s/%s", store->dir, job) >= PATH_MAX)
        return path_too_long(error);
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT ? LEAT_OK : fail_list(error, path);
    for (struct dirent *e; errno = 0, (e = readdir(dir));) {
        leat_epoch epoch = epoch_of(e->d_name);
        if (epoch > *newest && epoch <= below)
            *newest = epoch;
    }
    leat_status st = errno ? fail_list(error, path) : LEAT_OK;
    closedir(dir);
    return st;
}

// Not every file system says in a listing what is a folder. -1 with errno: cannot be told.
static int is_folder(DIR *dir, const struct dirent *e)
{
    struct stat st;
    if (e->d_name[0] == '.')
        return 0;
    if (e->d_type != DT_UNKNOWN)
        return e->d_type == DT_DIR;
    if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : -1;
    return S_ISDIR(st.st_mode);
}

// Calls fn for every job's folder, up to the first failure.
static leat_status each_job(const struct store *store,
                            leat_status (*fn)(void *arg, const char *job, struct base_error *error), void *arg,
                            struct base_error *error)
{
    DIR *dir = opendir(store->dir);
    if (!dir)
        return fail_list(error, store->dir);
    leat_status st = LEAT_OK;
    for (struct dirent *e; st >= 0;) {
        errno = 0;
        int folder = (e = readdir(dir)) ? is_folder(dir, e) : -1;
        if (!e && errno == 0)
            break;
        if (folder < 0)
            st = fail_list(error, store->dir);
        else if (folder)
            st = fn(arg, e->d_name, error);
    }
    closedir(dir);
    return st;
}

static leat_status note_newest(void *arg, const char *job, struct base_error *error)
{
    struct store *store = arg;
    leat_epoch epoch;
    leat_status st = newest_of(store, job, UINT64_MAX, &epoch, error);
    if (epoch > store->newest)
        store->newest = epoch;
    return st;
}

// --- opening
// --------------------------------------------------------------------------------------------------------------

struct store *store_open(const char *dir, const char *pipeline, struct base_error *error)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store) {
        base_no_memory(error);
        return NULL;
    }
    store->lock_fd = -1;
    store->unsynced = 1; // a server before may have died in between
    char lock[PATH_MAX];
    if (snprintf(store->dir, sizeof store->dir, "%s/%s", dir, pipeline) >= PATH_MAX - 64 ||
        snprintf(lock, sizeof lock, "%s/lock", store->dir) >= PATH_MAX) {
        base_fail(error, LEAT_CONFIG, "LEAT-T0003", "the path of the checkpoint folder is too long");
        goto refuse;
    }
    if (!make_dirs(store->dir)) {
        fail_io(error, "make checkpoint folder", store->dir);
        goto refuse;
    }
    store->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_fd < 0) {
        fail_io(error, "open", lock);
        goto refuse;
    }
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        base_fail(error, LEAT_CONFIG, "LEAT-T0004",
                  "another leat is running pipeline \"%s\" with checkpoint folder \"%s\"", pipeline, dir);
        base_error_hint(error, "Stop it first, or give this one another pipeline name or checkpoint.dir.");
        goto refuse;
    }
    if (each_job(store, note_newest, store, error) < 0)
        goto refuse;
    store->empty = store->newest == 0;
    return store;
refuse:
    store_close(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    free(store);
}

int store_is_empty(const struct store *store)
{
    return store->empty;
}

const char *store_dir(const struct store *store)
{
    return store->dir;
}

leat_epoch store_next_epoch(struct store *store)
{
    return ++store->newest;
}

// --- reading
// --------------------------------------------------------------------------------------------------------------

static leat_status read_at(int fd, const char *path, void *out, size_t len, uint64_t offset, struct base_error *error)
{
    uint8_t *at = out;
    while (len) {
        ssize_t n = pread(fd, at, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_io(error, "read", path);
        if (n == 0)
            return damaged(error, path, "it ends too early");
        at += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return LEAT_OK;
}

// Opens a file and reads its manifest. *blobs: where the pieces begin.
static leat_status open_manifest(const char *path, int *fd, json_t **root, uint64_t *blobs, struct base_error *error)
{
    uint8_t header[HEADER];
    char *text = NULL;
    *root = NULL;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return fail_io(error, "open", path);
    leat_status st = read_at(*fd, path, header, sizeof header, 0, error);
    size_t len = st < 0 ? 0 : get_u32(header + 8);
    if (st >= 0 && (memcmp(header, MAGIC, 8) != 0 || len > MANIFEST_MAX))
        st = damaged(error, path, "it does not begin as a checkpoint does");
    if (st >= 0 && !(text = malloc(len + 1)))
        st = base_no_memory(error);
    if (st >= 0)
        st = read_at(*fd, path, text, len, HEADER, error);
    if (st >= 0 && checksum(text, len) != get_u32(header + 12))
        st = damaged(error, path, "the checksum of its manifest is wrong");
    json_error_t wrong;
    if (st >= 0 && !(*root = json_loadb(text, len, 0, &wrong)))
        st = json_error_code(&wrong) == json_error_out_of_memory ? base_no_memory(error)
                                                                 : damaged(error, path, "its manifest is not JSON");
    free(text);
    if (st < 0) {
        close(*fd);
        *fd = -1;
        return st;
    }
    *blobs = HEADER + len;
    return LEAT_OK;
}

static leat_status read_piece(int fd, const char *path, uint64_t blobs, struct store_piece *piece,
                              struct base_error *error)
{
    piece->bytes = malloc(piece->len ? piece->len : 1);
    if (!piece->bytes)
        return base_no_memory(error);
    leat_status st = read_at(fd, path, piece->bytes, piece->len, blobs + piece->offset, error);
    if (st >= 0 && checksum(piece->bytes, piece->len) != piece->crc)
        st = damaged(error, path, "the checksum of a piece is wrong");
    return st;
}

static uint64_t number(const json_t *object, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(object, key));
    return n < 0 ? 0 : (uint64_t)n;
}

// A shape is text in the file: it uses all 64 bits, and JSON's integers are signed.
static uint64_t shape_from_json(const json_t *item)
{
    const char *hex = json_string_value(json_object_get(item, "shape"));
    return hex ? strtoull(hex, NULL, 16) : 0;
}

static int shape_to_json(json_t *item, const struct store_state *state)
{
    char hex[17];
    snprintf(hex, sizeof hex, "%016" PRIx64, state->shape);
    if (state->shape && json_object_set_new(item, "shape", json_string(hex)) != 0)
        return 0;
    if (state->shape && state->words) // only for a message: none where they are no UTF-8
        json_object_set_new(item, "words", json_string(state->words));
    return 1;
}

static void piece_from_json(const json_t *item, struct store_piece *piece)
{
    *piece = (struct store_piece){
        .version = (uint32_t)number(item, "version"),
        .kind = (uint8_t)number(item, "kind"),
        .len = (size_t)number(item, "length"),
        .epoch = number(item, "epoch"),
        .offset = number(item, "offset"),
        .crc = (uint32_t)number(item, "crc"),
    };
}

// The state without the bytes of its pieces.
static leat_status state_from_json(const json_t *item, struct store_state *state, struct base_error *error)
{
    json_t *pieces = json_object_get(item, "pieces");
    size_t n = json_array_size(pieces);
    const char *words = json_string_value(json_object_get(item, "words"));
    *state = (struct store_state){
        .node = strdup(json_string_value(json_object_get(item, "node"))),
        .instance = (uint32_t)number(item, "instance"),
        .instances = (uint32_t)number(item, "instances"),
        .shape = shape_from_json(item),
        .words = words ? strdup(words) : NULL,
        .pieces = calloc(n ? n : 1, sizeof *state->pieces),
    };
    if (!state->node || !state->pieces || (words && !state->words))
        return base_no_memory(error);
    for (size_t i = 0; i < n; i++)
        piece_from_json(json_array_get(pieces, i), &state->pieces[state->piece_count++]);
    return LEAT_OK;
}

static void state_fini(struct store_state *state)
{
    for (uint32_t i = 0; i < state->piece_count; i++)
        free(state->pieces[i].bytes);
    free(state->pieces);
    free(state->words);
    free(state->node);
}

void store_manifest_fini(struct store_manifest *m)
{
    for (uint32_t i = 0; i < m->state_count; i++)
        state_fini(&m->states[i]);
    free(m->states);
    *m = (struct store_manifest){0};
}

static int contains(const char *const *names, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return 1;
    return 0;
}

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
    leat_status st = newest_of(l->store, job, UINT64_MAX, &epoch, error);
    if (st < 0 || epoch == 0)
        return st;
    if (!path_of(l->store, job, epoch, path))
        return path_too_long(error);
    if (epoch > l->store->newest)
        l->store->newest = epoch;
    if ((st = open_manifest(path, &fd, &root, &blobs, error)) < 0)
        return st;
    close(fd);
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(root, "states"), i, item)
    {
        const char *node = json_string_value(json_object_get(item, "node"));
        if (!node)
            continue;
        if (l->unknown && !contains(l->nodes, l->count, node))
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
    if (!path_of(store, job, piece->epoch, path))
        return base_fail(error, LEAT_BUG, "LEAT-T0003", "the path of the checkpoint folder is too long");
    leat_status st = open_manifest(path, &fd, &root, &blobs, error);
    if (st < 0)
        return st;
    json_decref(root);
    st = read_piece(fd, path, blobs, piece, error);
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
    if (!path_of(store, job, epoch, path))
        return base_fail(error, LEAT_BUG, "LEAT-T0003", "the path of the checkpoint folder is too long");
    leat_status st = open_manifest(path, &fd, &root, &blobs, error);
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
        st = state_from_json(item, state, error);
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
    leat_status st = l.best && l.job ? each_job(store, look_into_job, &l, error) : base_no_memory(error);
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
    return each_job(store, look_into_job, &l, error);
}

// --- writing
// --------------------------------------------------------------------------------------------------------------

static json_t *piece_json(const struct store_manifest *m, const struct store_piece *p, uint64_t offset)
{
    int fresh = p->epoch == 0;
    uint32_t crc = fresh ? checksum(p->bytes, p->len) : p->crc;
    return json_pack("{s:I, s:I, s:I, s:I, s:i, s:I}", "epoch", (json_int_t)(fresh ? m->epoch : p->epoch), "offset",
                     (json_int_t)(fresh ? offset : p->offset), "length", (json_int_t)p->len, "version",
                     (json_int_t)p->version, "kind", (int)p->kind, "crc", (json_int_t)crc);
}

static json_t *state_json(const struct store_manifest *m, const struct store_state *s, uint64_t *offset)
{
    json_t *pieces = json_array();
    json_t *item = json_pack("{s:s, s:I, s:I}", "node", s->node, "instance", (json_int_t)s->instance, "instances",
                             (json_int_t)s->instances);
    int ok = pieces && item && json_object_set(item, "pieces", pieces) == 0 && shape_to_json(item, s);
    for (uint32_t k = 0; ok && k < s->piece_count; k++) {
        ok = json_array_append_new(pieces, piece_json(m, &s->pieces[k], *offset)) == 0;
        *offset += s->pieces[k].epoch ? 0 : s->pieces[k].len;
    }
    json_decref(pieces);
    if (ok)
        return item;
    json_decref(item);
    return NULL;
}

// NULL without memory: a manifest that lacks a piece would be taken for the whole state.
// A piece of another job's folder (the node moved) is written again with this job's first manifest.
static json_t *manifest_json(const char *job, const struct store_manifest *m)
{
    uint64_t offset = 0;
    json_t *states = json_array();
    json_t *root = json_pack("{s:I, s:s}", "epoch", (json_int_t)m->epoch, "job", job);
    int ok = states && root && json_object_set(root, "states", states) == 0;
    for (uint32_t i = 0; ok && i < m->state_count; i++)
        ok = json_array_append_new(states, state_json(m, &m->states[i], &offset)) == 0;
    json_decref(states);
    if (ok)
        return root;
    json_decref(root);
    return NULL;
}

// The manifest's text. What is longer than a reader takes is refused now, while the checkpoint before still stands.
static leat_status manifest_text(const char *job, const struct store_manifest *m, char **text, size_t *len,
                                 struct base_error *error)
{
    leat_status st = LEAT_OK;
    json_t *root = manifest_json(job, m);
    *text = NULL;
    *len = root ? json_dumpb(root, NULL, 0, JSON_COMPACT) : 0;
    if (*len > MANIFEST_MAX) {
        st = base_fail(error, LEAT_RESOURCE, "LEAT-T0001",
                       "could not write checkpoint %" PRIu64 " of job \"%s\": its list of states would take %zu bytes, "
                       "and %zu are the most that can be read again",
                       m->epoch, job, *len, MANIFEST_MAX);
        base_error_hint(error, "Lower parallelism, or split the job: the list has one entry per node and instance.");
    } else if (*len == 0 || !(*text = malloc(*len)) || json_dumpb(root, *text, *len, JSON_COMPACT) != *len) {
        free(*text);
        *text = NULL;
        st = base_no_memory(error);
    }
    json_decref(root);
    return st;
}

static int write_file(int fd, const char *text, size_t len, const struct store_manifest *m)
{
    uint8_t header[HEADER];
    memcpy(header, MAGIC, 8);
    put_u32(header + 8, (uint32_t)len);
    put_u32(header + 12, checksum(text, len));
    if (!write_all(fd, header, sizeof header) || !write_all(fd, text, len))
        return 0;
    for (uint32_t i = 0; i < m->state_count; i++)
        for (uint32_t k = 0; k < m->states[i].piece_count; k++) {
            const struct store_piece *p = &m->states[i].pieces[k];
            if (p->epoch == 0 && !write_all(fd, p->bytes, p->len))
                return 0;
        }
    LEAT_FAULT("checkpoint-before-sync");
    return fsync(fd) == 0;
}

static void settle_places(struct store_manifest *m)
{
    uint64_t offset = 0;
    for (uint32_t i = 0; i < m->state_count; i++)
        for (uint32_t k = 0; k < m->states[i].piece_count; k++) {
            struct store_piece *p = &m->states[i].pieces[k];
            if (p->epoch)
                continue;
            p->epoch = m->epoch;
            p->offset = offset;
            p->crc = checksum(p->bytes, p->len);
            offset += p->len;
        }
}

// Never over a file that is there. What says EINVAL does not know the flag; what cannot link either has only rename.
static int rename_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 1;
    if (errno != EINVAL && errno != ENOSYS)
        return 0;
    if (link(from, to) == 0)
        return unlink(from) == 0 || (unlink(to), 0);
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
        return 0;
    if (access(to, F_OK) == 0)
        errno = EEXIST;
    return errno != EEXIST && rename(from, to) == 0;
}

static leat_status fail_finish(struct base_error *error, const char *path)
{
    int there = errno == EEXIST;
    leat_status st = fail_io(error, "finish checkpoint", path);
    if (there)
        base_error_hint(error, "The file was put there by something else since leat started; it is left as it is. The "
                               "next start reads it as the newest state.");
    return st;
}

// All or nothing: an epoch that may be gone after a crash must not be found before it either.
static int put_in_place(struct store *store, const char *dir, const char *temporary, const char *path)
{
    if (!rename_new(temporary, path))
        return 0;
    if (!sync_dir(dir) || (store->unsynced && !sync_dir(store->dir))) {
        int err = errno;
        unlink(path);
        errno = err;
        return 0;
    }
    store->unsynced = 0;
    return 1;
}

leat_status store_write(struct store *store, const char *job, struct store_manifest *m, struct base_error *error)
{
    char dir[PATH_MAX], path[PATH_MAX], temporary[PATH_MAX];
    if (snprintf(dir, sizeof dir, "%s/%s", store->dir, job) >= PATH_MAX || !path_of(store, job, m->epoch, path) ||
        snprintf(temporary, sizeof temporary, "%s/writing", dir) >= PATH_MAX)
        return base_fail(error, LEAT_CONFIG, "LEAT-T0003", "the path of the checkpoint folder is too long");
    char *text;
    size_t len;
    leat_status st = manifest_text(job, m, &text, &len, error);
    if (st < 0)
        return st;
    int made = mkdir(dir, 0700) == 0;
    int there = made || errno == EEXIST;
    store->unsynced |= made;
    if (there)
        unlink(temporary); // of a server that died, maybe a second name of an epoch: not to be cut
    int fd = there ? open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (fd < 0 || !write_file(fd, text, len, m))
        st = fail_io(error, "write checkpoint", temporary);
    if (fd >= 0)
        close(fd);
    free(text);
    if (st >= 0)
        LEAT_FAULT("checkpoint-before-rename");
    if (st >= 0 && !put_in_place(store, dir, temporary, path))
        st = fail_finish(error, path);
    if (st < 0) {
        unlink(temporary);
        return st;
    }
    LEAT_FAULT("checkpoint-after-rename");
    settle_places(m);
    return LEAT_OK;
}

// Oldest epoch that a piece lies in, at most `epoch`.
static leat_epoch oldest_piece(const json_t *root, leat_epoch epoch)
{
    leat_epoch oldest = epoch;
    size_t i, k;
    json_t *state, *piece;
    json_array_foreach(json_object_get(root, "states"), i, state)
    {
        json_array_foreach(json_object_get(state, "pieces"), k, piece)
        {
            leat_epoch at = number(piece, "epoch");
            oldest = at < oldest ? at : oldest;
        }
    }
    return oldest;
}

// Oldest epoch whose file a manifest needs.
static leat_epoch oldest_needed(const struct store *store, const char *job, leat_epoch epoch)
{
    char path[PATH_MAX];
    int fd;
    json_t *root;
    uint64_t blobs;
    struct base_error error;
    if (!path_of(store, job, epoch, path) || open_manifest(path, &fd, &root, &blobs, &error) < 0)
        return 0;
    close(fd);
    leat_epoch oldest = oldest_piece(root, epoch);
    json_decref(root);
    return oldest;
}

// Removes the files of all epochs up to `last`.
static leat_status remove_up_to(struct store *store, const char *job, leat_epoch last, struct base_error *error)
{
    char path[PATH_MAX];
    leat_epoch old;
    leat_status st = LEAT_OK;
    while (last && (st = newest_of(store, job, last, &old, error)) >= 0 && old) {
        if (!path_of(store, job, old, path))
            return path_too_long(error);
        if (unlink(path) != 0 && errno != ENOENT)
            return fail_io(error, "remove old checkpoint", path);
        last = old - 1;
    }
    return st;
}

void store_prune(struct store *store, const char *job)
{
    struct base_error error;
    leat_epoch newest, before = 0;
    if (newest_of(store, job, UINT64_MAX, &newest, &error) < 0 || newest == 0 ||
        newest_of(store, job, newest - 1, &before, &error) < 0 || before == 0)
        return;
    leat_epoch keep = oldest_needed(store, job, before);
    leat_epoch also = oldest_needed(store, job, newest);
    if (!keep || !also)
        return;
    (void)remove_up_to(store, job, (also < keep ? also : keep) - 1, &error);
}

struct pruning {
    struct store *store;
    const char *const *jobs;
    uint32_t count;
};

static leat_status prune_job(void *arg, const char *job, struct base_error *error)
{
    struct pruning *p = arg;
    char path[PATH_MAX];
    leat_epoch newest;
    if (contains(p->jobs, p->count, job))
        return LEAT_OK;
    leat_status st = newest_of(p->store, job, UINT64_MAX, &newest, error);
    if (st < 0 || newest == 0)
        return st; // not a job's, or nothing in it that counts
    st = remove_up_to(p->store, job, newest, error);
    if (st < 0)
        return st;
    if (snprintf(path, sizeof path, "%s/%s/writing", p->store->dir, job) < PATH_MAX)
        unlink(path);
    if (snprintf(path, sizeof path, "%s/%s", p->store->dir, job) < PATH_MAX)
        rmdir(path);
    return LEAT_OK;
}

leat_status store_prune_jobs(struct store *store, const char *const *jobs, uint32_t count, struct base_error *error)
{
    struct pruning p = {store, jobs, count};
    return each_job(store, prune_job, &p, error);
}
