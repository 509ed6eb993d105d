// SPDX-License-Identifier: Apache-2.0
// Any bytes as a checkpoint file. With 'f' at their front the rest is the file itself; else it is a manifest, then 0,
// then the pieces, and gets a header whose length and checksum are right, which mutations would never find.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "base/error.h"
#include "checkpoint/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void put(int fd, const void *bytes, size_t len)
{
    if (write(fd, bytes, len) != (ssize_t)len)
        abort();
}

static void put_u32(int fd, uint32_t v)
{
    uint8_t bytes[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    put(fd, bytes, sizeof bytes);
}

static void put_file(int fd, const uint8_t *data, size_t len)
{
    const uint8_t *end = memchr(data, 0, len);
    size_t text = end ? (size_t)(end - data) : len;
    put(fd, "LEATCKP1", 8);
    put_u32(fd, (uint32_t)text);
    put_u32(fd, (uint32_t)crc32_z(0, data, text));
    put(fd, data, text);
    if (end)
        put(fd, end + 1, len - text - 1);
}

// As the store does: a state is read when its node has the name that is looked for.
static void read_state(int fd, const char *path, uint64_t blobs, const json_t *item)
{
    struct base_error error;
    struct store_manifest m = {.states = calloc(1, sizeof *m.states), .state_count = 1};
    if (!m.states)
        abort();
    leat_status st = manifest_state_from_json(item, &m.states[0], &error);
    for (uint32_t i = 0; st >= 0 && i < m.states[0].piece_count; i++)
        st = manifest_read_piece(fd, path, blobs, &m.states[0].pieces[i], &error);
    store_manifest_fini(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct base_error error;
    char path[64];
    int file = memfd_create("checkpoint", MFD_CLOEXEC), fd;
    json_t *root, *item;
    uint64_t blobs;
    size_t i;
    if (file < 0)
        abort();
    if (len && data[0] == 'f')
        put(file, data + 1, len - 1);
    else
        put_file(file, data, len);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (manifest_open(path, &fd, &root, &blobs, &error) >= 0) {
        (void)manifest_oldest(root, 7);
        json_array_foreach(json_object_get(root, "states"), i, item)
        {
            if (json_string_value(json_object_get(item, "node")))
                read_state(fd, path, blobs, item);
        }
        json_decref(root);
        close(fd);
    }
    close(file);
    return 0;
}
