// SPDX-License-Identifier: Apache-2.0
// Inside common/calendar only: the English names that patterns print and parse. The short form is the first three
// letters.
#ifndef COMMON_CALENDAR_NAMES_H
#define COMMON_CALENDAR_NAMES_H

static const char *const calendar_months[12] = {"January", "February", "March",     "April",   "May",      "June",
                                                "July",    "August",   "September", "October", "November", "December"};

// From Sunday.
static const char *const calendar_weekdays[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                 "Thursday", "Friday", "Saturday"};

#endif
