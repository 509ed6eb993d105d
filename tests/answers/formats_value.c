// SPDX-License-Identifier: Apache-2.0
// Values as the recorded answers write them: a text per column; ARRAY, ROW and MAP as JSON text whose scalars are such
// texts, a MAP as a list of pairs sorted by key.
#include <stdlib.h>
#include <string.h>

#include "calendar.h"
#include "decimal.h"
#include "formats.h"
#include "number.h"

static json_t *text_of(const char *text, size_t len)
{
    json_t *t = json_stringn(text, len);
    if (!t) { // not UTF-8
        char *hex = malloc(len * 2 + 1);
        if (!hex)
            abort();
        for (size_t i = 0; i < len; i++)
            snprintf(hex + 2 * i, 3, "%02x", (unsigned char)text[i]);
        hex[len * 2] = 0;
        t = json_pack("{s:s}", "hex", hex);
        free(hex);
    }
    return t;
}

static json_t *bytes_text(struct leat_bytes b)
{
    char *text = malloc((size_t)b.len * 2 + 4);
    if (!text)
        abort();
    size_t n = 2;
    memcpy(text, "x'", 2);
    for (uint32_t i = 0; i < b.len; i++, n += 2)
        snprintf(text + n, 3, "%02x", b.ptr[i]);
    text[n++] = '\'';
    json_t *t = text_of(text, n);
    free(text);
    return t;
}

static json_t *scalar_text(const struct leat_type *type, const union leat_cell *cell)
{
    char text[DECIMAL_TEXT_MAX + CALENDAR_TEXT_MAX];
    size_t len;
    switch (type->kind) {
    case LEAT_TYPE_BOOLEAN:
        return json_string(cell->i64 ? "true" : "false");
    case LEAT_TYPE_FLOAT:
        len = number_f32_print(text, cell->f32);
        break;
    case LEAT_TYPE_DOUBLE:
        len = number_f64_print(text, cell->f64);
        break;
    case LEAT_TYPE_DECIMAL:
        len = decimal_print(text, cell->i128, type->scale);
        break;
    case LEAT_TYPE_CHAR:
    case LEAT_TYPE_VARCHAR:
        return text_of((const char *)cell->bytes.ptr, cell->bytes.len);
    case LEAT_TYPE_BINARY:
    case LEAT_TYPE_VARBINARY:
        return bytes_text(cell->bytes);
    case LEAT_TYPE_DATE:
        len = calendar_print_date(text, cell->i64);
        break;
    case LEAT_TYPE_TIME:
        len = calendar_print_time(text, cell->i64, 6, CALENDAR_TRIM);
        break;
    case LEAT_TYPE_TIMESTAMP:
        len = calendar_print_timestamp(text, cell->i64, 6, CALENDAR_SQL | CALENDAR_TRIM);
        break;
    case LEAT_TYPE_TIMESTAMP_LTZ:
        len = calendar_print_timestamp(text, cell->i64, 6, CALENDAR_SQL | CALENDAR_ZULU | CALENDAR_TRIM);
        break;
    default:
        len = number_i64_print(text, cell->i64);
    }
    return text_of(text, len);
}

static json_t *tree(const struct leat_type *type, const union leat_cell *cell, uint8_t state);

static int by_key(const void *a, const void *b)
{
    json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    const char *kx = json_string_value(json_array_get(x, 0)), *ky = json_string_value(json_array_get(y, 0));
    return strcmp(kx ? kx : "", ky ? ky : "");
}

static json_t *map_tree(const struct leat_type *type, const struct leat_list *list)
{
    uint32_t n = list->count / 2;
    json_t **pairs = malloc((n + 1) * sizeof(json_t *)), *out = json_array();
    if (!pairs)
        abort();
    for (uint32_t i = 0; i < n; i++) {
        const struct leat_datum *k = &list->items[2 * i], *v = k + 1;
        pairs[i] = json_array();
        json_array_append_new(pairs[i], tree(&type->children[0], &k->cell, k->state));
        json_array_append_new(pairs[i], tree(&type->children[1], &v->cell, v->state));
    }
    qsort(pairs, n, sizeof(json_t *), by_key);
    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(out, pairs[i]);
    free(pairs);
    return out;
}

static json_t *tree(const struct leat_type *type, const union leat_cell *cell, uint8_t state)
{
    if (state != LEAT_VALUE)
        return json_null();
    if (type->kind == LEAT_TYPE_MAP)
        return map_tree(type, &cell->list);
    if (!leat_type_is_list(type->kind))
        return scalar_text(type, cell);
    json_t *out = type->kind == LEAT_TYPE_ROW ? json_object() : json_array();
    for (uint32_t i = 0; i < cell->list.count; i++) {
        const struct leat_datum *d = &cell->list.items[i];
        json_t *item = tree(leat_type_child(type, i), &d->cell, d->state);
        if (type->kind == LEAT_TYPE_ROW)
            json_object_setn_new(out, (const char *)type->names[i].ptr, type->names[i].len, item);
        else
            json_array_append_new(out, item);
    }
    return out;
}

json_t *value_text(const struct leat_type *type, const union leat_cell *cell, uint8_t state)
{
    json_t *t = tree(type, cell, state);
    if (state != LEAT_VALUE || !leat_type_is_list(type->kind))
        return t;
    char *text = json_dumps(t, JSON_COMPACT);
    json_t *out = json_string(text);
    free(text);
    json_decref(t);
    return out;
}

// Both are JSON text: equal whatever the blanks and escapes.
static int same_tree(const json_t *expected, const json_t *got)
{
    json_t *a = json_loads(json_string_value(expected), JSON_DECODE_ANY, NULL);
    json_t *b = json_loads(json_string_value(got), JSON_DECODE_ANY, NULL);
    int same = a && b && json_equal(a, b);
    json_decref(a);
    json_decref(b);
    return same;
}

int value_equal(const struct leat_type *type, const json_t *expected, const json_t *got)
{
    if (json_equal(expected, got))
        return 1;
    if (!json_is_string(expected) || !json_is_string(got))
        return 0;
    const char *a = json_string_value(expected), *b = json_string_value(got);
    if (type->kind == LEAT_TYPE_DOUBLE)
        return strtod(a, NULL) == strtod(b, NULL);
    if (type->kind == LEAT_TYPE_FLOAT)
        return strtof(a, NULL) == strtof(b, NULL);
    return leat_type_is_list(type->kind) && same_tree(expected, got);
}
