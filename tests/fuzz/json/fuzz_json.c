// SPDX-License-Identifier: Apache-2.0
// Texts of any bytes to format-json, with jansson as the oracle: see check.c.
#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_check_text(data, size);
    return 0;
}
