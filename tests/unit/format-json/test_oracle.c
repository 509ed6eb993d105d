// SPDX-License-Identifier: Apache-2.0
// format-json against jansson: documents made up at random, written by jansson, and the same with bytes changed, cut
// and repeated. What must hold is in tests/fuzz/json/check.c, which aborts when it does not. The seed is fixed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <cmocka.h>

#include "check.h"

#define DOCUMENTS 3000
#define MUTATIONS 12

static uint64_t rng_state = 42;

static uint32_t roll(uint32_t n)
{
    rng_state = rng_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(rng_state >> 33) % n;
}

static json_t *random_text(void)
{
    static const char *const parts[] = {
        "",           "a",    "\"", "\\", "/", "é", "漢字", "😀",      "\x7f",           "12.5", "2024-02-29",
        "12:00:00.5", "true", "-1", "{}", "e", " ", "AQI=", "\u2028", "\x01\t\n\b\f\r", "null"};
    char text[256] = "";
    for (uint32_t n = roll(6); n > 0; n--)
        strncat(text, parts[roll(sizeof parts / sizeof parts[0])], sizeof text - strlen(text) - 1);
    return json_string(text);
}

static json_t *random_number(void)
{
    double v = (double)roll(1000000) - 500000;
    for (uint32_t n = roll(4); n > 0; n--)
        v = roll(2) ? v * 1e9 : v / 1e7;
    return roll(2) ? json_integer((json_int_t)rng_state >> roll(64)) : json_real(v);
}

static json_t *random_value(unsigned depth)
{
    static const char *const names[] = {"s", "i", "d", "n", "x", "y", "other", "é"};
    switch (roll(depth ? 8 : 6)) {
    case 0:
        return json_null();
    case 1:
        return json_boolean(roll(2));
    case 2:
    case 3:
        return random_number();
    case 4:
    case 5:
        return random_text();
    default:
        break;
    }
    json_t *list = roll(2) ? json_array() : json_object();
    for (uint32_t n = roll(4); n > 0; n--) {
        if (json_is_array(list))
            json_array_append_new(list, random_value(depth - 1));
        else
            json_object_set_new(list, names[roll(sizeof names / sizeof names[0])], random_value(depth - 1));
    }
    return list;
}

static json_t *random_record(void)
{
    static const char *const names[] = {"s",   "i",    "t",  "d",   "f", "n", "b", "y",
                                        "day", "time", "at", "utc", "a", "l", "m", "r"};
    json_t *record = json_object();
    for (uint32_t n = roll(6); n > 0; n--)
        json_object_set_new(record, names[roll(sizeof names / sizeof names[0])], random_value(3));
    return record;
}

// Checked in memory of exactly its size, so that the sanitizer sees what is read beyond it.
static void check(const char *text, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    if (len)
        memcpy(copy, text, len);
    json_check_text(copy, len);
    free(copy);
}

static size_t mutate(char *text, size_t len)
{
    static const char bytes[] = "{}[]\",:\\ue0123456789.-+tfnbr \n\xc3\xa9\xed\xa0\xff";
    size_t at = roll((uint32_t)len + 1), n = roll(8);
    switch (roll(4)) {
    case 0: // cut the end
        return at;
    case 1: // take some out
        if (at + n > len)
            return at;
        memmove(text + at, text + at + n, len - at - n);
        return len - n;
    case 2: // say some twice
        if (at + n > len)
            return len;
        memmove(text + at + n, text + at, len - at);
        return len + n;
    default: // another byte
        if (at < len)
            text[at] = bytes[roll(sizeof bytes - 1)];
        return len;
    }
}

static void test_documents_of_jansson(void **state)
{
    (void)state;
    static const size_t flags[] = {JSON_COMPACT, 0, JSON_INDENT(1), JSON_ENSURE_ASCII, JSON_ESCAPE_SLASH};
    for (int i = 0; i < DOCUMENTS; i++) {
        json_t *record = random_record();
        char *text = json_dumps(record, flags[roll(sizeof flags / sizeof flags[0])]);
        assert_non_null(text);
        check(text, strlen(text));
        size_t whole = strlen(text);
        char *changed = malloc(whole + 8 * MUTATIONS + 8);
        assert_non_null(changed);
        for (int k = 0; k < MUTATIONS; k++) {
            size_t len = whole;
            memcpy(changed, text, whole);
            for (uint32_t n = 1 + roll(3); n > 0; n--)
                len = mutate(changed, len);
            check(changed, len);
        }
        free(changed);
        free(text);
        json_decref(record);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_documents_of_jansson)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
