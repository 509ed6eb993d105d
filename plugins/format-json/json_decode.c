// SPDX-License-Identifier: Apache-2.0
// Records to rows. The fields of an object usually come in the order of the columns: while they do, a name costs one
// masked comparison of 16 bytes and nothing is noted down. The first field out of order marks the fields not yet seen
// (state UNSEEN), and from there names are looked up by hash.
//
// As in Flink, fields are converted until as many known names were met as there are fields, so that of a name that
// comes twice the first value wins in a complete object and the last one in others. Unlike Flink, a field that was not
// met yet is always taken. What follows the object is not looked at.
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "json_word.h"
#include "utf8.h"

#define UNSEEN 0xFF // in place of a state, while an object is being read

// Where the values of an object go: the columns' row, or the elements of a ROW.
struct target {
    struct leat_column *columns;
    uint32_t row;
    struct leat_datum *items;
};

static inline uint8_t *state_of(const struct target *t, uint32_t i)
{
    return t->columns ? &t->columns[i].states[t->row] : &t->items[i].state;
}

static inline union leat_cell *cell_of(const struct target *t, uint32_t i)
{
    return t->columns ? &t->columns[i].cells[t->row] : &t->items[i].cell;
}

static const uint8_t *read_value(struct fjson_reader *r, const uint8_t *p, const struct fjson_type *type,
                                 union leat_cell *cell, uint8_t *state);

// --- the path of a failure, written from its end

static void path_add(struct fjson_reader *r, const void *text, size_t len)
{
    if (len > r->path_at)
        len = r->path_at;
    r->path_at -= (uint32_t)len;
    memcpy(r->path + r->path_at, text, len);
}

static const uint8_t *in_field(struct fjson_reader *r, struct leat_bytes name)
{
    if (r->path_at < sizeof r->path && r->path[r->path_at] != '[')
        path_add(r, ".", 1);
    if (name.len)
        path_add(r, name.ptr, name.len);
    return NULL;
}

static const uint8_t *in_element(struct fjson_reader *r, uint32_t i)
{
    char text[16];
    if (r->path_at < sizeof r->path && r->path[r->path_at] != '[')
        path_add(r, ".", 1);
    path_add(r, text, (size_t)snprintf(text, sizeof text, "[%u]", i));
    return NULL;
}

// --- objects

// Fields first … are not seen yet.
static void mark_unseen(const struct fjson_object *o, const struct target *t, uint32_t first)
{
    for (uint32_t i = first; i < o->count; i++)
        *state_of(t, i) = UNSEEN;
}

static const uint8_t *missing(struct fjson_reader *r, const struct fjson_object *o, const uint8_t *p, uint32_t i)
{
    r->error = JSON_MISSING;
    r->at = p;
    return in_field(r, o->fields[i].name);
}

// At the closing brace: what did not come is NULL.
static const uint8_t *finish_object(struct fjson_reader *r, const struct fjson_object *o, const struct target *t,
                                    uint32_t first, int marked, const uint8_t *p)
{
    for (uint32_t i = first; i < o->count; i++) {
        uint8_t *state = state_of(t, i);
        if (marked && *state != UNSEEN)
            continue;
        if (r->f->config.fail_on_missing_field)
            return missing(r, o, p, i);
        *state = LEAT_NULL;
    }
    return p + 1;
}

// The name at p (its quote): its number or UINT32_MAX in *field, and the place of its value is returned.
static const uint8_t *read_name(struct fjson_reader *r, const struct fjson_object *o, const uint8_t *p, uint32_t *field)
{
    struct fjson_span span;
    struct leat_bytes name;
    if (p == r->end || *p != '"')
        return fjson_bad_text(r, p, "a name in quotes");
    const uint8_t *next = fjson_scan_string(r, p + 1, &span);
    if (!next)
        return NULL;
    name = (struct leat_bytes){span.ptr, span.len};
    if (span.escaped || (span.high && !utf8_valid(span.ptr, span.len))) {
        int rc = fjson_string(r, &span, &name);
        if (rc <= 0)
            return rc == 0 ? fjson_bad_text(r, p, "a name without broken escapes") : NULL;
    }
    *field = fjson_find(o, name);
    next = fjson_blanks(next, r->end);
    if (next == r->end || *next != ':')
        return fjson_bad_text(r, next, "':' after the name");
    return fjson_blanks(next + 1, r->end);
}

// Is the text at p exactly this field's name, quote and colon? p is behind the opening quote.
static inline int is_next(const struct fjson_reader *r, const uint8_t *p, const struct fjson_field *f)
{
    size_t left = (size_t)(r->end - p);
    if (__builtin_expect(left >= 16 && f->mask[0] != 0, 1))
        return (((word_load(p) ^ f->want[0]) & f->mask[0]) | ((word_load(p + 8) ^ f->want[1]) & f->mask[1])) == 0;
    return f->raw.len && left >= f->raw.len && memcmp(p, f->raw.ptr, f->raw.len) == 0;
}

// p is behind '{'.
static inline __attribute__((always_inline)) const uint8_t *
read_object(struct fjson_reader *r, const uint8_t *p, const struct fjson_object *o, const struct target *t)
{
    uint32_t next = 0, known = 0; // fields that came in order; names met since they did not
    int marked = 0;
    p = fjson_blanks(p, r->end);
    if (p < r->end && *p == '}')
        return finish_object(r, o, t, 0, 0, p);
    for (;;) {
        uint32_t i = UINT32_MAX;
        if (!marked && next < o->count && p < r->end && *p == '"' && is_next(r, p + 1, &o->fields[next])) {
            i = next++;
            p = fjson_blanks(p + 1 + o->fields[i].raw.len, r->end);
        } else {
            if (!(p = read_name(r, o, p, &i)))
                return NULL;
            if (i != UINT32_MAX && !marked && i != next) {
                marked = 1;
                known = next;
                mark_unseen(o, t, next);
            }
            if (i != UINT32_MAX && marked && known++ >= o->count && *state_of(t, i) != UNSEEN)
                i = UINT32_MAX;
            else if (i != UINT32_MAX && !marked)
                next++;
        }
        if (i == UINT32_MAX)
            p = fjson_skip(r, p);
        else if (!(p = read_value(r, p, &o->fields[i].type, cell_of(t, i), state_of(t, i))))
            return in_field(r, o->fields[i].name);
        if (!p)
            return NULL;
        p = fjson_blanks(p, r->end);
        if (p == r->end)
            return fjson_bad_text(r, p, "',' or '}'");
        if (*p == '}')
            return next == o->count && !marked ? p + 1 : finish_object(r, o, t, next, marked, p);
        if (*p != ',')
            return fjson_bad_text(r, p, "',' or '}'");
        p = fjson_blanks(p + 1, r->end);
    }
}

static const uint8_t *read_row(struct fjson_reader *r, const uint8_t *p, const struct fjson_type *type,
                               union leat_cell *cell)
{
    const struct fjson_object *o = type->object;
    struct target t = {.items = leat_batch_alloc(r->b, (o->count + 1) * sizeof *t.items, 16)};
    if (!t.items)
        return fjson_no_memory(r);
    cell->list.items = t.items;
    cell->list.count = o->count;
    return read_object(r, p + 1, o, &t);
}

// --- arrays and maps: elements are collected on a stack, because their number is known only at the end

static struct leat_datum *push(struct fjson_reader *r)
{
    struct fjson_format *f = r->f;
    if (r->stack_len == f->stack_cap) {
        uint32_t cap = f->stack_cap ? f->stack_cap * 2 : 64;
        struct leat_datum *stack =
            cap > UINT32_MAX / 64 ? NULL : r->ctx->host->alloc(r->ctx, (size_t)cap * sizeof *stack);
        if (!stack) {
            fjson_no_memory(r);
            return NULL;
        }
        if (r->stack_len)
            memcpy(stack, f->stack, r->stack_len * sizeof *stack);
        r->ctx->host->free(r->ctx, f->stack);
        f->stack = stack;
        f->stack_cap = cap;
    }
    return &f->stack[r->stack_len++];
}

// What was pushed since `base` becomes the cell's list.
static int pop_list(struct fjson_reader *r, uint32_t base, union leat_cell *cell)
{
    uint32_t n = r->stack_len - base;
    struct leat_datum *items = leat_batch_alloc(r->b, (n ? n : 1) * sizeof *items, 16);
    if (!items) {
        fjson_no_memory(r);
        return 0;
    }
    if (n)
        memcpy(items, r->f->stack + base, n * sizeof *items);
    r->stack_len = base;
    cell->list.items = items;
    cell->list.count = n;
    return 1;
}

// A value onto the stack. It is read into a place of its own, since reading may move the stack.
static const uint8_t *push_value(struct fjson_reader *r, const uint8_t *p, const struct fjson_type *type)
{
    struct leat_datum value = {.state = LEAT_NULL};
    p = read_value(r, p, type, &value.cell, &value.state);
    struct leat_datum *slot = p ? push(r) : NULL;
    if (!slot)
        return NULL;
    *slot = value;
    return p;
}

static const uint8_t *read_array(struct fjson_reader *r, const uint8_t *p, const struct fjson_type *type,
                                 union leat_cell *cell)
{
    uint32_t base = r->stack_len;
    p = fjson_blanks(p + 1, r->end);
    if (p < r->end && *p == ']')
        return pop_list(r, base, cell) ? p + 1 : NULL;
    for (uint32_t i = 0;; i++) {
        if (!(p = push_value(r, p, &type->children[0])))
            return in_element(r, i);
        p = fjson_blanks(p, r->end);
        if (p == r->end || (*p != ',' && *p != ']'))
            return fjson_bad_text(r, p, "',' or ']'");
        if (*p == ']')
            return pop_list(r, base, cell) ? p + 1 : NULL;
        p = fjson_blanks(p + 1, r->end);
    }
}

// Of a key that comes again the last value counts, in the place of the first.
static int drop_repeated_keys(struct fjson_reader *r, uint32_t base)
{
    struct fjson_format *f = r->f;
    uint32_t n = (r->stack_len - base) / 2, kept = 0;
    f->members.len = 0;
    if (n < 2)
        return 1;
    if (!fjson_room(r->ctx, &f->members, n * sizeof(struct leat_bytes)))
        return 0;
    struct leat_bytes *keys = (struct leat_bytes *)(void *)f->members.ptr;
    struct leat_datum *pairs = f->stack + base;
    for (uint32_t i = 0; i < n; i++)
        keys[i] = pairs[2 * i].cell.bytes;
    const uint32_t *first = fjson_same_keys(r->ctx, f, keys, n);
    if (!first)
        return 0;
    for (uint32_t i = 0; i < n; i++)
        pairs[2 * first[i] + 1] = pairs[2 * i + 1];
    for (uint32_t i = 0; i < n; i++)
        if (first[i] == i) {
            pairs[2 * kept] = pairs[2 * i];
            pairs[2 * kept + 1] = pairs[2 * i + 1];
            kept++;
        }
    r->stack_len = base + 2 * kept;
    return 1;
}

// A key of a map onto the stack; the place of its value is returned.
static const uint8_t *push_key(struct fjson_reader *r, const uint8_t *p, struct leat_bytes *key)
{
    struct fjson_span span;
    if (p == r->end || *p != '"')
        return fjson_bad_text(r, p, "a name in quotes");
    const uint8_t *next = fjson_scan_string(r, p + 1, &span);
    if (!next)
        return NULL;
    int rc = fjson_string(r, &span, key);
    if (rc <= 0)
        return rc == 0 ? fjson_bad_text(r, p, "a name without broken escapes") : NULL;
    struct leat_datum *slot = push(r);
    if (!slot)
        return NULL;
    *slot = (struct leat_datum){.cell.bytes = *key, .state = LEAT_VALUE};
    next = fjson_blanks(next, r->end);
    if (next == r->end || *next != ':')
        return fjson_bad_text(r, next, "':' after the name");
    return fjson_blanks(next + 1, r->end);
}

static const uint8_t *read_map(struct fjson_reader *r, const uint8_t *p, const struct fjson_type *type,
                               union leat_cell *cell)
{
    uint32_t base = r->stack_len;
    p = fjson_blanks(p + 1, r->end);
    if (p < r->end && *p == '}')
        return pop_list(r, base, cell) ? p + 1 : NULL;
    for (;;) {
        struct leat_bytes key = {NULL, 0};
        if (!(p = push_key(r, p, &key)))
            return NULL;
        if (!(p = push_value(r, p, &type->children[1])))
            return in_field(r, key);
        p = fjson_blanks(p, r->end);
        if (p == r->end || (*p != ',' && *p != '}'))
            return fjson_bad_text(r, p, "',' or '}'");
        if (*p == '}')
            break;
        p = fjson_blanks(p + 1, r->end);
    }
    if (!drop_repeated_keys(r, base))
        return fjson_no_memory(r);
    return pop_list(r, base, cell) ? p + 1 : NULL;
}

static const uint8_t *read_list(struct fjson_reader *r, const uint8_t *p, const struct fjson_type *type,
                                union leat_cell *cell, uint8_t *state)
{
    uint8_t kind = type->type->kind;
    *state = LEAT_VALUE;
    if (*p != (kind == LEAT_TYPE_ARRAY ? '[' : '{'))
        return fjson_bad_value(r, p, fjson_skip(r, p), type->type, state);
    if (kind == LEAT_TYPE_ARRAY)
        return read_array(r, p, type, cell);
    return kind == LEAT_TYPE_MAP ? read_map(r, p, type, cell) : read_row(r, p, type, cell);
}

static const uint8_t *read_string(struct fjson_reader *r, const uint8_t *p, const struct leat_type *type,
                                  union leat_cell *cell, uint8_t *state)
{
    struct fjson_span span;
    const uint8_t *next = fjson_scan_string(r, p + 1, &span);
    if (!next)
        return NULL;
    *state = LEAT_VALUE;
    if (span.escaped || span.high) {
        int rc = fjson_string(r, &span, &cell->bytes);
        return rc > 0 ? next : rc == 0 ? fjson_bad_value(r, p, next, type, state) : NULL;
    }
    cell->bytes = (struct leat_bytes){span.ptr, span.len};
    if (r->lasting)
        return next;
    uint8_t *copy = leat_batch_alloc(r->b, span.len ? span.len : 1, 1);
    if (!copy)
        return fjson_no_memory(r);
    memcpy(copy, span.ptr, span.len);
    cell->bytes.ptr = copy;
    return next;
}

// Up to 18 digits and nothing else that belongs to a number; NULL = fjson_scalar shall look at it.
static inline const uint8_t *read_digits(const struct fjson_reader *r, const uint8_t *p, uint8_t kind,
                                         union leat_cell *cell)
{
    uint64_t v = 0;
    const uint8_t *stop = r->end - p > 19 ? p + 19 : r->end, *next = word_scan_digits(p, stop, &v);
    if (next == stop || *next == '.' || (*next | 0x20) == 'e' || (*p == '0' && next - p > 1) ||
        (kind == LEAT_TYPE_INT && v > INT32_MAX))
        return NULL;
    cell->i64 = (int64_t)v;
    return next;
}

// The commonest values have short ways; fjson_scalar knows all of them.
static const uint8_t *read_value(struct fjson_reader *r, const uint8_t *p, const struct fjson_type *type,
                                 union leat_cell *cell, uint8_t *state)
{
    uint8_t kind = type->type->kind;
    if (p == r->end)
        return fjson_bad_text(r, p, "a value");
    if (*p == '"' && leat_type_is_string(kind))
        return read_string(r, p, type->type, cell, state);
    if ((kind == LEAT_TYPE_BIGINT || kind == LEAT_TYPE_INT) && (unsigned)*p - '0' <= 9) {
        const uint8_t *next = read_digits(r, p, kind, cell);
        if (next) {
            *state = LEAT_VALUE;
            return next;
        }
    }
    if (*p == 'n' && r->end - p >= 4 && memcmp(p, "null", 4) == 0) {
        *state = LEAT_NULL;
        return p + 4;
    }
    return leat_type_is_list(kind) ? read_list(r, p, type, cell, state) : fjson_scalar(r, p, type->type, cell, state);
}

// --- failures as errors

static void type_text(const struct leat_type *t, char *to, size_t cap)
{
    static const char *const words[] = {
        "?",
        "BOOLEAN",
        "TINYINT",
        "SMALLINT",
        "INT",
        "BIGINT",
        "FLOAT",
        "DOUBLE",
        "DECIMAL",
        "CHAR",
        "STRING",
        "BINARY",
        "BYTES (base64)",
        "DATE",
        "TIME",
        "TIMESTAMP",
        "TIMESTAMP_LTZ",
        "INTERVAL YEAR TO MONTH",
        "INTERVAL DAY TO SECOND",
        "ARRAY",
        "MAP",
        "ROW",
    };
    if (t->kind == LEAT_TYPE_DECIMAL)
        snprintf(to, cap, "DECIMAL(%u, %u)", t->precision, t->scale);
    else
        snprintf(to, cap, "%s", t->kind <= LEAT_TYPE_ROW ? words[t->kind] : words[0]);
}

// The text at `at`, cut and without control characters.
static void found_text(const struct fjson_reader *r, const uint8_t *at, char *to, size_t cap)
{
    size_t n = 0;
    if (!at || at >= r->end) {
        snprintf(to, cap, "the end of the record");
        return;
    }
    size_t left = (size_t)(r->end - at), room = left < cap - 4 ? left : cap - 4;
    for (size_t good = utf8_valid_prefix(at, room); n < good; n++)
        to[n] = at[n] < ' ' || at[n] == 0x7F ? ' ' : (char)at[n];
    if (n == 0)
        n = (size_t)snprintf(to, cap, "byte 0x%02x", at[0]);
    else if (n < left)
        n += (size_t)snprintf(to + n, cap - n, "...");
    to[n] = 0;
}

static leat_status describe(struct fjson_reader *r)
{
    char type[48], found[44], field[JSON_PATH_MAX + 16] = "";
    size_t offset = r->at ? (size_t)(r->at - r->start) : 0, len = sizeof r->path - r->path_at;
    if (r->error == JSON_NO_MEMORY)
        return leat_no_memory(r->ctx);
    if (len)
        snprintf(field, sizeof field, "field \"%.*s\" at ", (int)len, r->path + r->path_at);
    if (r->error == JSON_MISSING)
        return leat_fail(r->ctx, LEAT_DATA, "LEAT-F0105", "could not read json: field \"%.*s\" is missing at byte %zu",
                         (int)len, r->path + r->path_at, offset);
    found_text(r, r->at, found, sizeof found);
    if (r->error == JSON_BAD_TEXT)
        return leat_fail(r->ctx, LEAT_DATA, "LEAT-F0103", "could not read json: %sbyte %zu: expected %s, found %s",
                         field, offset, r->expected, found);
    type_text(r->type, type, sizeof type);
    return leat_fail(r->ctx, LEAT_DATA, "LEAT-F0104", "could not read json: %sbyte %zu: expected %s, found %s", field,
                     offset, type, found);
}

// --- records

static void set_null_row(struct fjson_reader *r, uint32_t row)
{
    for (uint32_t i = 0; i < r->f->root->count; i++)
        r->f->slots[i].states[row] = LEAT_NULL;
}

static int read_record(struct fjson_reader *r, struct leat_bytes text, uint32_t row)
{
    struct target t = {.columns = r->f->slots, .row = row};
    uint8_t lasting = r->lasting;
    r->start = text.ptr;
    r->end = text.ptr + text.len;
    r->error = 0;
    r->stack_len = 0;
    r->path_at = sizeof r->path;
    if (text.len > 1 && (text.ptr[0] == 0 || text.ptr[0] >= 0xEF || text.ptr[1] == 0)) {
        int narrowed = fjson_narrow(r, &text);
        if (narrowed < 0)
            return 0;
        r->start = text.ptr;
        r->end = text.ptr + text.len;
        r->lasting = lasting && !narrowed;
    }
    const uint8_t *p = r->start;
    if (r->end - p >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
        p += 3;
    p = fjson_blanks(p, r->end);
    if (p == r->end || *p != '{')
        p = fjson_bad_text(r, p, "an object");
    else
        p = read_object(r, p + 1, r->f->root, &t);
    r->lasting = lasting;
    return p != NULL;
}

// A record that gives no row: 0 = go on with the next, else the failure.
static leat_status refuse(struct fjson_reader *r, uint8_t into_rows, uint32_t row)
{
    if (!r->f->config.ignore_parse_errors || r->error == JSON_NO_MEMORY)
        return describe(r);
    if (into_rows)
        set_null_row(r, row);
    return LEAT_OK;
}

static leat_status decode_one(struct fjson_reader *r, struct leat_bytes record, uint8_t into_rows, uint32_t row,
                              uint32_t *count)
{
    leat_status st = LEAT_OK;
    *count = 0;
    if (record.len == 0) {
        if (into_rows)
            set_null_row(r, row);
        return LEAT_OK;
    }
    if (!into_rows)
        row = leat_batch_add(r->b, LEAT_INSERT);
    if (read_record(r, record, row)) {
        *count = 1;
        return LEAT_OK;
    }
    if (!into_rows)
        r->b->rows--;
    st = refuse(r, into_rows, row);
    return st;
}

leat_status fjson_decode(struct leat_ctx *ctx, void *self, const struct leat_bytes *records, uint32_t n,
                         uint8_t lasting, struct leat_batch *b, uint8_t into_rows, uint32_t first_row,
                         uint32_t *row_counts, uint32_t *done)
{
    struct fjson_format *f = self;
    struct fjson_reader r = {.ctx = ctx, .f = f, .b = b, .lasting = lasting};
    for (uint32_t i = 0; i < f->root->count; i++)
        f->slots[i] = b->columns[f->columns[i]];
    for (*done = 0; *done < n; ++*done) {
        if (!into_rows && leat_batch_is_full(b))
            break;
        leat_status st = decode_one(&r, records[*done], into_rows, first_row + *done, &row_counts[*done]);
        if (st != LEAT_OK)
            return st;
    }
    return LEAT_OK;
}
