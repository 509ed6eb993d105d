// SPDX-License-Identifier: Apache-2.0
// Schemas and rows as short text, for tests to write and to compare: "id BIGINT NOT NULL, name STRING" and
// "+I[1, abc]". Not the server's parsers, on purpose: what a test expects should not come from what it tests.
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "testhost_int.h"

// --- schemas

struct schema_text {
    struct testhost *h;
    const char *whole;
    const char *at;
};

static void wrong(struct schema_text *t, const char *what)
{
    fprintf(stderr, "testhost: %s at \"%s\" in \"%s\"\n", what, t->at, t->whole);
    abort();
}

static void skip(struct schema_text *t)
{
    while (*t->at == ' ' || *t->at == '\n')
        t->at++;
}

static int take(struct schema_text *t, const char *word)
{
    skip(t);
    size_t len = strlen(word);
    if (strncasecmp(t->at, word, len) != 0 ||
        (isalpha((unsigned char)word[0]) && (isalnum((unsigned char)t->at[len]) || t->at[len] == '_')))
        return 0;
    t->at += len;
    return 1;
}

static struct leat_bytes take_name(struct schema_text *t)
{
    skip(t);
    const char *from = t->at;
    const char *end;
    if (*from == '`') {
        end = strchr(++from, '`');
        if (!end)
            wrong(t, "no end of name");
        t->at = end + 1;
    } else {
        end = from + strcspn(from, " ,<>()\n");
        t->at = end;
    }
    if (end == from)
        wrong(t, "no name");
    const char *copy = thost_copy(&t->h->impl->memory, from, (size_t)(end - from));
    return (struct leat_bytes){(const uint8_t *)copy, (uint32_t)(end - from)};
}

static long take_number(struct schema_text *t)
{
    char *end;
    skip(t);
    long v = strtol(t->at, &end, 10);
    if (end == t->at)
        wrong(t, "no number");
    t->at = end;
    return v;
}

struct type_word {
    const char *word;
    uint8_t kind;
    uint32_t length;   // when none is written
    uint8_t precision; // when none is written
};

static const struct type_word type_words[] = {
    {"BOOLEAN", LEAT_TYPE_BOOLEAN, 0, 0},
    {"TINYINT", LEAT_TYPE_TINYINT, 0, 0},
    {"SMALLINT", LEAT_TYPE_SMALLINT, 0, 0},
    {"INTEGER", LEAT_TYPE_INT, 0, 0},
    {"INT", LEAT_TYPE_INT, 0, 0},
    {"BIGINT", LEAT_TYPE_BIGINT, 0, 0},
    {"FLOAT", LEAT_TYPE_FLOAT, 0, 0},
    {"DOUBLE", LEAT_TYPE_DOUBLE, 0, 0},
    {"DECIMAL", LEAT_TYPE_DECIMAL, 0, 10},
    {"STRING", LEAT_TYPE_VARCHAR, LEAT_LENGTH_MAX, 0},
    {"VARCHAR", LEAT_TYPE_VARCHAR, 1, 0},
    {"CHAR", LEAT_TYPE_CHAR, 1, 0},
    {"BYTES", LEAT_TYPE_VARBINARY, LEAT_LENGTH_MAX, 0},
    {"VARBINARY", LEAT_TYPE_VARBINARY, 1, 0},
    {"BINARY", LEAT_TYPE_BINARY, 1, 0},
    {"DATE", LEAT_TYPE_DATE, 0, 0},
    {"TIMESTAMP_LTZ", LEAT_TYPE_TIMESTAMP_LTZ, 0, 6},
    {"TIMESTAMP", LEAT_TYPE_TIMESTAMP, 0, 6},
    {"TIME", LEAT_TYPE_TIME, 0, 0},
    {"ARRAY", LEAT_TYPE_ARRAY, 0, 0},
    {"MAP", LEAT_TYPE_MAP, 0, 0},
    {"ROW", LEAT_TYPE_ROW, 0, 0},
};

static void take_type(struct schema_text *t, struct leat_type *type);

static void take_children(struct schema_text *t, struct leat_type *type)
{
    struct leat_type *children = thost_memory(&t->h->impl->memory, 64 * sizeof *children);
    struct leat_bytes *names = thost_memory(&t->h->impl->memory, 64 * sizeof *names);
    if (!take(t, "<"))
        wrong(t, "no <");
    do {
        if (type->child_count == 64)
            wrong(t, "too many fields");
        if (type->kind == LEAT_TYPE_ROW)
            names[type->child_count] = take_name(t);
        take_type(t, &children[type->child_count++]);
    } while (take(t, ","));
    if (!take(t, ">"))
        wrong(t, "no >");
    type->children = children;
    type->names = type->kind == LEAT_TYPE_ROW ? names : NULL;
}

static void take_sizes(struct schema_text *t, struct leat_type *type)
{
    if (!take(t, "("))
        return;
    long n = take_number(t);
    if (leat_type_is_bytes(type->kind))
        type->length = (uint32_t)n;
    else
        type->precision = (uint8_t)n;
    if (take(t, ","))
        type->scale = (uint8_t)take_number(t);
    if (!take(t, ")"))
        wrong(t, "no )");
}

static void take_type(struct schema_text *t, struct leat_type *type)
{
    const struct type_word *w = type_words;
    const struct type_word *end = type_words + sizeof type_words / sizeof type_words[0];
    while (w < end && !take(t, w->word))
        w++;
    if (w == end)
        wrong(t, "no type");
    *type = (struct leat_type){.kind = w->kind, .nullable = 1, .precision = w->precision, .length = w->length};
    if (leat_type_is_list(type->kind))
        take_children(t, type);
    else
        take_sizes(t, type);
    if (take(t, "NOT")) {
        if (!take(t, "NULL"))
            wrong(t, "no NULL");
        type->nullable = 0;
    }
}

const struct leat_schema *testhost_schema(struct testhost *h, const char *columns, const char *key)
{
    struct schema_text t = {h, columns, columns};
    struct leat_schema *schema = thost_memory(&h->impl->memory, sizeof *schema);
    struct leat_field *fields = thost_memory(&h->impl->memory, (strlen(columns) / 2 + 1) * sizeof *fields);
    uint32_t *positions = thost_memory(&h->impl->memory, ((key ? strlen(key) : 0) + 1) * sizeof *positions);
    *schema = (struct leat_schema){.struct_size = sizeof *schema, .columns = fields, .key = positions};
    do {
        struct leat_field *f = &fields[schema->column_count++];
        f->name = take_name(&t);
        take_type(&t, &f->type);
    } while (take(&t, ","));
    if (*t.at)
        wrong(&t, "more than columns");
    struct schema_text k = {h, key, key};
    while (key && *k.at) {
        positions[schema->key_count] = leat_schema_find(schema, take_name(&k));
        if (positions[schema->key_count++] == UINT32_MAX)
            wrong(&k, "unknown key column");
        take(&k, ",");
        skip(&k);
    }
    return schema;
}

// --- values to text

struct out {
    char *buf;
    size_t len, cap;
};

__attribute__((format(printf, 2, 3))) static void put(struct out *o, const char *fmt, ...)
{
    va_list ap;
    if (o->len >= o->cap)
        return;
    va_start(ap, fmt);
    int n = vsnprintf(o->buf + o->len, o->cap - o->len, fmt, ap);
    va_end(ap);
    o->len = o->len + (size_t)n < o->cap ? o->len + (size_t)n : o->cap - 1;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static void put_date(struct out *o, int64_t days)
{
    int64_t z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153, m = mp < 10 ? mp + 3 : mp - 9;
    put(o, "%04" PRId64 "-%02" PRId64 "-%02" PRId64, yoe + era * 400 + (m <= 2), m, doy - (153 * mp + 2) / 5 + 1);
}

static void put_time(struct out *o, int64_t usec, uint8_t precision)
{
    int64_t s = usec / 1000000, f = usec % 1000000;
    put(o, "%02" PRId64 ":%02" PRId64 ":%02" PRId64, s / 3600, s / 60 % 60, s % 60);
    char digits[16];
    snprintf(digits, sizeof digits, "%06" PRId64, f);
    if (precision)
        put(o, ".%.*s", precision, digits);
}

static void put_decimal(struct out *o, leat_i128 v, uint8_t scale)
{
    char digits[64];
    size_t n = sizeof digits;
    leat_u128 u = v < 0 ? -(leat_u128)v : (leat_u128)v;
    digits[--n] = 0;
    for (int i = 0; u || i <= scale; i++, u /= 10) {
        if (i == scale && scale)
            digits[--n] = '.';
        digits[--n] = (char)('0' + (int)(u % 10));
    }
    put(o, "%s%s", v < 0 ? "-" : "", digits + n);
}

static void put_double(struct out *o, double v, int digits)
{
    char text[64];
    for (int p = 1; p <= digits; p++) {
        snprintf(text, sizeof text, "%.*g", p, v);
        if ((digits == 9 ? (double)strtof(text, NULL) : strtod(text, NULL)) == v)
            break;
    }
    put(o, "%s", text);
}

static void put_cell(struct out *o, const struct leat_type *t, const union leat_cell *c, uint8_t state);

static void put_list(struct out *o, const struct leat_type *t, const union leat_cell *c)
{
    put(o, "%s", t->kind == LEAT_TYPE_MAP ? "{" : "[");
    for (uint32_t i = 0; i < c->list.count; i++) {
        if (i)
            put(o, "%s", t->kind == LEAT_TYPE_MAP && i % 2 ? "=" : ", ");
        put_cell(o, leat_type_child(t, i), &c->list.items[i].cell, c->list.items[i].state);
    }
    put(o, "%s", t->kind == LEAT_TYPE_MAP ? "}" : "]");
}

static void put_cell(struct out *o, const struct leat_type *t, const union leat_cell *c, uint8_t state)
{
    static const char *const words[] = {"", "NULL", "ABSENT", "UNCHANGED"};
    if (state != LEAT_VALUE) {
        put(o, "%s", state <= LEAT_UNCHANGED ? words[state] : "?");
        return;
    }
    switch (t->kind) {
    case LEAT_TYPE_BOOLEAN:
        put(o, "%s", c->i64 ? "true" : "false");
        break;
    case LEAT_TYPE_FLOAT:
        put_double(o, (double)c->f32, 9);
        break;
    case LEAT_TYPE_DOUBLE:
        put_double(o, c->f64, 17);
        break;
    case LEAT_TYPE_DECIMAL:
        put_decimal(o, c->i128, t->scale);
        break;
    case LEAT_TYPE_BINARY:
    case LEAT_TYPE_VARBINARY:
        put(o, "x'");
        for (uint32_t i = 0; i < c->bytes.len; i++)
            put(o, "%02x", c->bytes.ptr[i]);
        put(o, "'");
        break;
    case LEAT_TYPE_CHAR:
    case LEAT_TYPE_VARCHAR:
        put(o, "%.*s", (int)c->bytes.len, (const char *)c->bytes.ptr);
        break;
    case LEAT_TYPE_DATE:
        put_date(o, c->i64);
        break;
    case LEAT_TYPE_TIME:
        put_time(o, c->i64, t->precision);
        break;
    case LEAT_TYPE_TIMESTAMP:
    case LEAT_TYPE_TIMESTAMP_LTZ: {
        int64_t day = floor_div(c->i64, 86400000000);
        put_date(o, day);
        put(o, " ");
        put_time(o, c->i64 - day * 86400000000, t->precision);
        put(o, "%s", t->kind == LEAT_TYPE_TIMESTAMP_LTZ ? "Z" : "");
        break;
    }
    case LEAT_TYPE_ARRAY:
    case LEAT_TYPE_MAP:
    case LEAT_TYPE_ROW:
        put_list(o, t, c);
        break;
    default:
        put(o, "%" PRId64, c->i64);
    }
}

static const char kind_words[][3] = {"+I", "-U", "+U", "-D"};

size_t testhost_row_text(const struct leat_batch *b, uint32_t row, char *buf, size_t len, size_t cap)
{
    struct out o = {buf, len, cap};
    put(&o, "%s[", b->kinds[row] <= LEAT_DELETE ? kind_words[b->kinds[row]] : "??");
    for (uint32_t i = 0; i < b->column_count; i++) {
        if (i)
            put(&o, ", ");
        put_cell(&o, &b->schema->columns[i].type, &b->columns[i].cells[row], b->columns[i].states[row]);
    }
    put(&o, "]");
    return o.len;
}

const char *testhost_rows(struct testhost_node *node)
{
    size_t cap = 4096, len = 0;
    int ports = 0;
    for (const struct testhost_emitted *e = node->emitted; e; e = e->next) {
        ports |= e->port > 0;
        cap += e->batch->rows * 1024;
        for (uint32_t c = 0; c < e->batch->column_count; c++)
            for (uint32_t r = 0; r < e->batch->rows && leat_type_is_bytes(e->batch->schema->columns[c].type.kind); r++)
                cap += e->batch->columns[c].states[r] == LEAT_VALUE ? 2 * e->batch->columns[c].cells[r].bytes.len : 0;
    }
    free(node->impl->text);
    char *buf = node->impl->text = malloc(cap);
    if (!buf)
        abort();
    buf[0] = 0;
    for (const struct testhost_emitted *e = node->emitted; e; e = e->next)
        for (uint32_t r = 0; r < e->batch->rows && len + 64 < cap; r++) {
            if (ports)
                len += (size_t)snprintf(buf + len, cap - len, "%.*s: ",
                                        e->port < node->ports.count ? (int)node->ports.items[e->port].name.len : 1,
                                        e->port < node->ports.count && node->ports.items[e->port].name.len
                                            ? (const char *)node->ports.items[e->port].name.ptr
                                            : "0");
            len = testhost_row_text(e->batch, r, buf, len, cap - 2);
            buf[len++] = '\n';
            buf[len] = 0;
        }
    return buf;
}

void testhost_forget(struct testhost_node *node)
{
    for (struct testhost_emitted *e = node->emitted, *next; e; e = next) {
        next = e->next;
        leat_batch_unref(e->batch);
        free(e);
    }
    node->emitted = NULL;
    node->impl->emitted_tail = &node->emitted;
    node->rows = 0;
}

// --- text to rows

static int64_t parse_days(const char *text)
{
    int y, m, d;
    if (sscanf(text, "%d-%d-%d", &y, &m, &d) != 3)
        abort();
    int64_t yy = y - (m <= 2), era = floor_div(yy, 400), yoe = yy - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int64_t parse_time(const char *text)
{
    int h = 0, m = 0, s = 0, n = 0;
    if (sscanf(text, "%d:%d:%d%n", &h, &m, &s, &n) != 3)
        abort();
    int64_t usec = ((h * 60LL + m) * 60 + s) * 1000000, unit = 100000;
    if (text[n] == '.')
        for (const char *p = text + n + 1; isdigit((unsigned char)*p); p++, unit /= 10)
            usec += (*p - '0') * unit;
    return usec;
}

static leat_i128 parse_decimal(const char *text, uint8_t scale)
{
    int negative = *text == '-', digits = -1;
    leat_i128 v = 0;
    for (text += negative; *text; text++) {
        if (*text == '.') {
            digits = 0;
            continue;
        }
        v = v * 10 + (*text - '0');
        digits += digits >= 0;
    }
    for (int i = digits < 0 ? 0 : digits; i < scale; i++)
        v *= 10;
    return negative ? -v : v;
}

static uint32_t parse_hex(char *text)
{
    uint32_t n = 0;
    for (char *p = text + 2; *p && *p != '\''; p += 2, n++) {
        unsigned v = 0;
        if (sscanf(p, "%2x", &v) != 1)
            abort();
        text[n] = (char)v;
    }
    return n;
}

static void set_value(struct leat_batch *b, uint32_t col, uint32_t row, char *text)
{
    const struct leat_type *t = &b->schema->columns[col].type;
    static const struct {
        const char *word;
        uint8_t state;
    } words[] = {{"NULL", LEAT_NULL}, {"ABSENT", LEAT_ABSENT}, {"UNCHANGED", LEAT_UNCHANGED}};
    for (size_t i = 0; i < 3; i++)
        if (strcmp(text, words[i].word) == 0) {
            leat_batch_set_state(b, col, row, words[i].state);
            return;
        }
    char *space = strchr(text, ' ');
    switch (t->kind) {
    case LEAT_TYPE_BOOLEAN:
        leat_batch_set_i64(b, col, row, strcmp(text, "true") == 0);
        break;
    case LEAT_TYPE_FLOAT:
        leat_batch_set_f32(b, col, row, strtof(text, NULL));
        break;
    case LEAT_TYPE_DOUBLE:
        leat_batch_set_f64(b, col, row, strtod(text, NULL));
        break;
    case LEAT_TYPE_DECIMAL:
        leat_batch_set_i128(b, col, row, parse_decimal(text, t->scale));
        break;
    case LEAT_TYPE_BINARY:
    case LEAT_TYPE_VARBINARY: {
        uint32_t n = parse_hex(text);
        if (!leat_batch_set_bytes(b, col, row, text, n))
            abort();
        break;
    }
    case LEAT_TYPE_CHAR:
    case LEAT_TYPE_VARCHAR:
        if (!leat_batch_set_bytes(b, col, row, text, (uint32_t)strlen(text)))
            abort();
        break;
    case LEAT_TYPE_DATE:
        leat_batch_set_i64(b, col, row, parse_days(text));
        break;
    case LEAT_TYPE_TIME:
        leat_batch_set_i64(b, col, row, parse_time(text));
        break;
    case LEAT_TYPE_TIMESTAMP:
    case LEAT_TYPE_TIMESTAMP_LTZ:
        if (!space)
            abort();
        leat_batch_set_i64(b, col, row, parse_days(text) * 86400000000 + parse_time(space + 1));
        break;
    default:
        leat_batch_set_i64(b, col, row, strtoll(text, NULL, 10));
    }
}

// One value up to ',' or ']'; '\' takes the next character as it is.
static const char *take_value(const char *at, char *value, size_t cap)
{
    size_t n = 0;
    while (*at == ' ')
        at++;
    for (; *at && *at != ',' && *at != ']' && n + 1 < cap; at++) {
        if (*at == '\\' && at[1])
            at++;
        value[n++] = *at;
    }
    value[n] = 0;
    return at;
}

static const char *take_row(struct leat_batch *b, const char *at)
{
    static char value[65536]; // tests run on one thread
    uint8_t kind = 0;
    while (kind < 4 && strncmp(at, kind_words[kind], 2) != 0)
        kind++;
    if (kind == 4 || at[2] != '[') {
        fprintf(stderr, "testhost: no row at \"%s\"\n", at);
        abort();
    }
    uint32_t row = leat_batch_add(b, kind);
    at += 3;
    for (uint32_t c = 0; c < b->column_count; c++) {
        at = take_value(at, value, sizeof value);
        if (*at != (c + 1 < b->column_count ? ',' : ']')) {
            fprintf(stderr, "testhost: wrong number of values before \"%s\"\n", at);
            abort();
        }
        at++;
        set_value(b, c, row, value);
    }
    return at + strspn(at, " ;\n");
}

struct leat_batch *testhost_batch(struct testhost_node *node, const struct leat_schema *schema, const char *rows)
{
    uint32_t capacity = 1;
    for (const char *p = rows; *p; p++)
        capacity += *p == '[';
    struct leat_batch *b = leat_batch_new(&node->ctx, schema, capacity);
    if (!b)
        abort();
    while (*rows)
        rows = take_row(b, rows);
    return b;
}
