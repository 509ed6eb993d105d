// SPDX-License-Identifier: Apache-2.0
// A temporary folder that goes with its files when a test is over.
#ifndef CHECKPOINT_FOLDER_H
#define CHECKPOINT_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static inline int folder_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    return remove(path);
}

// `path` ends in XXXXXX, as mkdtemp wants it.
static inline int folder_make(char *path)
{
    return mkdtemp(path) ? 0 : -1;
}

static inline void folder_remove(const char *path)
{
    (void)nftw(path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
