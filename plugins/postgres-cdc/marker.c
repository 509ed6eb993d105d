// SPDX-License-Identifier: Apache-2.0
// The marker file bridges the time between the slot's creation and the first checkpoint that knows it. It stands in the
// pipeline's folder and is written before the slot is created: a kill in between leaves a slot that is known to be ours,
// and since nothing was acknowledged, the stream is read from where it stands (so that deletes are seen).
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pgcdc_int.h"

// NULL = no memory.
static char *marker_path(const struct pgcdc *p)
{
    char *path;
    return asprintf(&path, "%s/postgres-cdc.%s.slot", p->data_dir, p->node) < 0 ? NULL : path;
}

static char *marker_text(const struct pgcdc *p)
{
    char *text;
    int n = asprintf(&text, "%016llx %s %s\n", (unsigned long long)p->system, p->config->database, p->slot);
    return n < 0 ? NULL : text;
}

leat_status pgcdc_marker_read(struct pgcdc *p)
{
    char *path = marker_path(p), *want = marker_text(p), *have = NULL;
    size_t size = 0;
    FILE *f = path && want ? fopen(path, "re") : NULL;
    leat_status st = path && want ? LEAT_OK : leat_no_memory(p->ctx);
    if (st == LEAT_OK && !f && errno != ENOENT)
        st = leat_fail(p->ctx, LEAT_RESOURCE, "LEAT-G0208", "could not read \"%s\": %s", path, strerror(errno));
    if (f && getline(&have, &size, f) >= 0)
        p->slot_ours = p->marker = strcmp(have, want) == 0;
    if (f)
        (void)fclose(f);
    free(have);
    free(want);
    free(path);
    return st;
}

// 0 or errno.
static int write_whole(int fd, const char *text)
{
    for (size_t len = strlen(text); len;) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : ENOSPC;
        text += n;
        len -= (size_t)n;
    }
    return fsync(fd) < 0 ? errno : 0;
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    int error = write_whole(fd, text);
    if (close(fd) < 0 && !error)
        error = errno;
    return error;
}

static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = fsync(fd) < 0 ? errno : 0;
    close(fd);
    return error;
}

// Waits for the disk on the worker's loop: twice, once in the life of a slot, before any row flows.
leat_status pgcdc_marker_write(struct pgcdc *p)
{
    char *path = marker_path(p), *text = marker_text(p);
    leat_status st = LEAT_OK;
    int error = path && text ? write_file(path, text) : 0;
    if (!path || !text)
        st = leat_no_memory(p->ctx);
    else if (error)
        st = leat_fail(p->ctx, LEAT_RESOURCE, "LEAT-G0208", "could not write \"%s\": %s", path, strerror(error));
    else if ((error = sync_folder(p->data_dir)))
        st = leat_fail(p->ctx, LEAT_RESOURCE, "LEAT-G0208", "could not write folder \"%s\": %s", p->data_dir,
                       strerror(error));
    p->marker = st == LEAT_OK;
    free(text);
    free(path);
    return st;
}

void pgcdc_marker_remove(struct pgcdc *p)
{
    char *path = marker_path(p);
    if (path)
        (void)unlink(path); // left behind it does no harm: the checkpoint is asked first
    free(path);
    p->marker = 0;
}
