// SPDX-License-Identifier: Apache-2.0
// Inside common/calendar only: what patterns are made of. The English names that they print and parse, whose short form
// is the first three letters, and sets of pattern letters.
#ifndef COMMON_CALENDAR_NAMES_H
#define COMMON_CALENDAR_NAMES_H

#include <stdint.h>

static const char *const calendar_months[12] = {"January", "February", "March",     "April",   "May",      "June",
                                                "July",    "August",   "September", "October", "November", "December"};

// From Sunday.
static const char *const calendar_weekdays[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                 "Thursday", "Friday", "Saturday"};

// A set of pattern letters (and brackets) as bits of a word.
#define LETTER(c) (UINT64_C(1) << ((c) - 'A'))

#define LETTERS_TIME                                                                                                   \
    (LETTER('a') | LETTER('H') | LETTER('k') | LETTER('K') | LETTER('h') | LETTER('m') | LETTER('s') | LETTER('S') |   \
     LETTER('n') | LETTER('A'))
#define LETTERS_YEAR      (LETTER('y') | LETTER('u') | LETTER('Y'))
#define LETTERS_NAME      (LETTER('M') | LETTER('L') | LETTER('Q') | LETTER('q') | LETTER('e')) // from three letters on
#define LETTERS_NO_NUMBER (LETTER('G') | LETTER('E') | LETTER('a') | LETTER('[') | LETTER(']'))
#define LETTERS_OPEN      (LETTER('n') | LETTER('A')) // numbers that take more digits than their width

static inline int letter_in(uint8_t letter, uint64_t set)
{
    return letter && (set >> (letter - 'A') & 1);
}

#endif
