// SPDX-License-Identifier: Apache-2.0
// See manifest.h. Layout of a file, integers little-endian:
//
//     8 bytes "LEATCKP1" · u32 length of the manifest · u32 its CRC-32 · manifest (JSON) · pieces, one after the other
//
// The manifest: {"epoch": N, "job": "…", "states": [{"node": "…", "instance": 0, "instances": 1,
// "shape": "16 hex digits", "words": "…", "pieces": [{"epoch": M, "offset": O, "length": L, "version": V, "kind": 1,
// "crc": C}]}]}. `epoch` of a piece names its file; offsets count from the end of the manifest of that file. `shape` is
// missing where a node says none, and in files of builds that did not keep it; `words` where it has none.
#include "checkpoint/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "fault.h"

#define MAGIC        "LEATCKP1"
#define HEADER       16
#define DAMAGED      "LEAT-T0002"
#define MANIFEST_MAX ((size_t)256 << 20)

// --- small things

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

leat_status manifest_fail_io(struct base_error *error, const char *what, const char *path)
{
    static const struct {
        int err;
        leat_status failure;
        const char *hint;
    } known[] = {
        {ENOSPC, LEAT_RESOURCE, "Make room on the disk of checkpoint.dir."},
        {EDQUOT, LEAT_RESOURCE,
         "Make room on the disk of checkpoint.dir, or raise the quota of the user that runs leat."},
        {EFBIG, LEAT_RESOURCE, "Raise the limit of file sizes (ulimit -f, or LimitFSIZE= of the service)."},
        {EMFILE, LEAT_RESOURCE, "Raise the limit of open files (ulimit -n, or LimitNOFILE= of the service)."},
        {ENFILE, LEAT_RESOURCE, "Raise the limit of open files of the machine (sysctl fs.file-max)."},
        {ENOMEM, LEAT_RESOURCE, "Give leat more memory."},
        {EACCES, LEAT_TRANSIENT, "Give the user that runs leat the rights to read, write and enter the folder."},
        {EPERM, LEAT_TRANSIENT, "Give the user that runs leat the rights to read, write and enter the folder."},
        {EROFS, LEAT_TRANSIENT, "Mount the file system of checkpoint.dir so that it can be written."},
        {EIO, LEAT_TRANSIENT, "Look at the disk and the kernel log."},
    };
    int err = errno;
    leat_status failure = LEAT_TRANSIENT;
    const char *hint = NULL;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].err == err) {
            failure = known[i].failure;
            hint = known[i].hint;
        }
    base_fail(error, failure, "LEAT-T0001", "could not %s \"%s\": %s", what, path, strerror(err));
    base_error_native(error, strerrorname_np(err), strerror(err));
    if (hint)
        base_error_hint(error, "%s", hint);
    return failure;
}

bool manifest_is_damage(const struct base_error *error)
{
    return strcmp(error->code, DAMAGED) == 0;
}

static leat_status damaged(struct base_error *error, const char *path, const char *why)
{
    base_fail(error, LEAT_FATAL, DAMAGED, "checkpoint file \"%s\" is damaged: %s", path, why);
    base_error_hint(error, "Restore the checkpoint folder of the pipeline from a backup, or remove it and start anew "
                           "(sources then begin as on their first start). Look at the disk first.");
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

// --- reading

static leat_status read_at(int fd, const char *path, void *out, size_t len, uint64_t offset, struct base_error *error)
{
    uint8_t *at = out;
    while (len) {
        ssize_t n = pread(fd, at, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return manifest_fail_io(error, "read", path);
        if (n == 0)
            return damaged(error, path, "it ends too early");
        at += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return LEAT_OK;
}

leat_status manifest_open(const char *path, int *fd, json_t **root, uint64_t *blobs, struct base_error *error)
{
    uint8_t header[HEADER];
    char *text = NULL;
    *root = NULL;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return errno == ENOENT ? damaged(error, path, "it is gone, and is still needed")
                               : manifest_fail_io(error, "open", path);
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

leat_status manifest_read_piece(int fd, const char *path, uint64_t blobs, struct store_piece *piece,
                                struct base_error *error)
{
    off_t end = lseek(fd, 0, SEEK_END);
    if (end < 0)
        return manifest_fail_io(error, "read", path);
    uint64_t room = (uint64_t)end > blobs ? (uint64_t)end - blobs : 0;
    if (piece->offset > room || piece->len > room - piece->offset) // before memory is asked for
        return damaged(error, path, "it ends too early");
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

leat_status manifest_state_from_json(const json_t *item, struct store_state *state, struct base_error *error)
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

leat_epoch manifest_oldest(const json_t *root, leat_epoch epoch)
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

// --- writing

static json_t *piece_json(const struct store_manifest *m, const struct store_piece *p, uint64_t offset)
{
    int fresh = p->epoch == 0;
    return json_pack("{s:I, s:I, s:I, s:I, s:i, s:I}", "epoch", (json_int_t)(fresh ? m->epoch : p->epoch), "offset",
                     (json_int_t)(fresh ? offset : p->offset), "length", (json_int_t)p->len, "version",
                     (json_int_t)p->version, "kind", (int)p->kind, "crc", (json_int_t)p->crc);
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

static void sum_up(struct store_manifest *m)
{
    for (uint32_t i = 0; i < m->state_count; i++)
        for (uint32_t k = 0; k < m->states[i].piece_count; k++) {
            struct store_piece *p = &m->states[i].pieces[k];
            if (p->epoch == 0)
                p->crc = checksum(p->bytes, p->len);
        }
}

leat_status manifest_text(const char *job, struct store_manifest *m, char **text, size_t *len, struct base_error *error)
{
    leat_status st = LEAT_OK;
    sum_up(m);
    json_t *root = manifest_json(job, m);
    *text = NULL;
    *len = root ? json_dumpb(root, NULL, 0, JSON_COMPACT) : 0;
    if (*len > MANIFEST_MAX) {
        st = base_fail(error, LEAT_FATAL, "LEAT-T0001",
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

int manifest_write_file(int fd, const char *text, size_t len, const struct store_manifest *m)
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

void manifest_settle_places(struct store_manifest *m)
{
    uint64_t offset = 0;
    for (uint32_t i = 0; i < m->state_count; i++)
        for (uint32_t k = 0; k < m->states[i].piece_count; k++) {
            struct store_piece *p = &m->states[i].pieces[k];
            if (p->epoch)
                continue;
            p->epoch = m->epoch;
            p->offset = offset;
            offset += p->len;
        }
}
