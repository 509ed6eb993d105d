// SPDX-License-Identifier: Apache-2.0
// cmocka with its mandatory includes in order, and the one failure message that names the row of a table.
#ifndef TESTS_UNIT_COMMON_TABLE_H
#define TESTS_UNIT_COMMON_TABLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

// Fails the test, naming the row, unless both texts are equal.
static inline void check_text(const char *row, const char *got, size_t len, const char *want)
{
    if (len != strlen(want) || memcmp(got, want, len) != 0)
        fail_msg("%s: got \"%.*s\", want \"%s\"", row, (int)len, got, want);
}

// Fails the test, naming the row, unless both numbers are equal.
static inline void check_int(const char *row, int64_t got, int64_t want)
{
    if (got != want)
        fail_msg("%s: got %lld, want %lld", row, (long long)got, (long long)want);
}

#endif
