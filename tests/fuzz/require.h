// SPDX-License-Identifier: Apache-2.0
// What a fuzz target holds beyond "no crash": a condition that does not hold is told and ends the process.
#ifndef LEAT_FUZZ_REQUIRE_H
#define LEAT_FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                              \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

#endif
