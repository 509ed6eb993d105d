// SPDX-License-Identifier: Apache-2.0
// ${VAR}, ${VAR:-default}, ${file:/path} and $$ in strings: replaced once, after parsing; results are not looked at
// again.
//
// A dollar sign that begins neither form stands for itself (regular expressions end in one).
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/secret.h"
#include "base/str.h"
#include "config/config_int.h"

#define FILE_MAX ((size_t)64 << 10) // longest ${file:…}

struct work {
    struct config *config;
    const struct plugin_setting *where; // as written: raw == text
    struct base_str out;
    bool secret;
};

static bool __attribute__((format(printf, 4, 5)))
complain(struct work *w, size_t offset, const char *hint, const char *format, ...)
{
    struct base_place place = plugin_setting_place(w->where, (uint32_t)offset);
    va_list args;
    va_start(args, format);
    base_diag_addv(w->config->diags, LEAT_DIAG_ERROR, "LEAT-C0011", &place, hint, format, args);
    va_end(args);
    return false;
}

// Text from outside must be UTF-8 without NUL. Checked by quoting it: what is not UTF-8 becomes U+FFFD.
static bool is_text(const char *text, size_t len)
{
    struct base_str s;
    base_str_init(&s);
    base_str_add_json(&s, text, len);
    bool ok = !memchr(text, 0, len) && (!strstr(s.ptr, "\xef\xbf\xbd") || memmem(text, len, "\xef\xbf\xbd", 3) != NULL);
    base_str_fini(&s);
    return ok;
}

static bool read_file(struct work *w, size_t offset, const char *path)
{
    char buf[FILE_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return complain(w, offset, NULL, "could not read file \"%s\": %s", path, strerror(errno));
    size_t len = 0;
    ssize_t n;
    while ((n = read(fd, buf + len, sizeof buf - len)) > 0 || (n < 0 && errno == EINTR))
        len += n > 0 ? (size_t)n : 0;
    int error = errno;
    close(fd);
    if (n < 0)
        return complain(w, offset, NULL, "could not read file \"%s\": %s", path, strerror(error));
    if (len > FILE_MAX)
        return complain(w, offset, NULL, "file \"%s\" is longer than 64 KiB", path);
    if (len && buf[len - 1] == '\n')
        len--;
    if (len && buf[len - 1] == '\r')
        len--;
    if (!is_text(buf, len))
        return complain(w, offset, NULL, "file \"%s\" is not UTF-8 text", path);
    w->secret = true;
    if (w->config->secrets && !base_secrets_add(w->config->secrets, buf, len))
        return complain(w, offset, NULL, "out of memory for secrets");
    base_str_add(&w->out, buf, len);
    return true;
}

static bool name_is_right(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    for (; *name; name++) {
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    }
    return true;
}

// What stands between the braces; terminated, may be changed.
static bool replace(struct work *w, size_t offset, char *inner)
{
    if (strncmp(inner, "file:", 5) == 0)
        return read_file(w, offset, inner + 5);
    char *def = strstr(inner, ":-");
    if (def) {
        *def = 0;
        def += 2;
    }
    if (!name_is_right(inner))
        return complain(w, offset, "Write ${NAME}, ${NAME:-default} or ${file:/path}; $$ stands for a dollar sign.",
                        "\"${%s}\" names no variable", inner);
    const char *value = getenv(inner);
    if (value && *value) {
        if (!is_text(value, strlen(value)))
            return complain(w, offset, NULL, "environment variable \"%s\" is not UTF-8 text", inner);
        base_str_addz(&w->out, value);
    } else if (def) {
        base_str_addz(&w->out, def);
    } else if (!value) {
        char hint[160];
        snprintf(hint, sizeof hint, "Set it, or give a default: ${%.50s:-default}.", inner);
        return complain(w, offset, hint, "environment variable \"%s\" is not set", inner);
    }
    return true;
}

static bool run(struct work *w, const char *text, size_t len)
{
    bool ok = true;
    for (size_t i = 0; i < len;) {
        const char *dollar = memchr(text + i, '$', len - i);
        size_t plain = dollar ? (size_t)(dollar - text) - i : len - i;
        base_str_add(&w->out, text + i, plain);
        i += plain;
        if (!dollar)
            break;
        if (i + 1 < len && text[i + 1] == '$') {
            base_str_addc(&w->out, '$');
            i += 2;
        } else if (i + 1 < len && text[i + 1] == '{') {
            const char *close = memchr(text + i, '}', len - i);
            if (!close)
                return complain(w, i, "Write $$ where a dollar sign is meant.", "\"${\" is not closed by \"}\"");
            size_t n = (size_t)(close - text) - i - 2;
            char *inner = base_strndup(text + i + 2, n);
            if (!inner)
                return complain(w, i, NULL, "out of memory");
            ok = replace(w, i, inner) && ok;
            free(inner);
            i += n + 3;
        } else {
            base_str_addc(&w->out, '$');
            i++;
        }
    }
    return ok;
}

bool substitute(struct config *config, const char **text, uint32_t *len, const struct plugin_setting *where,
                bool *secret)
{
    if (!memchr(*text, '$', *len))
        return true;
    struct work w = {.config = config, .where = where};
    base_str_init(&w.out);
    w.out.max = BASE_SOURCE_MAX;
    bool ok = run(&w, *text, *len);
    if (ok && !base_str_ok(&w.out))
        ok = complain(&w, 0, NULL, "the value becomes longer than 1 MiB");
    const char *copy = ok ? base_arena_strndup(config->arena, w.out.ptr, w.out.len) : NULL;
    if (ok && !copy)
        no_memory(config);
    if (copy) {
        *text = copy;
        *len = (uint32_t)w.out.len;
        *secret = *secret || w.secret;
    }
    base_str_fini(&w.out);
    return copy != NULL;
}
