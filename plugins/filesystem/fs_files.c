// SPDX-License-Identifier: Apache-2.0
// The known files, sorted by name, and the state that is made of them.
//
// State, version 2, integers little-endian: u32 number of files; each: u32 length of the name, the name, u64 offset, u64
// hash of what stands before it. Version 1 had no hash.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "filesystem.h"

#define STATE_VERSION 2
#define NAME_MAX_LEN  4096

static leat_status cannot(struct leat_ctx *ctx, const char *what, const char *name)
{
    int number = errno;
    leat_fail(ctx, LEAT_TRANSIENT, "LEAT-D0303", "could not read %s \"%s\": %s", what, name, strerrordesc_np(number));
    ctx->host->error_native(ctx, strerrorname_np(number), strerrordesc_np(number));
    return LEAT_TRANSIENT;
}

// Position of the name, or where it belongs.
static uint32_t place(const struct fs_files *files, const char *name, int *found)
{
    uint32_t low = 0, high = files->count;
    *found = 0;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int order = strcmp(files->items[mid].name, name);
        if (order == 0) {
            *found = 1;
            return mid;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int make_room(struct fs_files *files)
{
    if (files->count < files->cap)
        return 1;
    uint32_t cap = files->cap ? files->cap * 2 : 16;
    struct fs_file *items = realloc(files->items, cap * sizeof *items);
    if (!items)
        return 0;
    memset(items + files->count, 0, (cap - files->count) * sizeof *items);
    files->items = items;
    files->cap = cap;
    return 1;
}

// The file called `name`, made when it is new. NULL = failed with *st.
static struct fs_file *know(struct leat_ctx *ctx, struct fs_files *files, const char *name, leat_status *st)
{
    int found;
    uint32_t at = place(files, name, &found);
    if (!found) {
        if (files->count == FS_FILES_MAX) {
            *st = leat_fail(ctx, LEAT_FATAL, "LEAT-D0306", "there are more than %d files to read", FS_FILES_MAX);
            return NULL;
        }
        char *copy = make_room(files) ? strdup(name) : NULL;
        if (!copy) {
            *st = leat_no_memory(ctx);
            return NULL;
        }
        memmove(&files->items[at + 1], &files->items[at], (files->count - at) * sizeof *files->items);
        files->items[at] = (struct fs_file){.name = copy};
        files->count++;
    }
    return &files->items[at];
}

static leat_status take_file(struct leat_ctx *ctx, struct fs_files *files, const char *name, const struct stat *st)
{
    leat_status status = LEAT_OK;
    struct fs_file *f = know(ctx, files, name, &status);
    if (!f)
        return status;
    f->found = 1;
    f->found_size = (uint64_t)st->st_size;
    f->found_inode = st->st_ino;
    return LEAT_OK;
}

// The folders that lead here, so that a link back into one of them is seen.
struct above {
    const struct above *next;
    dev_t device;
    ino_t inode;
    unsigned depth;
};

static leat_status take_folder(struct leat_ctx *ctx, struct fs_files *files, const char *name,
                               const struct above *above);

static leat_status take_sub(struct leat_ctx *ctx, struct fs_files *files, const char *name, const struct stat *st,
                            const struct above *above)
{
    struct above here = {above, st->st_dev, st->st_ino, above ? above->depth + 1 : 1};
    for (const struct above *a = above; a; a = a->next)
        if (a->device == here.device && a->inode == here.inode) {
            leat_fail(ctx, LEAT_FATAL, "LEAT-D0303", "folder \"%s\" leads back into itself", name);
            leat_error_hint(ctx, "Remove the symbolic link, or put a dot before its name: it is passed by then.");
            return LEAT_FATAL;
        }
    if (here.depth > FS_DEPTH_MAX)
        return leat_fail(ctx, LEAT_FATAL, "LEAT-D0303", "folder \"%s\" is more than %d folders deep", name,
                         FS_DEPTH_MAX);
    return take_folder(ctx, files, name, &here);
}

static leat_status take_name(struct leat_ctx *ctx, struct fs_files *files, const char *name, const struct above *above)
{
    struct stat st;
    if (stat(name, &st) != 0)
        return errno == ENOENT && above ? LEAT_OK : cannot(ctx, "file", name); // gone since it was listed
    if (S_ISDIR(st.st_mode))
        return take_sub(ctx, files, name, &st, above);
    if (S_ISREG(st.st_mode))
        return take_file(ctx, files, name, &st);
    if (above)
        return LEAT_OK;
    return leat_fail(ctx, LEAT_CONFIG, "LEAT-D0303", "\"%s\" is neither a file nor a folder", name);
}

static leat_status take_folder(struct leat_ctx *ctx, struct fs_files *files, const char *name,
                               const struct above *above)
{
    char child[NAME_MAX_LEN];
    leat_status st = LEAT_OK;
    DIR *dir = opendir(name);
    if (!dir)
        return cannot(ctx, "folder", name);
    for (struct dirent *e; st == LEAT_OK && (e = readdir(dir));) {
        if (e->d_name[0] == '.' || e->d_name[0] == '_')
            continue;
        int len = snprintf(child, sizeof child, "%s%s%s", name, name[strlen(name) - 1] == '/' ? "" : "/", e->d_name);
        if (len < 0 || (size_t)len >= sizeof child)
            st = leat_fail(ctx, LEAT_FATAL, "LEAT-D0303", "a name in folder \"%s\" is too long", name);
        else
            st = take_name(ctx, files, child, above);
    }
    closedir(dir);
    return st;
}

leat_status fs_files_look(struct leat_ctx *ctx, struct fs_files *files, const char *path)
{
    for (uint32_t i = 0; i < files->count; i++)
        files->items[i].found = 0;
    leat_status st = take_name(ctx, files, path, NULL);
    return st == LEAT_OK ? fs_files_settle(ctx, files) : st;
}

struct fs_file *fs_files_next(struct fs_files *files, uint32_t from)
{
    for (uint32_t i = from; i < files->count; i++)
        if (files->items[i].here && files->items[i].size > files->items[i].offset)
            return &files->items[i];
    return NULL;
}

// Files of which nothing was read are found again by themselves.
leat_status fs_files_save(struct leat_ctx *ctx, const struct fs_files *files, struct leat_state_out *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < files->count; i++)
        count += files->items[i].offset > 0;
    leat_status st = ctx->host->state_write(ctx, out, &count, sizeof count);
    out->version = STATE_VERSION;
    out->kind = LEAT_STATE_FULL;
    for (uint32_t i = 0; i < files->count && st == LEAT_OK; i++) {
        const struct fs_file *f = &files->items[i];
        uint32_t len = (uint32_t)strlen(f->name);
        if (f->offset == 0)
            continue;
        st = ctx->host->state_write(ctx, out, &len, sizeof len);
        if (st == LEAT_OK)
            st = ctx->host->state_write(ctx, out, f->name, len);
        if (st == LEAT_OK)
            st = ctx->host->state_write(ctx, out, &f->offset, sizeof f->offset);
        if (st == LEAT_OK)
            st = ctx->host->state_write(ctx, out, &f->hash, sizeof f->hash);
    }
    return st;
}

static leat_status foreign(struct leat_ctx *ctx, const struct leat_state_in *in)
{
    return leat_fail(ctx, LEAT_FATAL, "LEAT-D0307", "state of filesystem has version %u and %zu bytes, known is %d",
                     in->version, in->len, STATE_VERSION);
}

leat_status fs_files_load(struct leat_ctx *ctx, struct fs_files *files, const struct leat_state_in *in)
{
    const uint8_t *at = in->ptr, *end = in->len ? in->ptr + in->len : in->ptr;
    uint32_t count, len;
    size_t numbers = in->version == 1 ? sizeof(uint64_t) : 2 * sizeof(uint64_t);
    if (in->version < 1 || in->version > STATE_VERSION || in->len < sizeof count)
        return foreign(ctx, in);
    memcpy(&count, at, sizeof count);
    at += sizeof count;
    for (uint32_t i = 0; i < count; i++) {
        char name[NAME_MAX_LEN];
        if ((size_t)(end - at) < sizeof len)
            return foreign(ctx, in);
        memcpy(&len, at, sizeof len);
        at += sizeof len;
        if (len >= sizeof name || (size_t)(end - at) < len + numbers)
            return foreign(ctx, in);
        memcpy(name, at, len);
        name[len] = 0;
        leat_status st = LEAT_OK;
        struct fs_file *f = know(ctx, files, name, &st);
        if (!f)
            return st;
        memcpy(&f->offset, at + len, sizeof f->offset);
        if (in->version > 1)
            memcpy(&f->hash, at + len + sizeof f->offset, sizeof f->hash);
        at += len + numbers;
    }
    return at == end ? LEAT_OK : foreign(ctx, in);
}

void fs_files_fini(struct fs_files *files)
{
    for (uint32_t i = 0; i < files->count; i++)
        free(files->items[i].name);
    free(files->items);
    *files = (struct fs_files){.count = 0};
}
