// SPDX-License-Identifier: Apache-2.0
// See store.h. Here is the folder: lock, epochs, jobs, putting files in place, pruning. What stands in a file is
// manifest.c's, reading back store_read.c's.
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

#include "checkpoint/manifest.h"
#include "checkpoint/store_int.h"
#include "fault.h"

#define SUFFIX ".ckpt"

// --- small things

// A folder that cannot be listed is not an empty one: to start anew there would write over what it holds.
static leat_status fail_list(struct base_error *error, const char *path)
{
    manifest_fail_io(error, "list checkpoint folder", path);
    error->failure = LEAT_RESOURCE;
    if (!error->hint[0])
        base_error_hint(error, "Look at the disk and the file system of the folder; nothing in it was changed.");
    return LEAT_RESOURCE;
}

leat_status store_path_too_long(struct base_error *error)
{
    return base_fail(error, LEAT_CONFIG, "LEAT-T0003", "the path of the checkpoint folder is too long");
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

int store_path_of(const struct store *store, const char *job, leat_epoch epoch, char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s/%s/%016" PRIu64 SUFFIX, store->dir, job, epoch) < PATH_MAX;
}

leat_status store_newest_of(const struct store *store, const char *job, leat_epoch below, leat_epoch *newest,
                            struct base_error *error)
{
    char path[PATH_MAX];
    *newest = 0;
    if (snprintf(path, sizeof path, "%s/%s", store->dir, job) >= PATH_MAX)
        return store_path_too_long(error);
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

leat_status store_each_job(const struct store *store,
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
    leat_status st = store_newest_of(store, job, UINT64_MAX, &epoch, error);
    if (epoch > store->newest)
        store->newest = epoch;
    return st;
}

int store_contains(const char *const *names, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return 1;
    return 0;
}

// --- opening

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
        store_path_too_long(error);
        goto refuse;
    }
    if (!make_dirs(store->dir)) {
        manifest_fail_io(error, "make checkpoint folder", store->dir);
        goto refuse;
    }
    store->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_fd < 0) {
        manifest_fail_io(error, "open", lock);
        goto refuse;
    }
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        base_fail(error, LEAT_CONFIG, "LEAT-T0004",
                  "another leat is running pipeline \"%s\" with checkpoint folder \"%s\"", pipeline, dir);
        base_error_hint(error, "Stop it first, or give this one another pipeline name or checkpoint.dir.");
        goto refuse;
    }
    if (store_each_job(store, note_newest, store, error) < 0)
        goto refuse;
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
    free(store->damaged);
    free(store);
}

const char *store_dir(const struct store *store)
{
    return store->dir;
}

leat_epoch store_next_epoch(struct store *store)
{
    return ++store->newest;
}

// --- writing

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
    leat_status st = manifest_fail_io(error, "finish checkpoint", path);
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
    if (snprintf(dir, sizeof dir, "%s/%s", store->dir, job) >= PATH_MAX || !store_path_of(store, job, m->epoch, path) ||
        snprintf(temporary, sizeof temporary, "%s/writing", dir) >= PATH_MAX)
        return store_path_too_long(error);
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
    if (fd < 0 || !manifest_write_file(fd, text, len, m))
        st = manifest_fail_io(error, "write checkpoint", temporary);
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
    manifest_settle_places(m);
    return LEAT_OK;
}

// Oldest epoch whose file a manifest needs.
static leat_epoch oldest_needed(const struct store *store, const char *job, leat_epoch epoch)
{
    char path[PATH_MAX];
    int fd;
    json_t *root;
    uint64_t blobs;
    struct base_error error;
    if (!store_path_of(store, job, epoch, path) || manifest_open(path, &fd, &root, &blobs, &error) < 0)
        return 0;
    close(fd);
    leat_epoch oldest = manifest_oldest(root, epoch);
    json_decref(root);
    return oldest;
}

// Removes the files of all epochs up to `last`.
static leat_status remove_up_to(struct store *store, const char *job, leat_epoch last, struct base_error *error)
{
    char path[PATH_MAX];
    leat_epoch old;
    leat_status st = LEAT_OK;
    while (last && (st = store_newest_of(store, job, last, &old, error)) >= 0 && old) {
        if (!store_path_of(store, job, old, path))
            return store_path_too_long(error);
        if (unlink(path) != 0 && errno != ENOENT)
            return manifest_fail_io(error, "remove old checkpoint", path);
        last = old - 1;
    }
    return st;
}

void store_prune(struct store *store, const char *job)
{
    struct base_error error;
    leat_epoch newest, before = 0;
    if (store_newest_of(store, job, UINT64_MAX, &newest, &error) < 0 || newest == 0 ||
        store_newest_of(store, job, newest - 1, &before, &error) < 0 || before == 0)
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
    if (store_contains(p->jobs, p->count, job))
        return LEAT_OK;
    leat_status st = store_newest_of(p->store, job, UINT64_MAX, &newest, error);
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
    return store_each_job(store, prune_job, &p, error);
}
