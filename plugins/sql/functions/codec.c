// SPDX-License-Identifier: Apache-2.0
// Digests, Base64, hexadecimal digits and character sets.
#include "expr/expr.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "expr/text.h"
#include "expr/types.h"
#include "utf8.h"

static int want_string_or_bytes(struct sql_bind *b, struct sql_expr *e, uint32_t i)
{
    const struct leat_type *t = e->args[i]->type;
    return t && leat_type_is_bytes(t->kind) ? 0 : sql_bind_mismatch(b, e);
}

// --- digests, in small hexadecimal digits ---

static const char *const digest_names[] = {"MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"};

static const EVP_MD *digest_of(int which)
{
    switch (which) {
    case 0:
        return EVP_md5();
    case 1:
        return EVP_sha1();
    case 2:
        return EVP_sha224();
    case 3:
        return EVP_sha256();
    case 4:
        return EVP_sha384();
    default:
        return EVP_sha512();
    }
}

static int digest(struct sql_evaluator *ev, const struct sql_expr *e, struct leat_bytes s, const EVP_MD *md,
                  union leat_cell *out)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!EVP_Digest(s.ptr ? s.ptr : (const uint8_t *)"", s.len, sum, &len, md, NULL))
        return sql_fail(ev, e, "this system's libcrypto refuses %s", e->func->name);
    uint8_t *p = sql_eval_alloc(ev, 2 * (size_t)len);
    if (!p)
        return -1;
    for (unsigned i = 0; i < len; i++) {
        p[2 * i] = (uint8_t)hex[sum[i] >> 4];
        p[2 * i + 1] = (uint8_t)hex[sum[i] & 15];
    }
    out->bytes = (struct leat_bytes){p, 2 * len};
    return 0;
}

static int row_digest(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    const int *which = e->data;
    return digest(ev, e, args[0]->bytes, digest_of(*which), out);
}

static int row_sha2(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                    union leat_cell *out, uint8_t *state)
{
    static const int bits[] = {224, 256, 384, 512};
    for (int i = 0; i < 4; i++)
        if (bits[i] == args[1]->i64)
            return digest(ev, e, args[0]->bytes, digest_of(i + 2), out);
    return sql_fail(ev, e, "SHA2 has 224, 256, 384 or 512 bits, not %lld", (long long)args[1]->i64);
}

static int derive_digest(struct sql_bind *b, struct sql_expr *e)
{
    static const uint32_t lengths[] = {32, 40, 56, 64, 96, 128};
    int *which = sql_bind_alloc(b, sizeof *which);
    if (!which || want_string_or_bytes(b, e, 0))
        return -1;
    while (strcmp(digest_names[*which], e->func->name) != 0)
        ++*which;
    e->data = which;
    e->type = sql_bind_sized(b, LEAT_TYPE_CHAR, lengths[*which], sql_args_nullable(e));
    return e->type ? 0 : -1;
}

static int derive_sha2(struct sql_bind *b, struct sql_expr *e)
{
    if (want_string_or_bytes(b, e, 0) || sql_want_integer(b, e, 1))
        return -1;
    e->type = sql_bind_sized(b, LEAT_TYPE_VARCHAR, 128, sql_args_nullable(e));
    return e->type ? 0 : -1;
}

// --- Base64 ---

static int row_to_base64(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                         union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes;
    if (sql_text_limit(ev, e, s.len))
        return -1;
    uint8_t *p = sql_eval_alloc(ev, (size_t)(s.len + 2) / 3 * 4 + 1);
    if (!p)
        return -1;
    out->bytes = (struct leat_bytes){p, s.len ? (uint32_t)EVP_EncodeBlock(p, s.ptr, (int)s.len) : 0};
    return 0;
}

static int base64_digit(uint8_t c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

// Strict, as Java's basic decoder; '=' at the end may be missing. Length, or -1.
static int64_t base64_decode(struct leat_bytes s, uint8_t *out)
{
    uint32_t bits = 0, n = 0, len = s.len, pads = 0;
    while (len && pads < 2 && s.ptr[len - 1] == '=') {
        len--;
        pads++;
    }
    if (len % 4 == 1 || (pads && (len + pads) % 4 != 0))
        return -1;
    for (uint32_t i = 0; i < len; i++) {
        int d = base64_digit(s.ptr[i]);
        if (d < 0)
            return -1;
        bits = bits << 6 | (uint32_t)d;
        if (i % 4)
            out[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    return n;
}

static int row_from_base64(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                           union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes;
    uint8_t *p = sql_eval_alloc(ev, s.len);
    if (!p)
        return -1;
    int64_t len = base64_decode(s, p);
    if (len < 0)
        return sql_fail(ev, e, "'%.*s' is no Base64", (int)(s.len > 60 ? 60 : s.len), (const char *)s.ptr);
    if (!utf8_valid(p, (size_t)len))
        return sql_fail(ev, e, "the bytes that FROM_BASE64 decodes are no UTF-8");
    out->bytes = (struct leat_bytes){p, (uint32_t)len};
    return 0;
}

static int derive_base64(struct sql_bind *b, struct sql_expr *e)
{
    return sql_want_string(b, e, 0) ? -1 : sql_derive_string(b, e);
}

// --- HEX, BIN ---

static int row_hex_integer(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                           union leat_cell *out, uint8_t *state)
{
    char text[20];
    return sql_bytes_copy(ev, text, (size_t)snprintf(text, sizeof text, "%llX", (unsigned long long)args[0]->i64), out);
}

static int row_hex_string(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                          union leat_cell *out, uint8_t *state)
{
    static const char hex[] = "0123456789ABCDEF";
    struct leat_bytes s = args[0]->bytes;
    if (sql_text_limit(ev, e, 2 * (uint64_t)s.len))
        return -1;
    uint8_t *p = sql_eval_alloc(ev, 2 * (size_t)s.len);
    if (!p)
        return -1;
    for (uint32_t i = 0; i < s.len; i++) {
        p[2 * i] = (uint8_t)hex[s.ptr[i] >> 4];
        p[2 * i + 1] = (uint8_t)hex[s.ptr[i] & 15];
    }
    out->bytes = (struct leat_bytes){p, 2 * s.len};
    return 0;
}

static int row_bin(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                   union leat_cell *out, uint8_t *state)
{
    uint64_t v = (uint64_t)args[0]->i64;
    char text[64];
    size_t n = v ? 64 - (size_t)__builtin_clzll(v) : 1;
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('0' + (v >> (n - 1 - i) & 1));
    return sql_bytes_copy(ev, text, n, out);
}

static int derive_hex(struct sql_bind *b, struct sql_expr *e)
{
    int integer = leat_type_is_integer(e->args[0]->type->kind);
    if (!integer && sql_want_string(b, e, 0))
        return -1;
    e->row = integer ? row_hex_integer : row_hex_string;
    return sql_derive_string(b, e);
}

static int derive_bin(struct sql_bind *b, struct sql_expr *e)
{
    return sql_want_integer(b, e, 0) ? -1 : sql_derive_string(b, e);
}

// --- character sets ---

// An open converter, kept while rows name the same set.
struct charset {
    iconv_t converter; // (iconv_t)-1 = none
    char name[32];
};

static void close_charset(void *p)
{
    struct charset *c = p;
    if (c->converter != (iconv_t)-1)
        iconv_close(c->converter);
}

// The sets of Java's standard, and what iconv knows besides.
static int open_charset(struct charset *c, struct leat_bytes name, int encode)
{
    if (name.len == 0 || name.len >= sizeof c->name || memchr(name.ptr, '/', name.len))
        return 0;
    if (c->converter != (iconv_t)-1 && strlen(c->name) == name.len && !memcmp(c->name, name.ptr, name.len)) {
        iconv(c->converter, NULL, NULL, NULL, NULL);
        return 1;
    }
    close_charset(c);
    memcpy(c->name, name.ptr, name.len);
    c->name[name.len] = '\0';
    // Java writes a big-endian mark for UTF-16
    const char *set = encode && !strcasecmp(c->name, "UTF-16") ? "UTF-16BE" : c->name;
    c->converter = encode ? iconv_open(set, "UTF-8") : iconv_open("UTF-8", set);
    return c->converter != (iconv_t)-1;
}

// What cannot be converted becomes `instead`; `skip` bytes of it are passed over.
static int convert(struct sql_evaluator *ev, const struct sql_expr *e, iconv_t converter, struct leat_bytes s,
                   const char *instead, struct sql_text *t)
{
    char *from = (char *)(uintptr_t)s.ptr; // iconv does not write there
    size_t left = s.len;
    while (left && !t->failed) {
        size_t room = left * 4 + 16;
        if (sql_text_limit(ev, e, t->len + room))
            return -1;
        char *to = (char *)sql_text_room(t, room), *start = to;
        if (!to)
            return -1;
        size_t st = iconv(converter, &from, &left, &to, &room);
        t->len += (size_t)(to - start);
        if (st != (size_t)-1)
            break;
        unsigned used = 1;
        if (instead[0] == '?')
            utf8_decode(from, left, &used);
        sql_text_put(t, instead, strlen(instead));
        from += used;
        left -= used;
    }
    return t->failed ? -1 : 0;
}

static int row_encode(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    struct charset *c = e->data;
    struct leat_bytes name = args[1]->bytes;
    struct sql_text t;
    if (!open_charset(c, name, 1))
        return sql_fail(ev, e, "there is no character set '%.*s'", (int)(name.len > 40 ? 40 : name.len),
                        (const char *)name.ptr);
    sql_text_init(&t, ev);
    if (!strcasecmp(c->name, "UTF-16"))
        sql_text_put(&t, "\xFE\xFF", 2);
    return convert(ev, e, c->converter, args[0]->bytes, "?", &t) ? -1 : sql_text_done(&t, &out->bytes);
}

static int row_decode(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    struct charset *c = e->data;
    struct leat_bytes name = args[1]->bytes;
    struct sql_text t;
    if (!open_charset(c, name, 0))
        return sql_fail(ev, e, "there is no character set '%.*s'", (int)(name.len > 40 ? 40 : name.len),
                        (const char *)name.ptr);
    sql_text_init(&t, ev);
    return convert(ev, e, c->converter, args[0]->bytes, "\xEF\xBF\xBD", &t) ? -1 : sql_text_done(&t, &out->bytes);
}

static int add_charset(struct sql_bind *b, struct sql_expr *e)
{
    struct charset *c = sql_bind_alloc(b, sizeof *c);
    if (!c || sql_want_string(b, e, 1))
        return -1;
    c->converter = (iconv_t)-1;
    e->data = c;
    return sql_bind_defer(b, close_charset, c);
}

// Flink's type is BINARY(1), however long the result.
static int derive_encode(struct sql_bind *b, struct sql_expr *e)
{
    if (sql_want_string(b, e, 0) || add_charset(b, e))
        return -1;
    e->type = sql_bind_sized(b, LEAT_TYPE_BINARY, 1, 1);
    return e->type ? 0 : -1;
}

static int derive_decode(struct sql_bind *b, struct sql_expr *e)
{
    if (!sql_type_is_binary(e->args[0]->type->kind))
        return sql_bind_mismatch(b, e);
    return add_charset(b, e) ? -1 : sql_derive_string_null(b, e);
}

#define DIGEST(n)                                                                                                      \
    {                                                                                                                  \
        .name = n, .min_args = 1, .max_args = 1, .derive = derive_digest, .row = row_digest, .form = n "(<string>)"    \
    }
static const struct sql_func rows[] = {
    DIGEST("MD5"),
    DIGEST("SHA1"),
    DIGEST("SHA224"),
    DIGEST("SHA256"),
    DIGEST("SHA384"),
    DIGEST("SHA512"),
    SQL_FUNC_ROW("SHA2", 2, 2, derive_sha2, row_sha2, "SHA2(<string>, <integer>)"),
    SQL_FUNC_ROW("TO_BASE64", 1, 1, derive_base64, row_to_base64, "TO_BASE64(<string>)"),
    SQL_FUNC_ROW("FROM_BASE64", 1, 1, derive_base64, row_from_base64, "FROM_BASE64(<string>)"),
    SQL_FUNC_ROW("HEX", 1, 1, derive_hex, NULL, "HEX(<integer or string>)"),
    SQL_FUNC_ROW("BIN", 1, 1, derive_bin, row_bin, "BIN(<integer>)"),
    SQL_FUNC_ROW("ENCODE", 2, 2, derive_encode, row_encode, "ENCODE(<string>, <character set>)"),
    SQL_FUNC_ROW("DECODE", 2, 2, derive_decode, row_decode, "DECODE(<bytes>, <character set>)"),
};
const struct sql_func_table sql_codec_funcs = SQL_FUNC_TABLE(rows);
