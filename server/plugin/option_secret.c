// SPDX-License-Identifier: Apache-2.0
// Secrets in settings: which they are, and that they are kept for masking and warned of when written in clear.
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "plugin/option_int.h"

bool plugin_name_is_secret(const char *name)
{
    size_t len = strlen(name);
    if (len > 4 && (strcasecmp(name + len - 4, ".url") == 0 || strcasecmp(name + len - 4, ".uri") == 0))
        return false; // where tokens are had; a password within is found by itself
    return base_secret_named(name, len, NULL);
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

// Where the value behind "password=" and the like begins, blanks and a quote skipped; NULL = no such word stands here.
static const char *value_of_word(const char *p)
{
    static const char *const words[] = {"password", "passwd", "passphrase", "pwd", "secret", "token"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i]);
        if (strncasecmp(p, words[i], n) != 0)
            continue;
        const char *value = p + n + strspn(p + n, " \t");
        if (*value == '=')
            return value + 1 + strspn(value + 1, " \t");
    }
    return NULL;
}

// The length of a value: up to its quote, or to what ends it in a URL or a line of words.
static size_t value_length(const char *value, char quote)
{
    size_t n = 0;
    if (!quote)
        return strcspn(value, "&; \t");
    while (value[n] && value[n] != quote)
        n += value[n] == '\\' && value[n + 1] ? 2 : 1;
    return n;
}

// The next password within a text, from `p` on: in a URL, in a JAAS line, in a list of parameters. NULL = none.
static const char *next_secret(const char *p, size_t *len)
{
    for (; *p; p++) {
        const char *value = NULL;
        if (strncmp(p, "://", 3) == 0)
            value = base_secret_in_authority(p + 3, strlen(p + 3), "?# \t\"'", len);
        if (value && *len)
            return value;
        value = value_of_word(p);
        if (!value)
            continue;
        char quote = *value == '"' || *value == '\'' ? *value++ : (char)0;
        *len = value_length(value, quote);
        if (*len)
            return value;
    }
    return NULL;
}

static bool keep_within(struct base_secrets *secrets, const char *text)
{
    size_t n = 0;
    bool ok = true;
    for (const char *p = text; ok && (p = next_secret(p, &n)); p += n)
        ok = add_from_url(secrets, p, n);
    return ok;
}

// A password that stands in the file as it is. In a query nothing is replaced, and a text beside "password =" is data.
static void warn_within(struct plugin_parse *parse, const struct plugin_setting *s)
{
    size_t n = 0;
    for (const char *p = s->raw; strcmp(s->path, "query") != 0 && (p = next_secret(p, &n)); p += n) {
        if (memmem(p, n, "${", 2))
            continue;
        base_diag_add(parse->diags, LEAT_DIAG_WARNING, "LEAT-C0020", &s->place,
                      "Write \"${VARIABLE}\" or \"${file:/path}\" in its place and keep the secret out of the file.",
                      "a password is written in clear within option \"%s\"", s->path);
        return;
    }
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

static bool keep_items(struct base_secrets *secrets, const struct plugin_setting *s)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < s->item_count; i++)
        ok = s->items[i].kind != PLUGIN_TEXT || keep_within(secrets, s->items[i].text);
    return ok;
}

void option_keep_secret(struct plugin_parse *parse, const struct leat_option *o, const struct plugin_setting *s)
{
    // of what is refused the line is shown, and the table may say nothing of it
    bool by_name = o->type == LEAT_OPT_MAP || o->flags & OPTION_REFUSED;
    bool secret = by_name ? o->flags & (LEAT_OPT_SECRET | OPTION_REFUSED) && plugin_name_is_secret(s->path)
                          : (o->flags & LEAT_OPT_SECRET) != 0;
    if (!parse->secrets || (s->kind != PLUGIN_TEXT && s->kind != PLUGIN_LIST))
        return;
    bool kept = s->kind == PLUGIN_LIST ? keep_items(parse->secrets, s) : keep_within(parse->secrets, s->text);
    if (secret && s->kind == PLUGIN_TEXT && !said_openly(parse, s))
        kept = base_secrets_add(parse->secrets, s->text, s->len) && kept;
    if (!kept)
        base_diag_add(parse->diags, LEAT_DIAG_ERROR, "LEAT-R0001", &s->place, NULL, "out of memory for secrets");
    if (secret && s->len && s->raw == s->text)
        base_diag_add(parse->diags, LEAT_DIAG_WARNING, "LEAT-C0020", &s->place,
                      "Write \"${VARIABLE}\" or \"${file:/path}\" and keep the secret out of the file.",
                      "secret option \"%s\" is written in clear", s->path);
    else if (s->kind == PLUGIN_TEXT && s->raw)
        warn_within(parse, s);
}
