// SPDX-License-Identifier: Apache-2.0
// Quoting by PostgreSQL's lexical rules, without a connection. Texts are UTF-8, in which neither quote nor backslash is
// ever part of another character.
#include <string.h>

#include "pq.h"

static void doubled(struct buf *out, const char *text, size_t len, const char *special)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] && strchr(special, text[i]))
            buf_u8(out, (uint8_t)text[i]);
        buf_u8(out, (uint8_t)text[i]);
    }
}

void pq_ident(struct buf *out, const char *name)
{
    buf_u8(out, '"');
    doubled(out, name, strlen(name), "\"");
    buf_u8(out, '"');
}

void pq_qualified(struct buf *out, const char *schema, const char *name)
{
    pq_ident(out, schema);
    buf_u8(out, '.');
    pq_ident(out, name);
}

void pq_literal(struct buf *out, const char *text, size_t len)
{
    // E'' means the same whatever standard_conforming_strings is set to
    int escapes = len && memchr(text, '\\', len) != NULL;
    buf_str(out, escapes ? " E'" : "'");
    doubled(out, text, len, escapes ? "'\\" : "'");
    buf_u8(out, '\'');
}
