// SPDX-License-Identifier: Apache-2.0
// Registry of secret values, longest first, so that a secret that contains another is masked whole; and what tells that
// something is a secret. See secret.h.
#include "base/secret.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct base_secrets {
    pthread_rwlock_t lock;
    size_t count;
    struct secret {
        char *text;
        size_t len;
        bool is_word; // an ordinary one: masked only where it stands alone
    } items[BASE_SECRETS_MAX];
};

struct base_secrets *base_secrets_create(void)
{
    struct base_secrets *s = calloc(1, sizeof *s);
    if (s && pthread_rwlock_init(&s->lock, NULL) != 0) {
        free(s);
        return NULL;
    }
    return s;
}

void base_secrets_destroy(struct base_secrets *secrets)
{
    if (!secrets)
        return;
    for (size_t i = 0; i < secrets->count; i++) {
        explicit_bzero(secrets->items[i].text, secrets->items[i].len);
        free(secrets->items[i].text);
    }
    pthread_rwlock_destroy(&secrets->lock);
    free(secrets);
}

static bool is_word(const char *value, size_t len)
{
    if (len >= BASE_SECRET_WORD || !isalpha((unsigned char)*value))
        return false;
    for (size_t i = 1; i < len; i++)
        if (value[i] < 'a' || value[i] > 'z')
            return false;
    return true;
}

// Under the write lock.
static bool insert(struct base_secrets *s, const char *value, size_t len)
{
    size_t at = 0;
    for (; at < s->count && s->items[at].len >= len; at++) {
        if (s->items[at].len == len && memcmp(s->items[at].text, value, len) == 0)
            return true;
    }
    char *copy = s->count < BASE_SECRETS_MAX ? base_strndup(value, len) : NULL;
    if (!copy)
        return false;
    memmove(&s->items[at + 1], &s->items[at], (s->count - at) * sizeof s->items[0]);
    s->items[at] = (struct secret){copy, len, is_word(value, len)};
    s->count++;
    return true;
}

bool base_secrets_add(struct base_secrets *secrets, const char *value, size_t len)
{
    if (len < BASE_SECRET_MIN)
        return true;
    pthread_rwlock_wrlock(&secrets->lock);
    bool ok = insert(secrets, value, len);
    pthread_rwlock_unlock(&secrets->lock);
    return ok;
}

// Is the character part of a longer word?
static bool joins(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static bool stands_alone(const char *text, size_t at, size_t n, size_t len)
{
    return (at == 0 || !joins(text[at - 1])) && (at + n == len || !joins(text[at + n]));
}

// Length of the secret that begins at text[at], 0 if none does. Under the read lock.
static size_t secret_at(const struct base_secrets *s, const char *text, size_t at, size_t len)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct secret *secret = &s->items[i];
        if (secret->len <= len - at && secret->text[0] == text[at] &&
            memcmp(secret->text, text + at, secret->len) == 0 &&
            (!secret->is_word || stands_alone(text, at, secret->len, len)))
            return secret->len;
    }
    return 0;
}

void base_secrets_mask(struct base_secrets *secrets, const char *text, size_t len, struct base_str *out)
{
    if (!secrets) {
        base_str_add(out, text, len);
        return;
    }
    pthread_rwlock_rdlock(&secrets->lock);
    size_t plain = 0; // beginning of the text not yet added
    for (size_t i = 0; i < len && secrets->count;) {
        size_t n = secret_at(secrets, text, i, len);
        if (n) {
            base_str_add(out, text + plain, i - plain);
            base_str_addz(out, BASE_SECRET_MASK);
            plain = i + n;
        }
        i += n ? n : 1;
    }
    pthread_rwlock_unlock(&secrets->lock);
    base_str_add(out, text + plain, len - plain);
}

// --- what is a secret

static bool has_word(const char *name, size_t len, const char *word)
{
    size_t n = strlen(word);
    for (size_t at = 0; at + n <= len; at++)
        if (strncasecmp(name + at, word, n) == 0)
            return true;
    return false;
}

static bool has_any(const char *name, size_t len, const char *const *words)
{
    for (; *words; words++)
        if (has_word(name, len, *words))
            return true;
    return false;
}

bool base_secret_named(const char *name, size_t len, const char *const *more)
{
    static const char *const words[] = {"password",    "passphrase", "secret",       "token",     "jaas", "credential",
                                        "private-key", "key.pem",    "keystore.key", "user.info", NULL};
    return has_any(name, len, words) || (more && has_any(name, len, more));
}

const char *base_secret_in_authority(const char *text, size_t len, const char *ends, size_t *password_len)
{
    size_t n = 0;
    while (n < len && !strchr(ends, text[n])) // the terminator ends it too
        n++;
    const char *at = memrchr(text, '@', n), *colon = at ? memchr(text, ':', (size_t)(at - text)) : NULL;
    if (!colon || colon[1 + strspn(colon + 1, "0123456789")] == '/')
        return NULL;
    *password_len = (size_t)(at - colon - 1);
    return colon + 1;
}
