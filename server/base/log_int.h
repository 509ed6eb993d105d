// SPDX-License-Identifier: Apache-2.0
// What the log's two files share: a record, and its making into a line.
#ifndef BASE_LOG_INT_H
#define BASE_LOG_INT_H

#include "base/log.h"
#include "base/str.h"

#define LOG_STRINGS 5 // of a record before its fields

// Strings lie one after the other in `text`, each terminated: pipeline, node, job, event, message, then key, value, ….
struct log_record {
    leat_usec time;
    uint8_t level;
    uint8_t fields;
    uint8_t machine;   // a bit for each field that is only in JSON
    bool each;         // never folded
    uint16_t who_len;  // bytes of pipeline, node and job
    uint16_t same_len; // bytes of the five first strings: what is compared when repeats are folded
    uint16_t len;      // bytes of all strings
    uint32_t repeated; // > 0: this line stands for so many …
    leat_usec last;    // … the last of which was then
    char text[BASE_LOG_TEXT_MAX];
};

// Adds the record as one line with its end. Secrets are masked in every string.
void log_format_text(const struct log_record *r, struct base_secrets *secrets, struct base_str *out);
void log_format_json(const struct log_record *r, struct base_secrets *secrets, struct base_str *out);

#endif
