// SPDX-License-Identifier: Apache-2.0
// Feeds every file of a folder to a fuzz target once: what was found stays found, with any compiler and no libFuzzer.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// Fed from a block of exactly its size, so that a sanitizer sees a read beyond the end.
static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = -1;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    uint8_t *data = size >= 0 ? malloc((size_t)size + (size == 0)) : NULL;
    int ok = data != NULL && fseek(file, 0, SEEK_SET) == 0 && fread(data, 1, (size_t)size, file) == (size_t)size;
    if (ok)
        (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    else
        fprintf(stderr, "could not read \"%s\"\n", path);
    free(data);
    if (file != NULL)
        fclose(file);
    return ok;
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    int count = argc == 2 ? scandir(argv[1], &entries, is_input, alphasort) : -1;
    if (count <= 0) {
        fprintf(stderr, "usage: %s FOLDER (with at least one input)\n", argv[0]);
        return 2;
    }
    int good = 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
        good += replay_file(path);
        free(entries[i]);
    }
    free(entries);
    printf("%d inputs replayed\n", good);
    return good == count ? 0 : 1;
}
