// SPDX-License-Identifier: Apache-2.0
// Secrets in settings: which they are, and that they are kept for masking and warned of when written in clear.
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "plugin/option_int.h"

bool plugin_name_is_secret(const char *name)
{
    static const char *const parts[] = {"password", "passphrase", "secret",      "token",
                                        "jaas",     "credential", "private-key", "key.pem"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strcasestr(name, parts[i]))
            return true;
    }
    return false;
}

// A password as it stands in a URL, and what it means there: %40 is a character.
static bool add_from_url(struct base_secrets *secrets, const char *text, size_t len)
{
    char plain[512];
    size_t n = 0;
    for (size_t i = 0; i < len && n < sizeof plain; i++) {
        unsigned value;
        char digits[3] = {i + 2 < len ? text[i + 1] : (char)0, i + 2 < len ? text[i + 2] : (char)0, 0};
        if (i + 2 < len && text[i] == '%' && isxdigit((unsigned char)digits[0]) && isxdigit((unsigned char)digits[1]) &&
            sscanf(digits, "%x", &value) == 1) {
            plain[n++] = (char)value;
            i += 2;
        } else {
            plain[n++] = text[i];
        }
    }
    return base_secrets_add(secrets, text, len) && base_secrets_add(secrets, plain, n);
}

bool plugin_find_secrets(struct base_secrets *secrets, const char *text)
{
    const char *rest = strstr(text, "://"), *at, *colon;
    if (rest && (at = strchr(rest + 3, '@')) && (colon = memchr(rest + 3, ':', (size_t)(at - rest - 3))) &&
        !memchr(rest + 3, '/', (size_t)(at - rest - 3)) && !add_from_url(secrets, colon + 1, (size_t)(at - colon - 1)))
        return false;
    for (const char *p = text; (p = strcasestr(p, "password"));) {
        p += strlen("password");
        if (*p++ != '=')
            continue;
        const char *quote = *p == '"' || *p == '\'' ? p++ : NULL;
        size_t n = quote ? strcspn(p, quote[0] == '"' ? "\"" : "'") : strcspn(p, "&; ");
        if (!add_from_url(secrets, p, n))
            return false;
        p += n;
    }
    return true;
}

// A password that is at the same time the user's name or the like is no secret, and masking it would blot out the log.
static bool said_openly(const struct plugin_parse *parse, const struct plugin_setting *secret)
{
    for (uint32_t i = 0; i < parse->setting_count; i++) {
        const struct plugin_setting *s = &parse->settings[i];
        if (s != secret && s->kind == PLUGIN_TEXT && !plugin_name_is_secret(s->path) && s->len == secret->len &&
            strcmp(s->text, secret->text) == 0)
            return true;
    }
    return false;
}

void option_keep_secret(struct plugin_parse *parse, const struct leat_option *o, const struct plugin_setting *s)
{
    bool secret = o->flags & LEAT_OPT_SECRET && (o->type != LEAT_OPT_MAP || plugin_name_is_secret(s->path));
    if (s->kind != PLUGIN_TEXT || !parse->secrets)
        return;
    bool kept = plugin_find_secrets(parse->secrets, s->text);
    if (secret && !said_openly(parse, s))
        kept = base_secrets_add(parse->secrets, s->text, s->len) && kept;
    if (!kept)
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-R0001", &s->place, NULL, "out of memory for secrets");
    if (secret && s->len && s->raw == s->text)
        base_diag_add(parse->diags, LEAT_DIAG_WARNING, "LEAT-C0020", &s->place,
                      "Write \"${VARIABLE}\" or \"${file:/path}\" and keep the secret out of the file.",
                      "secret option \"%s\" is written in clear", s->path);
}
