// SPDX-License-Identifier: Apache-2.0
// The list of diagnostics and its two printed forms. See diag.h.
#include "base/diag.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/secret.h"
#include "base/str.h"

#define EXCERPT_MAX 160 // bytes of a source line that are shown; longer ones are cut around the place

bool base_diags_init(struct base_diags *diags)
{
    *diags = (struct base_diags){.arena = base_arena_create(0, (size_t)16 << 20)};
    return diags->arena != NULL;
}

void base_diags_fini(struct base_diags *diags)
{
    base_arena_destroy(diags->arena);
    free(diags->items);
    *diags = (struct base_diags){0};
}

static bool reserve(struct base_diags *diags)
{
    if (diags->count < diags->cap)
        return true;
    if (diags->count >= BASE_DIAGS_MAX)
        return false;
    uint32_t cap = diags->cap ? diags->cap * 2 : 16;
    struct base_diag *items = realloc(diags->items, cap * sizeof *items);
    if (!items)
        return false;
    diags->items = items;
    diags->cap = cap;
    return true;
}

static bool said_before(const struct base_diags *diags, const struct base_place *place, const char *message)
{
    for (uint32_t i = 0; i < diags->count; i++) {
        const struct base_place *p = &diags->items[i].place;
        if (p->source == place->source && p->line == place->line && p->column == place->column &&
            strcmp(diags->items[i].message, message) == 0)
            return true;
    }
    return false;
}

// A message quotes what users wrote, line breaks and all; shown they are \n.
static const char *on_one_line(struct base_arena *arena, const char *text)
{
    struct base_str s;
    base_str_init(&s);
    for (const char *p = text; *p; p++) {
        if (*p == '\n')
            base_str_addz(&s, "\\n");
        else if ((unsigned char)*p < ' ' || *p == 0x7f)
            base_str_addf(&s, "\\x%02x", (unsigned char)*p);
        else
            base_str_addc(&s, *p);
    }
    const char *line = base_arena_strdup(arena, s.ptr);
    base_str_fini(&s);
    return line;
}

void base_diag_addv(struct base_diags *diags, uint8_t severity, const char *code, const struct base_place *place,
                    const char *hint, const char *format, va_list args)
{
    static const struct base_place nowhere;
    struct base_str text;
    base_str_init(&text);
    base_str_addv(&text, format, args);
    const char *message = on_one_line(diags->arena, text.ptr);
    const char *own_hint = hint ? base_arena_strdup(diags->arena, hint) : NULL;
    base_str_fini(&text);
    if (!place)
        place = &nowhere;
    // counted even if there is no room for it: a check must not pass because memory was short
    if (severity == LEAT_DIAG_ERROR)
        diags->errors++;
    else
        diags->warnings++;
    if (!message || (hint && !own_hint) || !reserve(diags)) {
        diags->overflow = true;
        return;
    }
    if (said_before(diags, place, message)) {
        diags->errors -= severity == LEAT_DIAG_ERROR;
        diags->warnings -= severity != LEAT_DIAG_ERROR;
        return;
    }
    struct base_diag *d = &diags->items[diags->count];
    *d = (struct base_diag){
        .severity = severity, .number = diags->count, .place = *place, .message = message, .hint = own_hint};
    if (code)
        memccpy(d->code, code, 0, sizeof d->code - 1);
    diags->count++;
}

void base_diag_add(struct base_diags *diags, uint8_t severity, const char *code, const struct base_place *place,
                   const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    base_diag_addv(diags, severity, code, place, hint, format, args);
    va_end(args);
}

void base_diag_lost(struct base_diags *diags)
{
    if (diags->count)
        diags->items[diags->count - 1].lost = true;
}

static int compare(const void *left, const void *right)
{
    const struct base_diag *a = left, *b = right;
    const char *fa = a->place.source ? a->place.source->name : "", *fb = b->place.source ? b->place.source->name : "";
    int by_file = strcmp(fa, fb);
    if (by_file)
        return by_file;
    if (a->place.line != b->place.line)
        return a->place.line < b->place.line ? -1 : 1;
    if (a->place.column != b->place.column)
        return a->place.column < b->place.column ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

// Of such a line nothing else can be known.
static bool is_of_lost_line(const struct base_diags *diags, const struct base_diag *d)
{
    for (uint32_t i = 0; !d->lost && i < diags->count; i++) {
        const struct base_place *p = &diags->items[i].place;
        if (diags->items[i].lost && p->source && p->source == d->place.source && p->line == d->place.line)
            return true;
    }
    return false;
}

static void drop_lost_lines(struct base_diags *diags)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < diags->count; i++) {
        struct base_diag d = diags->items[i];
        if (is_of_lost_line(diags, &d)) {
            diags->errors -= d.severity == LEAT_DIAG_ERROR;
            diags->warnings -= d.severity != LEAT_DIAG_ERROR;
        } else {
            diags->items[kept++] = d;
        }
    }
    diags->count = kept;
}

void base_diags_sort(struct base_diags *diags)
{
    drop_lost_lines(diags);
    if (diags->count)
        qsort(diags->items, diags->count, sizeof *diags->items, compare);
}

const char *base_diag_nearest(struct base_diags *diags, const char *word, const char *const *words)
{
    const char *near = base_nearest(word, words);
    return near ? base_arena_sprintf(diags->arena, "Did you mean \"%s\"?", near) : NULL;
}

// --- printing

// Does the key before '=' look as if its value were a secret? Misspelt keys count too: they are what is shown here.
static bool looks_secret(const char *key, size_t len)
{
    static const char *const misspelt[] = {"pass",    "pasw",   "pwd",        "private",    "api-key",    "api.key",
                                           "api_key", "apikey", "access-key", "access.key", "access_key", NULL};
    if (len > 4 && strncasecmp(key + len - 4, ".url", 4) == 0)
        return false; // where tokens are had; a password within is add_guarded's
    return base_secret_named(key, len, misspelt);
}

static bool is_key_char(char c)
{
    return isalnum((unsigned char)c) || strchr("_.-\"'", c) != NULL;
}

// The length of the word that ends at line[at], blanks before it skipped: a key, if line[at] is '='.
static size_t word_before(const char *line, size_t *at)
{
    size_t end = *at;
    while (end > 0 && (line[end - 1] == ' ' || line[end - 1] == '\t'))
        end--;
    *at = end;
    while (end > 0 && line[end - 1] && is_key_char(line[end - 1]))
        end--;
    return *at - end;
}

// The bytes of the line that may be shown: all, or only up to the value of a key that looks secret; of the first such
// key, since an inline table has several, and "password: x" is meant as one. Parameters of a URL are add_guarded's.
static size_t open_part(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        size_t end = i;
        if (line[i] != '=' && line[i] != ':')
            continue;
        size_t n = word_before(line, &end);
        bool parameter = end == i && n < end && strchr("?&", line[end - n - 1]);
        if (!parameter && looks_secret(line + end - n, n))
            return i + 1;
    }
    return len;
}

// How many times the mark that opens and closes a text of several lines stands in a line.
static unsigned marks_in(const char *line, size_t len, const char *mark)
{
    unsigned n = 0;
    for (const char *p = line; (p = memmem(p, len - (size_t)(p - line), mark, 3)); p += 3)
        n++;
    return n;
}

// Is the line part of a text of several lines whose key looks secret?
static bool within_secret(const struct base_source *source, uint32_t number)
{
    static const char *const quotes[] = {"\"\"\"", "'''"};
    const char *open = NULL;
    bool secret = false;
    for (uint32_t n = 1; n < number; n++) {
        size_t len;
        const char *line = base_source_line(source, n, &len);
        for (size_t q = 0; q < 2; q++) {
            if ((open && open != quotes[q]) || marks_in(line, len, quotes[q]) % 2 == 0)
                continue;
            open = open ? NULL : quotes[q];
            secret = open && open_part(line, len) < len;
        }
    }
    return open && secret;
}

// Bytes of a password that begins at `p`, up to what ends it in a URL or a JAAS line.
static size_t password_len(const char *p, const char *end)
{
    const char *from = p;
    while (p < end && !strchr("&;\"' \\,", *p))
        p++;
    return (size_t)(p - from);
}

// The value of a parameter of a URL, "?NAME=value" or "&NAME=value" at `p`, whose name looks secret; misspelt ones too.
static const char *secret_parameter(const char *p, const char *end)
{
    const char *equals = memchr(p, '=', (size_t)(end - p));
    if (!equals)
        return NULL;
    for (const char *c = p + 1; c < equals; c++)
        if (!is_key_char(*c) || strchr("\"'", *c))
            return NULL;
    return looks_secret(p + 1, (size_t)(equals - p - 1)) ? equals + 1 : NULL;
}

// Adds the text with "password=…" and "://user:…@" masked, whether the value is known as a secret or not: in a line that
// is no TOML nobody has registered it.
static void add_guarded(struct base_str *out, const char *text, size_t len)
{
    const char *end = text + len, *plain = text;
    for (const char *p = text; p < end; p++) {
        const char *secret = NULL;
        size_t n = 0;
        if (end - p > 9 && strncasecmp(p, "password=", 9) == 0) {
            secret = p + 9 + (p[9] == '"' || p[9] == '\'');
            n = password_len(secret, end);
        } else if ((*p == '?' || *p == '&') && (secret = secret_parameter(p, end))) {
            n = password_len(secret, end);
        } else if (end - p > 3 && strncmp(p, "://", 3) == 0) {
            secret = base_secret_in_authority(p + 3, (size_t)(end - p) - 3, "?\"' ", &n);
        }
        if (!secret || !n)
            continue;
        base_str_add(out, plain, (size_t)(secret - plain));
        base_str_addz(out, BASE_SECRET_MASK);
        plain = p = secret + n;
        p--;
    }
    base_str_add(out, plain, (size_t)(end - plain));
}

// Columns that a terminal needs for the text: one per code point, two for the wide ones of East Asia, none for tabs'
// sake (they are copied).
static void add_blank_like(struct base_str *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\t')
            base_str_addc(out, '\t');
        else if ((c & 0xc0) != 0x80)
            base_str_fill(out, ' ', c >= 0xe3 && c <= 0xed ? 2 : 1); // U+3000 … U+DFFF: CJK, kana, hangul
    }
}

static void add_code(struct base_str *out, const struct base_diag *d)
{
    if (d->code[0])
        base_str_addf(out, " [%s]", d->code);
}

// The line with its place underlined. Where masking would move the columns, only the beginning is shown.
static void print_excerpt(const struct base_diag *d, struct base_secrets *secrets, const char *on, const char *off,
                          struct base_str *out)
{
    size_t len, shown, from = 0;
    const char *line = base_source_line(d->place.source, d->place.line, &len);
    size_t column = d->place.column ? d->place.column - 1 : 0;
    if (!len)
        return; // an empty file
    if (within_secret(d->place.source, d->place.line)) {
        base_str_addf(out, "%5u | " BASE_SECRET_MASK "\n", d->place.line);
        return;
    }
    if (column > len)
        column = len;
    shown = open_part(line, len);
    if (shown > EXCERPT_MAX) {
        size_t middle = column < shown ? column : shown;
        from = middle > EXCERPT_MAX / 2 ? middle - EXCERPT_MAX / 2 : 0;
        while (from > 0 && ((unsigned char)line[from] & 0xc0) == 0x80)
            from--;
        if (shown - from > EXCERPT_MAX)
            shown = from + EXCERPT_MAX;
        while (shown > from && shown < len && ((unsigned char)line[shown] & 0xc0) == 0x80)
            shown--;
    }
    struct base_str text, known;
    base_str_init(&text);
    base_str_init(&known);
    base_secrets_mask(secrets, line + from, shown - from, &known);
    add_guarded(&text, known.ptr, known.len);
    base_str_fini(&known);
    bool moved = text.len != shown - from || memcmp(text.ptr, line + from, text.len) != 0;
    base_str_addf(out, "%5u | %s%s\n", d->place.line, text.ptr,
                  open_part(line, len) < len ? " \"" BASE_SECRET_MASK "\"" : "");
    base_str_fini(&text);
    if (moved || column > shown || column < from)
        return;
    base_str_addz(out, "      | ");
    add_blank_like(out, line + from, column - from);
    size_t under = d->place.len ? d->place.len : 1;
    if (under > shown - column)
        under = shown > column ? shown - column : 1;
    base_str_addf(out, "%s^", on);
    for (size_t i = 1; i < under; i++) {
        unsigned char c = (unsigned char)line[column + i];
        if ((c & 0xc0) != 0x80)
            base_str_fill(out, '~', c >= 0xe3 && c <= 0xed ? 2 : 1);
    }
    base_str_addf(out, "%s\n", off);
}

static void print_one(const struct base_diag *d, struct base_secrets *secrets, bool colour, struct base_str *out)
{
    bool is_error = d->severity == LEAT_DIAG_ERROR;
    const char *on = !colour ? "" : is_error ? "\033[1;31m" : "\033[1;33m", *off = colour ? "\033[0m" : "";
    if (d->place.source) {
        base_secrets_mask(secrets, d->place.source->name, strlen(d->place.source->name), out);
        if (d->place.line)
            base_str_addf(out, ":%u:%u", d->place.line, d->place.column);
        base_str_addz(out, ": ");
    }
    base_str_addf(out, "%s%s:%s ", on, is_error ? "error" : "warning", off);
    base_secrets_mask(secrets, d->message, strlen(d->message), out);
    add_code(out, d);
    base_str_addc(out, '\n');
    if (d->place.source && d->place.line)
        print_excerpt(d, secrets, on, off, out);
    if (d->hint) {
        base_str_addz(out, "      = ");
        base_secrets_mask(secrets, d->hint, strlen(d->hint), out);
        base_str_addc(out, '\n');
    }
}

static void add_count(struct base_str *out, uint32_t count, const char *what)
{
    base_str_addf(out, "%u %s%s", count, what, count == 1 ? "" : "s");
}

void base_diags_print(const struct base_diags *diags, struct base_secrets *secrets, bool colour, struct base_str *out)
{
    for (uint32_t i = 0; i < diags->count; i++)
        print_one(&diags->items[i], secrets, colour, out);
    if (diags->overflow)
        base_str_addz(out, "and more, which are not shown\n");
    if (diags->errors)
        add_count(out, diags->errors, "error");
    if (diags->errors && diags->warnings)
        base_str_addz(out, ", ");
    if (diags->warnings)
        add_count(out, diags->warnings, "warning");
    if (diags->errors || diags->warnings)
        base_str_addc(out, '\n');
}

static void json_text(struct base_str *out, struct base_secrets *secrets, const char *name, const char *text)
{
    struct base_str masked;
    base_str_init(&masked);
    base_secrets_mask(secrets, text, strlen(text), &masked);
    base_str_addf(out, ",\"%s\":", name);
    base_str_add_json(out, masked.ptr, masked.len);
    base_str_fini(&masked);
}

void base_diags_json(const struct base_diags *diags, struct base_secrets *secrets, struct base_str *out)
{
    base_str_addf(out, "{\"errors\":%u,\"warnings\":%u,\"diagnostics\":[", diags->errors, diags->warnings);
    for (uint32_t i = 0; i < diags->count; i++) {
        const struct base_diag *d = &diags->items[i];
        base_str_addf(out, "%s{\"severity\":\"%s\",\"code\":\"%s\"", i ? "," : "",
                      d->severity == LEAT_DIAG_ERROR ? "error" : "warning", d->code);
        if (d->place.source)
            json_text(out, secrets, "file", d->place.source->name);
        if (d->place.line)
            base_str_addf(out, ",\"line\":%u,\"column\":%u,\"end_column\":%u,\"length\":%u", d->place.line,
                          d->place.column, d->place.column + (d->place.len ? d->place.len : 1),
                          d->place.len ? d->place.len : 1);
        json_text(out, secrets, "message", d->message);
        if (d->hint)
            json_text(out, secrets, "hint", d->hint);
        if (d->code[0] && d->code[5] != 'X') // those of plugins from elsewhere are on no page of ours
            base_str_addf(out, ",\"page\":\"docs/reference/codes.md#%s\"", d->code);
        base_str_addc(out, '}');
    }
    base_str_addz(out, "]}\n");
}
