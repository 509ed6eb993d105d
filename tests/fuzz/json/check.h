// SPDX-License-Identifier: Apache-2.0
// One text put to format-json and to jansson, and what must hold between the two. For the fuzzer and for a unit test.
#ifndef FUZZ_JSON_CHECK_H
#define FUZZ_JSON_CHECK_H

#include <stddef.h>
#include <stdint.h>

// Aborts, with the text on stderr, when something does not hold.
void json_check_text(const uint8_t *text, size_t len);

#endif
