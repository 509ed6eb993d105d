// SPDX-License-Identifier: Apache-2.0
// See jaas.h. The grammar: class name, control flag, then NAME=VALUE pairs with or without quotes, a ';' at the end.
#include "jaas.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct words {
    const char *at;
};

static void skip_space(struct words *w)
{
    while (isspace((unsigned char)*w->at))
        w->at++;
}

// Copies up to one of `ends` (or the closing quote) into `out`. 0 = too long or no closing quote.
static int take_word(struct words *w, const char *ends, char *out, size_t cap)
{
    size_t n = 0;
    char quote = *w->at == '"' || *w->at == '\'' ? *w->at++ : 0;
    for (; *w->at && (quote ? *w->at != quote : !strchr(ends, *w->at)); w->at++) {
        if (quote && *w->at == '\\' && w->at[1])
            w->at++;
        if (n + 1 >= cap)
            return 0;
        out[n++] = *w->at;
    }
    out[n] = 0;
    if (!quote)
        return 1;
    return *w->at == quote ? (w->at++, 1) : 0;
}

static int take_pair(struct words *w, struct kafka_jaas *out)
{
    char name[64];
    char value[1024];
    if (!take_word(w, "= \t\n;", name, sizeof name))
        return 0;
    skip_space(w);
    if (*w->at++ != '=')
        return 0;
    skip_space(w);
    if (strcmp(name, "username") == 0)
        return take_word(w, " \t\n;", out->username, sizeof out->username);
    if (strcmp(name, "password") == 0)
        return take_word(w, " \t\n;", out->password, sizeof out->password);
    if (!take_word(w, " \t\n;", value, sizeof value))
        return 0;
    if (strcmp(name, "tokenauth") == 0)
        out->token = strcasecmp(value, "true") == 0;
    else
        memcpy(out->other, name, sizeof name);
    return 1;
}

int kafka_jaas_parse(const char *line, struct kafka_jaas *out)
{
    struct words w = {line};
    char class_name[256];
    char flag[32];
    *out = (struct kafka_jaas){.module = {0}};
    skip_space(&w);
    if (!take_word(&w, " \t\n;", class_name, sizeof class_name) || !class_name[0])
        return 0;
    const char *last = strrchr(class_name, '.');
    last = last ? last + 1 : class_name;
    if (strlen(last) >= sizeof out->module)
        return 0;
    memcpy(out->module, last, strlen(last) + 1);
    skip_space(&w);
    if (!take_word(&w, " \t\n;", flag, sizeof flag))
        return 0;
    for (skip_space(&w); *w.at && *w.at != ';'; skip_space(&w))
        if (!take_pair(&w, out))
            return 0;
    if (*w.at++ != ';')
        return 0;
    skip_space(&w);
    out->more = *w.at != 0;
    return 1;
}
