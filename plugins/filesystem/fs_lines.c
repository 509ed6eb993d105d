// SPDX-License-Identifier: Apache-2.0
// One open file and the lines in what was read of it. A line ends with \n or \r\n. The buffer grows to the longest line
// met, at most to max_line and a piece; a longer line is passed by without keeping it.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "filesystem.h"

static leat_status cannot(struct leat_ctx *ctx, const char *what, const char *name, int number)
{
    leat_fail(ctx, LEAT_TRANSIENT, "LEAT-D0303", "could not %s file \"%s\": %s", what, name, strerrordesc_np(number));
    ctx->host->error_native(ctx, strerrorname_np(number), strerrordesc_np(number));
    return LEAT_TRANSIENT;
}

leat_status fs_lines_open(struct leat_ctx *ctx, struct fs_lines *l, const char *name, uint64_t offset)
{
    struct stat st;
    fs_lines_close(l);
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return cannot(ctx, "open", name, errno);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || lseek(fd, (off_t)offset, SEEK_SET) < 0) {
        int number = errno ? errno : EINVAL;
        close(fd);
        return cannot(ctx, "read", name, number);
    }
    l->fd = fd;
    l->offset = offset;
    l->len = l->next = l->searched = 0;
    l->skipping = l->end = 0;
    return LEAT_OK;
}

void fs_lines_close(struct fs_lines *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

void fs_lines_fini(struct fs_lines *l)
{
    fs_lines_close(l);
    free(l->ptr);
    l->ptr = NULL;
}

static struct leat_bytes without_return(const uint8_t *ptr, size_t len)
{
    if (len && ptr[len - 1] == '\r')
        len--;
    return (struct leat_bytes){ptr, (uint32_t)len};
}

uint32_t fs_lines_peek(const struct fs_lines *l, struct leat_bytes *lines, uint32_t n)
{
    const uint8_t *at = l->ptr + l->next, *end = l->ptr + l->len;
    uint32_t count = 0;
    while (count < n && at < end && !l->skipping) {
        const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop && !l->end)
            break;
        if (!stop)
            stop = end;
        if ((size_t)(stop - at) > l->max_line && count)
            break;
        lines[count++] = without_return(at, (size_t)(stop - at));
        at = stop + 1;
    }
    return count;
}

void fs_lines_drop(struct fs_lines *l, const struct leat_bytes *lines, uint32_t n)
{
    if (!n)
        return;
    const uint8_t *end = l->ptr + l->len, *at = lines[n - 1].ptr + lines[n - 1].len;
    while (at < end && *at != '\n')
        at++;
    if (at < end)
        at++;
    l->offset += (uint64_t)(at - (l->ptr + l->next));
    l->next = (size_t)(at - l->ptr);
    if (l->searched < l->next)
        l->searched = l->next;
}

// What lies before the next line goes, and there is room for a piece.
static int make_room(struct fs_lines *l)
{
    if (l->next) {
        memmove(l->ptr, l->ptr + l->next, l->len - l->next);
        l->len -= l->next;
        l->searched -= l->next;
        l->next = 0;
    }
    if (l->cap - l->len >= FS_PIECE)
        return 1;
    size_t cap = l->cap ? l->cap * 2 : 2 * FS_PIECE;
    uint8_t *ptr = realloc(l->ptr, cap);
    if (!ptr)
        return 0;
    l->ptr = ptr;
    l->cap = cap;
    return 1;
}

void fs_lines_skip(struct fs_lines *l)
{
    const uint8_t *stop = memchr(l->ptr, '\n', l->len);
    size_t gone = stop ? (size_t)(stop + 1 - l->ptr) : l->len;
    l->offset += gone;
    memmove(l->ptr, l->ptr + gone, l->len - gone);
    l->len -= gone;
    l->searched = 0;
    if (stop)
        l->skipping = 0;
}

leat_status fs_lines_read(struct leat_ctx *ctx, struct fs_lines *l, const char *name, struct leat_bytes *line)
{
    if (!make_room(l))
        return leat_no_memory(ctx);
    ssize_t n = read(l->fd, l->ptr + l->len, FS_PIECE);
    if (n < 0)
        return errno == EINTR ? LEAT_OK : cannot(ctx, "read", name, errno);
    if (n == 0)
        return LEAT_END;
    l->len += (size_t)n;
    if (l->skipping) {
        fs_lines_skip(l);
        return LEAT_OK;
    }
    if (l->len <= l->max_line)
        return LEAT_OK;
    const uint8_t *stop = memchr(l->ptr + l->searched, '\n', l->len - l->searched);
    l->searched = stop ? l->searched : l->len;
    if (stop && (size_t)(stop - l->ptr) <= l->max_line)
        return LEAT_OK;
    *line = (struct leat_bytes){l->ptr, l->len < 1024 ? (uint32_t)l->len : 1024};
    l->skipping = 1;
    return leat_fail(ctx, LEAT_DATA, "LEAT-D0305", "a line is longer than %zu bytes", l->max_line);
}

int fs_lines_take_rest(struct fs_lines *l)
{
    l->end = 1;
    if (l->skipping) {
        l->offset += l->len;
        l->len = l->next = l->searched = 0;
        l->skipping = 0;
    }
    return l->len > l->next;
}
