// SPDX-License-Identifier: Apache-2.0
// UTF-8: what is valid, positions and lengths at every alignment, and case.
#include "utf8.h"

#include "table.h"

static void validation(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        size_t len, valid;
    } rows[] = {
        {"empty", "", 0, 0},
        {"ascii", "Hello, World and more than sixteen", 34, 34},
        {"zero byte", "a\0b", 3, 3},
        {"two bytes", "\xc2\x80\xdf\xbf", 4, 4},
        {"three bytes", "\xe0\xa0\x80\xef\xbf\xbf", 6, 6},
        {"four bytes", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8, 8},
        {"around the surrogates", "\xed\x9f\xbf\xee\x80\x80", 6, 6},
        {"lone continuation", "ab\x80", 3, 2},
        {"overlong 2", "a\xc1\xbf", 3, 1},
        {"overlong 3", "\xe0\x9f\xbf", 3, 0},
        {"overlong 4", "\xf0\x8f\xbf\xbf", 4, 0},
        {"surrogate", "\xed\xa0\x80", 3, 0},
        {"beyond 10ffff", "\xf4\x90\x80\x80", 4, 0},
        {"f5", "\xf5\x80\x80\x80", 4, 0},
        {"ff", "12345678\xff", 9, 8},
        {"cut 2", "\xc2", 1, 0},
        {"cut 3", "x\xe4\xbd", 3, 1},
        {"cut 4", "\xf0\x9f\x98", 3, 0},
        {"broken 2", "\xc2\x41", 2, 0},
        {"broken 3", "\xe4\xbd\x41", 3, 0},
        {"broken 4", "\xf0\x9f\x98\x41", 4, 0},
        {"after ascii blocks", "0123456789abcdef0123456789abcde\xe4", 32, 31},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        check_int(rows[i].name, (int64_t)utf8_valid_prefix(rows[i].text, rows[i].len), (int64_t)rows[i].valid);
        check_int(rows[i].name, utf8_valid(rows[i].text, rows[i].len), rows[i].valid == rows[i].len);
    }
}

// Inside longer text three-byte code points are judged by another path than at its end; both must agree.
static void three_bytes_are_judged_alike_everywhere(void **state)
{
    static const uint8_t thirds[] = {0x00, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    for (unsigned first = 0xe0; first <= 0xef; first++) {
        for (unsigned second = 0; second <= 0xff; second++) {
            for (size_t i = 0; i < COUNT(thirds); i++) {
                uint8_t text[8] = {(uint8_t)first, (uint8_t)second, thirds[i], 'a', 'b', 'c', 'd', 'e'};
                if (utf8_valid(text, 3) != utf8_valid(text, sizeof text))
                    fail_msg("%02x %02x %02x: the end of the text makes a difference", first, second, thirds[i]);
            }
        }
    }
}

static void lengths_and_positions(void **state)
{
    static const struct {
        const char *text;
        size_t points;
        size_t n, offset;
    } rows[] = {
        {"", 0, 0, 0},
        {"abc", 3, 0, 0},
        {"abc", 3, 2, 2},
        {"abc", 3, 3, 3},
        {"abc", 3, 9, 3},
        {"a😀b中", 4, 2, 5},
        {"a😀b中", 4, 3, 6},
        {"a😀b中", 4, 4, 9},
        {"你好世界", 4, 1, 3},
        {"你好世界你好世界", 8, 7, 21},
        {"école ÉCOLE", 11, 7, 9},
        {"0123456789😀😀😀😀😀", 15, 12, 18},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = strlen(rows[i].text);
        check_int(rows[i].text, (int64_t)utf8_count(rows[i].text, len), (int64_t)rows[i].points);
        check_int(rows[i].text, (int64_t)utf8_offset(rows[i].text, len, rows[i].n), (int64_t)rows[i].offset);
    }
}

static void every_code_point_round_trips(void **state)
{
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        uint8_t bytes[UTF8_CHAR_MAX];
        unsigned used = 0, len = utf8_encode(bytes, code);
        uint32_t want = code >= 0xD800 && code < 0xE000 ? UTF8_REPLACEMENT : code;
        if (!utf8_valid(bytes, len) || utf8_decode(bytes, len, &used) != want || used != len)
            fail_msg("U+%04X does not come back", (unsigned)code);
    }
    unsigned used = 7;
    assert_int_equal(utf8_decode("\x80", 1, &used), UTF8_REPLACEMENT);
    assert_int_equal(used, 1);
    assert_int_equal(utf8_decode("", 0, &used), 0);
    assert_int_equal(used, 0);
}

static void letter_case(void **state)
{
    static const struct {
        const char *text, *upper, *lower;
    } rows[] = {
        {"", "", ""},
        {"Hello World 0123 @[`{", "HELLO WORLD 0123 @[`{", "hello world 0123 @[`{"},
        {"école ÉCOLE", "ÉCOLE ÉCOLE", "école école"},
        {"straße", "STRASSE", "straße"},
        {"İstanbul ıI", "İSTANBUL II", "i̇stanbul ıi"},
        {"ΌΔΟΣ", "ΌΔΟΣ", "όδος"},
        {"ΑΣ", "ΑΣ", "ας"},
        {"Σ", "Σ", "σ"},
        {"ΣΑ ΑΣ ΑΣ.", "ΣΑ ΑΣ ΑΣ.", "σα ας ας."},
        {"ΑΣ'Α ΣΣ", "ΑΣ'Α ΣΣ", "ασ'α σς"},
        {"a😀b中", "A😀B中", "a😀b中"},
        {"ǆ ﬃ ŉ ΐ", "Ǆ FFI ʼN \u0399\u0308\u0301", "ǆ ﬃ ŉ ΐ"},
        {"ÿ µ ſ", "Ÿ Μ S", "ÿ µ ſ"},
        {"привет Мир", "ПРИВЕТ МИР", "привет мир"},
        {"𐐨𐐀", "𐐀𐐀", "𐐨𐐨"},
        {"Ⱥ K", "Ⱥ K", "ⱥ k"},
        {"bad \xff\xc3 bytes", "BAD \xff\xc3 BYTES", "bad \xff\xc3 bytes"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char got[128 * UTF8_CASE_GROWTH];
        size_t len = strlen(rows[i].text);
        check_text(rows[i].text, got, utf8_upper(got, rows[i].text, len), rows[i].upper);
        check_text(rows[i].text, got, utf8_lower(got, rows[i].text, len), rows[i].lower);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validation),
        cmocka_unit_test(three_bytes_are_judged_alike_everywhere),
        cmocka_unit_test(lengths_and_positions),
        cmocka_unit_test(every_code_point_round_trips),
        cmocka_unit_test(letter_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
