// SPDX-License-Identifier: Apache-2.0
// Secrets in what the verbs and HTTP show: messages of servers and clients may repeat what they were given, so the core
// looks through everything that leaves the process.
//
// Thread: any (the registry of secrets has its own lock).
#ifndef CLI_MASK_H
#define CLI_MASK_H

#include <jansson.h>
#include <stddef.h>

struct base_secrets;
struct base_str;

// Masks what was added to `text` behind its first `from` bytes.
void mask_tail(struct base_secrets *secrets, struct base_str *text, size_t from);
// Masks every string in the value; takes the reference and returns one.
json_t *mask_json(struct base_secrets *secrets, json_t *value);

#endif
