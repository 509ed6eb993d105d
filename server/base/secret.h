// SPDX-License-Identifier: Apache-2.0
// Secret values, and masking them in any text that leaves the process.
//
// Whatever reads a secret (an option flagged so, a password in a URL, a ${file:…}) puts its value in here; the log,
// HTTP and CLI pass their text through base_secrets_mask. Very short values are not searched for, since they would
// blot out ordinary words; one that is itself an ordinary word ("postgres") is masked where it stands alone, and not
// within "postgres-cdc" or "postgresql". Options flagged secret are masked by name wherever they are printed.
// Thread: any; a reader-writer lock inside.
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define BASE_SECRET_MASK "******"
#define BASE_SECRET_MIN  4    // shorter values are not searched for
#define BASE_SECRET_WORD 16   // letters only, small but for the first, and shorter than this: an ordinary word
#define BASE_SECRETS_MAX 1024 // values in a registry

struct base_secrets;

struct base_secrets *base_secrets_create(void);
void base_secrets_destroy(struct base_secrets *secrets);

// Copies the value. False when memory is short or the registry is full: the caller must refuse to go on.
bool base_secrets_add(struct base_secrets *secrets, const char *value, size_t len);

// Does a name have one of the words in it that names of secrets have, or one of `more`, up to NULL? `more` may be NULL.
bool base_secret_named(const char *name, size_t len, const char *const *more);

// The password of "user:password@host", what stands behind "://", up to one of `ends`; NULL = there is none. It may hold a
// '/', which should have been "%2F" and is a secret all the same; "host:8080/a@b" has none.
const char *base_secret_in_authority(const char *text, size_t len, const char *ends, size_t *password_len);

// Adds `text` to `out` with every secret in it replaced by the mask. `secrets` may be NULL: nothing is secret.
void base_secrets_mask(struct base_secrets *secrets, const char *text, size_t len, struct base_str *out);

#endif
