// SPDX-License-Identifier: Apache-2.0
// The core's error codes: what each means and how it is mended. The page of codes is printed from here.
//
// A code is stable for ever. Plugins bring tables of their own (leat/plugin.h). A unit test holds this table against
// the sources of server/. Thread: any.
#ifndef BASE_CODE_H
#define BASE_CODE_H

#include "leat/plugin.h"

// All codes of the core, sorted.
const struct leat_code *base_codes(uint32_t *count);
// The cure of one of them, NULL for a code that is not the core's.
const char *base_code_cure(const char *code);

#endif
