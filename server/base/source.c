// SPDX-License-Identifier: Apache-2.0
// Texts with a name, and places in them. See diag.h.
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/error.h"

#define PIPE_WAIT 10000 // ms between two pieces of a pipe

// Fills in where the lines begin.
static bool find_lines(struct base_arena *arena, struct base_source *s)
{
    uint32_t count = 1;
    for (size_t i = 0; i < s->len; i++)
        count += s->text[i] == '\n';
    uint32_t *lines = base_arena_alloc(arena, count * sizeof *lines), at = 0;
    if (!lines)
        return false;
    lines[at++] = 0;
    for (size_t i = 0; i < s->len; i++) {
        if (s->text[i] == '\n')
            lines[at++] = (uint32_t)i + 1;
    }
    s->lines = lines;
    s->line_count = count;
    return true;
}

const struct base_source *base_source_make(struct base_arena *arena, const char *name, const char *text, size_t len)
{
    static const char mark[] = "\xef\xbb\xbf"; // of UTF-8, as editors of Windows write it; no column of any line
    if (len >= 3 && memcmp(text, mark, 3) == 0) {
        text += 3;
        len -= 3;
    }
    if (len > BASE_SOURCE_MAX)
        return NULL;
    struct base_source *s = base_arena_alloc(arena, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct base_source){
        .name = base_arena_strdup(arena, name), .text = base_arena_strndup(arena, text, len), .len = len};
    return s->name && s->text && find_lines(arena, s) ? s : NULL;
}

static leat_status cannot_read(struct base_error *err, const char *path, const char *why)
{
    return base_fail(err, LEAT_CONFIG, "LEAT-C0001", "could not read \"%s\": %s", path, why);
}

// A pipe whose writer has not written yet. False = nothing comes.
static bool wait_for_bytes(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, PIPE_WAIT) > 0)
        return true;
    errno = ETIMEDOUT;
    return false;
}

// Reads at most `max` bytes; -1 with errno.
static ssize_t read_all(int fd, char *buf, size_t max)
{
    size_t len = 0;
    while (len < max) {
        ssize_t n = read(fd, buf + len, max - len);
        if (n < 0 && (errno == EINTR || (errno == EAGAIN && wait_for_bytes(fd))))
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

leat_status base_source_read(struct base_arena *arena, const char *path, const struct base_source **out,
                             struct base_error *err)
{
    // O_NONBLOCK, so that a pipe without a writer does not hold us for ever
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return cannot_read(err, path, strerror(errno));
    struct stat st;
    ssize_t len = -1;
    char *buf = NULL;
    const char *why = NULL;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        why = "it is a folder";
    else if (!(buf = base_arena_bytes(arena, BASE_SOURCE_MAX + 1)))
        why = "out of memory";
    else if ((len = read_all(fd, buf, BASE_SOURCE_MAX + 1)) < 0)
        why = strerror(errno);
    else if ((size_t)len > BASE_SOURCE_MAX)
        why = "it is longer than 1 MiB";
    close(fd);
    if (why)
        return cannot_read(err, path, why);
    const struct base_source *s = base_source_make(arena, path, buf, (size_t)len);
    if (!s)
        return base_no_memory(err);
    *out = s;
    return LEAT_OK;
}

const char *base_source_line(const struct base_source *source, uint32_t line, size_t *len)
{
    *len = 0;
    if (line < 1 || line > source->line_count)
        return "";
    const char *begin = source->text + source->lines[line - 1];
    size_t max = source->len - source->lines[line - 1];
    const char *end = memchr(begin, '\n', max);
    *len = end ? (size_t)(end - begin) : max;
    if (*len && begin[*len - 1] == '\r')
        --*len;
    return begin;
}

struct base_place base_place_at(const struct base_source *source, size_t offset, size_t len)
{
    if (offset > source->len)
        offset = source->len;
    uint32_t low = 0, high = source->line_count; // lines[low] <= offset < lines[high]
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (source->lines[mid] <= offset)
            low = mid;
        else
            high = mid;
    }
    return (struct base_place){source, low + 1, (uint32_t)(offset - source->lines[low]) + 1, (uint32_t)len};
}

struct base_place base_place_of_word(const struct base_source *source, size_t offset)
{
    size_t end = offset;
    while (end < source->len && (isalnum((unsigned char)source->text[end]) || source->text[end] == '_' ||
                                 (unsigned char)source->text[end] >= 0x80))
        end++;
    return base_place_at(source, offset, end > offset ? end - offset : 1);
}

size_t base_place_offset(const struct base_place *place)
{
    if (!place->source || place->line < 1 || place->line > place->source->line_count)
        return 0;
    size_t at = place->source->lines[place->line - 1] + (place->column ? place->column - 1 : 0);
    return at < place->source->len ? at : place->source->len;
}
