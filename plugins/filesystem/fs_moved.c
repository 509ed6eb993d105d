// SPDX-License-Identifier: Apache-2.0
// Files that changed their names: who has the content that was read under another one.
//
// A file is known by its name, and what was read of it by a hash of the bytes before the offset. When a look finds that
// a name no longer has that content (it is shorter, or other bytes stand there) or is gone, the content is sought under
// the names that are new or have lost theirs; the offset goes there, and the name begins anew. Content that is nowhere
// was cut or replaced: that is refused, since lines may be lost. Bytes are compared only where a size or an inode says
// that something happened, so a look at many files stays cheap.
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "filesystem.h"

uint64_t fs_hash_before(int fd, uint64_t offset)
{
    uint8_t bytes[FS_HASHED];
    size_t len = offset < sizeof bytes ? (size_t)offset : sizeof bytes;
    uint64_t hash = 14695981039346656037u; // FNV-1a
    if (offset == 0 || pread(fd, bytes, len, (off_t)(offset - len)) != (ssize_t)len)
        return 0;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash ? hash : 1;
}

// Could not be opened: as if it had other content; reading it would say why.
static int has_content(const struct fs_file *f, uint64_t offset, uint64_t hash)
{
    if (f->found_size < offset)
        return 0;
    int fd = open(f->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int same = fd >= 0 && fs_hash_before(fd, offset) == hash;
    if (fd >= 0)
        close(fd);
    return same;
}

// Does the name still stand for what was read of it?
static int has_its_own(const struct fs_file *f)
{
    if (f->offset == 0)
        return 1;
    if (!f->found || f->found_size < f->offset)
        return 0;
    if (!f->hash || (f->inode == f->found_inode && f->size == f->found_size))
        return 1;
    return has_content(f, f->offset, f->hash);
}

static struct fs_file *whoever_has(struct fs_files *files, const struct fs_file *lost)
{
    for (uint32_t i = 0; i < files->count && lost->hash; i++) {
        struct fs_file *f = &files->items[i];
        if (f->found && (f->lost || f->offset == 0) && !f->heir && has_content(f, lost->offset, lost->hash))
            return f;
    }
    return NULL;
}

static leat_status cut(struct leat_ctx *ctx, const struct fs_file *f)
{
    leat_fail(ctx, LEAT_FATAL, "LEAT-D0304",
              "file \"%s\" no longer holds the %llu bytes that were read of it: it was cut "
              "or replaced",
              f->name, (unsigned long long)f->offset);
    leat_error_hint(ctx,
                    "A log that is rotated by renaming can be followed where path is its folder, so that the renamed "
                    "file is found; one that is copied and cut (copytruncate) cannot.");
    return LEAT_FATAL;
}

static void take_over(struct fs_file *f)
{
    uint64_t size = f->found_size;
    f->offset = f->heir ? f->new_offset : f->lost ? 0 : f->offset;
    f->hash = f->heir ? f->new_hash : f->lost ? 0 : f->hash;
    f->still = f->here && !f->lost && !f->heir && f->found && size == f->size;
    f->here = f->found;
    f->size = size;
    f->inode = f->found_inode;
    f->heir = f->lost = f->found = 0;
}

leat_status fs_files_settle(struct leat_ctx *ctx, struct fs_files *files)
{
    for (uint32_t i = 0; i < files->count; i++)
        files->items[i].lost = !has_its_own(&files->items[i]);
    for (uint32_t i = 0; i < files->count; i++) {
        struct fs_file *f = &files->items[i], *heir = f->lost ? whoever_has(files, f) : NULL;
        if (f->lost && !heir && f->found)
            return cut(ctx, f);
        if (f->lost && !heir)
            f->lost = 0; // gone; if it comes back it goes on
        if (!heir)
            continue;
        heir->heir = 1;
        heir->new_offset = f->offset;
        heir->new_hash = f->hash;
    }
    for (uint32_t i = 0; i < files->count; i++)
        take_over(&files->items[i]);
    return LEAT_OK;
}
