// SPDX-License-Identifier: Apache-2.0
// How far two names are apart, for "did you mean".
#ifndef NEAREST_H
#define NEAREST_H

#include <stddef.h>
#include <stdint.h>

// Letters changed, added, left out or swapped with their neighbour to make b of a, without case; given up beyond 3.
uint32_t nearest_distance(const char *a, size_t na, const char *b, size_t nb);

#endif
