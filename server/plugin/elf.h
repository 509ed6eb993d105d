// SPDX-License-Identifier: Apache-2.0
// A look into a library before it is loaded.
//
// dlopen trusts a file: a truncated one kills the process inside it, and constructors run before anybody could ask for
// a version. So the header, the tables, the note and the
// entry's name are read from the very descriptor that is loaded afterwards.
// Thread: any.
#ifndef PLUGIN_ELF_H
#define PLUGIN_ELF_H

#include <stdint.h>

#include "leat/plugin.h"

struct base_error;

#define PLUGIN_ENTRY "leat_plugin_entry"

// Checks the file behind `fd`, which has `size` bytes, and copies its note. Fails as LEAT_CONFIG with a LEAT-P… code;
// the message goes on "…: " and does not name the file.
leat_status plugin_elf_check(int fd, uint64_t size, struct leat_note *note, struct base_error *err) LEAT_MUST_CHECK;

#endif
