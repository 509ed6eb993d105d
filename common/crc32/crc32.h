// SPDX-License-Identifier: Apache-2.0
// CRC-32 (the polynomial of Ethernet and zip, reflected), for files that must not be read when damaged. Thread: any.
#ifndef LEAT_CRC32_H
#define LEAT_CRC32_H

#include <stddef.h>
#include <stdint.h>

// Goes on from `crc` (0 at the start).
uint32_t crc32_of(uint32_t crc, const void *ptr, size_t len);

#endif
