// SPDX-License-Identifier: Apache-2.0
// Times from text and numbers, and times as text by a pattern.
//
// As in Flink, TO_DATE, TO_TIMESTAMP, DATE_FORMAT and CONVERT_TZ give NULL for text that is no time. Unlike Flink,
// UNIX_TIMESTAMP fails then (Flink: -9223372036854775808), CONVERT_TZ knows offsets and fails for unknown zones (Flink
// takes UTC), and times before 1582 are of the Gregorian calendar.
#include "expr/expr.h"

#include <math.h>
#include <string.h>

#include "calendar_pattern.h"
#include "calendar_zone.h"
#include "decimal.h"
#include "expr/text.h"
#include "expr/types.h"
#include "functions/time.h"

// A compiled pattern, kept while rows give the same one; with the session's zone.
struct format {
    struct calendar_pattern pattern;
    const struct calendar_zone *zone;
    uint8_t known;
    uint8_t bad; // could not be compiled
    size_t bad_at;
    uint32_t length;
    uint8_t text[256];
};

#define DEFAULT_PATTERN "yyyy-MM-dd HH:mm:ss"

static int use_pattern(struct sql_evaluator *ev, const struct sql_expr *e, struct format *f, int dialect,
                       struct leat_bytes text)
{
    if (!f->known || f->length != text.len || (text.len && memcmp(f->text, text.ptr, text.len) != 0)) {
        f->known = 0;
        if (text.len >= sizeof f->text)
            return sql_fail(ev, e, "the pattern of %s is too long", e->func->name);
        f->bad = calendar_pattern_compile(&f->pattern, dialect, text.ptr, text.len, &f->bad_at) != CALENDAR_OK;
        if (text.len)
            memcpy(f->text, text.ptr, text.len);
        f->length = text.len;
        f->known = 1;
    }
    if (f->bad)
        return sql_fail(ev, e, "the pattern '%.*s' cannot be used from '%.*s' on", (int)text.len,
                        (const char *)text.ptr, (int)(text.len - (f->bad_at < text.len ? f->bad_at : text.len)),
                        (const char *)text.ptr + (f->bad_at < text.len ? f->bad_at : text.len));
    return 0;
}

// A pattern to read by, which names something.
static int use_to_read(struct sql_evaluator *ev, const struct sql_expr *e, struct format *f, int dialect,
                       struct leat_bytes text)
{
    if (!text.len)
        return sql_fail(ev, e, "the pattern of %s is empty", e->func->name);
    return use_pattern(ev, e, f, dialect, text);
}

static struct leat_bytes pattern_or_default(const struct sql_expr *e, const union leat_cell *const *args)
{
    return e->arg_count > 1 ? args[1]->bytes
                            : (struct leat_bytes){(const uint8_t *)DEFAULT_PATTERN, sizeof DEFAULT_PATTERN - 1};
}

static int print_time(struct sql_evaluator *ev, const struct format *f, int64_t local, union leat_cell *out)
{
    uint8_t *p = sql_eval_alloc(ev, f->pattern.room);
    if (!p)
        return -1;
    out->bytes = (struct leat_bytes){p, (uint32_t)calendar_pattern_print(&f->pattern, p, local)};
    return 0;
}

static int64_t cut_to_millis(int64_t micros)
{
    return calendar_floor_div(micros, 1000) * 1000;
}

// --- DATE_FORMAT ---

static int row_format_time(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                           union leat_cell *out, uint8_t *state)
{
    struct format *f = e->data;
    if (use_pattern(ev, e, f, CALENDAR_TIME, args[1]->bytes))
        return -1;
    return print_time(ev, f, sql_time_local(e->args[0]->type, args[0], f->zone), out);
}

// The text of a timestamp, as the pattern yyyy-MM-dd HH:mm:ss takes it; a fraction behind it counts as well.
static int read_timestamp(struct leat_bytes s, int64_t *local)
{
    struct calendar_pattern p;
    int64_t exact;
    if (calendar_pattern_compile(&p, CALENDAR_SIMPLE, DEFAULT_PATTERN, sizeof DEFAULT_PATTERN - 1, NULL) < 0 ||
        calendar_pattern_parse(&p, s.ptr, s.len, local) < 0)
        return 0;
    if (calendar_parse_timestamp(s.ptr, s.len, CALENDAR_SQL, &exact) >= 0)
        *local = exact;
    return 1;
}

static int row_format_text(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                           union leat_cell *out, uint8_t *state)
{
    struct format *f = e->data;
    int64_t local;
    if (use_pattern(ev, e, f, CALENDAR_SIMPLE, args[1]->bytes))
        return -1;
    if (!read_timestamp(args[0]->bytes, &local)) {
        *state = LEAT_NULL;
        return 0;
    }
    return print_time(ev, f, local, out);
}

// --- TO_DATE, TO_TIMESTAMP ---

static int row_to_date(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                       union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes;
    struct format *f = e->data;
    int64_t v = 0;
    if (e->arg_count == 1) {
        *state = calendar_cast_date(s.ptr, s.len, &out->i64) < 0 ? LEAT_NULL : LEAT_VALUE;
        return 0;
    }
    if (use_to_read(ev, e, f, CALENDAR_SIMPLE, args[1]->bytes))
        return -1;
    *state = calendar_pattern_parse(&f->pattern, s.ptr, s.len, &v) < 0 ? LEAT_NULL : LEAT_VALUE;
    out->i64 = calendar_date_of(v);
    return 0;
}

static int row_to_timestamp(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                            union leat_cell *out, uint8_t *state)
{
    struct leat_bytes s = args[0]->bytes;
    struct format *f = e->data;
    int64_t v = 0;
    int st;
    if (e->arg_count == 1) {
        st = calendar_cast_timestamp(s.ptr, s.len, &v);
    } else {
        if (use_to_read(ev, e, f, CALENDAR_TIME, args[1]->bytes))
            return -1;
        st = calendar_pattern_parse(&f->pattern, s.ptr, s.len, &v);
    }
    *state = st < 0 ? LEAT_NULL : LEAT_VALUE;
    out->i64 = cut_to_millis(v);
    return 0;
}

// --- numbers and times ---

#define SECONDS_MIN INT64_C(-62135596800) // 0001-01-01 00:00:00
#define SECONDS_MAX INT64_C(253402300799) // 9999-12-31 23:59:59

// A number of seconds (0) or milliseconds (3), of any numeric type.
static int row_to_ltz(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                      union leat_cell *out, uint8_t *state)
{
    const struct leat_type *t = e->args[0]->type;
    int64_t digits = args[1]->i64, v;
    if (digits != 0 && digits != 3)
        return sql_fail(ev, e, "TO_TIMESTAMP_LTZ takes seconds (0) or milliseconds (3), not %lld", (long long)digits);
    if (sql_type_is_approx(t->kind)) {
        double d = (t->kind == LEAT_TYPE_FLOAT ? (double)args[0]->f32 : args[0]->f64) * (digits ? 1 : 1000);
        *state = isfinite(d) && fabs(d) < 1e15 ? LEAT_VALUE : LEAT_NULL;
        v = *state == LEAT_VALUE ? (int64_t)d : 0;
    } else {
        unsigned scale = t->kind == LEAT_TYPE_DECIMAL ? t->scale : 0;
        leat_i128 n = t->kind == LEAT_TYPE_DECIMAL ? args[0]->i128 : args[0]->i64;
        leat_i128 whole = n / (leat_i128)decimal_pow10[scale], rest = n % (leat_i128)decimal_pow10[scale];
        rest = scale > 3 ? rest / (leat_i128)decimal_pow10[scale - 3] : rest * (leat_i128)decimal_pow10[3 - scale];
        leat_i128 limit = SECONDS_MAX * 2000; // beyond every year there is
        *state = whole > limit || whole < -limit ? LEAT_NULL : LEAT_VALUE;
        v = *state != LEAT_VALUE ? 0 : (int64_t)(digits ? whole : whole * 1000 + rest);
    }
    if (v < SECONDS_MIN * 1000 || v > SECONDS_MAX * 1000 + 999)
        *state = LEAT_NULL;
    else
        out->i64 = v * 1000;
    return 0;
}

static int row_from_unixtime(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                             union leat_cell *out, uint8_t *state)
{
    struct format *f = e->data;
    int64_t v = args[0]->i64;
    if (v < SECONDS_MIN || v > SECONDS_MAX)
        return sql_fail(ev, e, "%lld seconds lie outside of the years 1 to 9999", (long long)v);
    if (use_pattern(ev, e, f, CALENDAR_SIMPLE, pattern_or_default(e, args)))
        return -1;
    return print_time(ev, f, calendar_zone_to_local(f->zone, v * CALENDAR_SECOND), out);
}

static int row_unix_timestamp(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                              union leat_cell *out, uint8_t *state)
{
    struct format *f = e->data;
    struct leat_bytes s = args[0]->bytes;
    int64_t local;
    if (use_to_read(ev, e, f, CALENDAR_SIMPLE, pattern_or_default(e, args)))
        return -1;
    if (calendar_pattern_parse(&f->pattern, s.ptr, s.len, &local) < 0)
        return sql_fail(ev, e, "'%.*s' does not fit the pattern of UNIX_TIMESTAMP", (int)(s.len > 60 ? 60 : s.len),
                        (const char *)s.ptr);
    out->i64 = calendar_floor_div(calendar_zone_to_utc(f->zone, local, CALENDAR_LATER), CALENDAR_SECOND);
    return 0;
}

static int row_unix_now(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                        union leat_cell *out, uint8_t *state)
{
    out->i64 = calendar_floor_div(ev->now, CALENDAR_SECOND);
    return 0;
}

// --- CONVERT_TZ ---

// Two zones by name, kept while rows name the same.
struct zones {
    struct calendar_zone *zone[2];
    char name[2][64];
    struct calendar_pattern pattern;
};

static void drop_zones(void *p)
{
    struct zones *z = p;
    calendar_zone_destroy(z->zone[0]);
    calendar_zone_destroy(z->zone[1]);
}

static int use_zone(struct sql_evaluator *ev, const struct sql_expr *e, struct zones *z, int i, struct leat_bytes name)
{
    int cut = (int)(name.len > 60 ? 60 : name.len);
    if (z->zone[i] && strlen(z->name[i]) == name.len && !memcmp(z->name[i], name.ptr, name.len))
        return 0;
    calendar_zone_destroy(z->zone[i]);
    z->zone[i] = NULL;
    if (name.len < sizeof z->name[i] && !memchr(name.ptr, 0, name.len)) {
        memcpy(z->name[i], name.ptr, name.len);
        z->name[i][name.len] = '\0';
        if (calendar_zone_create(z->name[i], NULL, &z->zone[i]) == CALENDAR_OK)
            return 0;
        z->zone[i] = NULL;
    }
    return sql_fail(ev, e, "the time zone '%.*s' is not known", cut, (const char *)name.ptr);
}

static int row_convert_tz(struct sql_evaluator *ev, const struct sql_expr *e, const union leat_cell *const *args,
                          union leat_cell *out, uint8_t *state)
{
    struct zones *z = e->data;
    struct leat_bytes s = args[0]->bytes;
    int64_t local;
    uint8_t text[CALENDAR_TEXT_MAX];
    if (use_zone(ev, e, z, 0, args[1]->bytes) || use_zone(ev, e, z, 1, args[2]->bytes))
        return -1;
    if (calendar_pattern_parse(&z->pattern, s.ptr, s.len, &local) < 0) {
        *state = LEAT_NULL;
        return 0;
    }
    local = calendar_zone_to_local(z->zone[1], calendar_zone_to_utc(z->zone[0], local, CALENDAR_LATER));
    return sql_bytes_copy(ev, text, calendar_print_timestamp(text, local, 0, CALENDAR_SQL), out);
}

static int derive_convert_tz(struct sql_bind *b, struct sql_expr *e)
{
    struct zones *z = sql_bind_alloc(b, sizeof *z);
    if (!z || sql_want_strings(b, e, 0, 3))
        return -1;
    calendar_pattern_compile(&z->pattern, CALENDAR_SIMPLE, DEFAULT_PATTERN, sizeof DEFAULT_PATTERN - 1, NULL);
    e->data = z;
    return sql_bind_defer(b, drop_zones, z) ? -1 : sql_derive_string_null(b, e);
}

// --- deriving ---

// A string or, where `times`, a timestamp first; then a pattern.
static int add_format(struct sql_bind *b, struct sql_expr *e, uint32_t strings_from)
{
    struct format *f = sql_bind_alloc(b, sizeof *f);
    if (!f || sql_want_strings(b, e, strings_from, e->arg_count) || sql_bind_zone(b, e))
        return -1;
    f->zone = e->data;
    e->data = f;
    return 0;
}

static int derive_date_format(struct sql_bind *b, struct sql_expr *e)
{
    const struct leat_type *t = e->args[0]->type;
    int time = t && sql_type_is_timestamp(t->kind);
    if (add_format(b, e, time ? 1 : 0))
        return -1;
    e->row = time ? row_format_time : row_format_text;
    return sql_derive_string_null(b, e);
}

static int derive_to_date(struct sql_bind *b, struct sql_expr *e)
{
    if (add_format(b, e, 0))
        return -1;
    e->type = sql_bind_type(b, LEAT_TYPE_DATE, 1);
    return e->type ? 0 : -1;
}

static int derive_to_timestamp(struct sql_bind *b, struct sql_expr *e)
{
    if (add_format(b, e, 0))
        return -1;
    e->type = sql_bind_time(b, LEAT_TYPE_TIMESTAMP, 3, 1);
    return e->type ? 0 : -1;
}

static int derive_to_ltz(struct sql_bind *b, struct sql_expr *e)
{
    if (sql_want_numeric(b, e, 0) || sql_want_integer(b, e, 1))
        return -1;
    e->type = sql_bind_time(b, LEAT_TYPE_TIMESTAMP_LTZ, 3, 1);
    return e->type ? 0 : -1;
}

static int derive_from_unixtime(struct sql_bind *b, struct sql_expr *e)
{
    if (sql_want_integer(b, e, 0) || add_format(b, e, 1))
        return -1;
    return sql_derive_string_null(b, e);
}

static int derive_unix_timestamp(struct sql_bind *b, struct sql_expr *e)
{
    e->row = e->arg_count ? row_unix_timestamp : row_unix_now;
    return add_format(b, e, 0) ? -1 : sql_derive_bigint(b, e);
}

// Without arguments UNIX_TIMESTAMP is the clock, with arguments it is not: it is folded never.
static const struct sql_func rows[] = {
    {.name = "DATE_FORMAT",
     .min_args = 2,
     .max_args = 2,
     .derive = derive_date_format,
     .form = "DATE_FORMAT(<timestamp or string>, <pattern>)"},
    {.name = "TO_DATE",
     .min_args = 1,
     .max_args = 2,
     .derive = derive_to_date,
     .row = row_to_date,
     .form = "TO_DATE(<string>[, <pattern>])"},
    {.name = "TO_TIMESTAMP",
     .min_args = 1,
     .max_args = 2,
     .derive = derive_to_timestamp,
     .row = row_to_timestamp,
     .form = "TO_TIMESTAMP(<string>[, <pattern>])"},
    {.name = "TO_TIMESTAMP_LTZ",
     .min_args = 2,
     .max_args = 2,
     .derive = derive_to_ltz,
     .row = row_to_ltz,
     .form = "TO_TIMESTAMP_LTZ(<number>, 0 or 3)"},
    {.name = "FROM_UNIXTIME",
     .min_args = 1,
     .max_args = 2,
     .derive = derive_from_unixtime,
     .row = row_from_unixtime,
     .form = "FROM_UNIXTIME(<integer>[, <pattern>])"},
    {.name = "UNIX_TIMESTAMP",
     .max_args = 2,
     .flags = SQL_FUNC_VARIES,
     .derive = derive_unix_timestamp,
     .form = "UNIX_TIMESTAMP([<string>[, <pattern>]])"},
    {.name = "CONVERT_TZ",
     .min_args = 3,
     .max_args = 3,
     .derive = derive_convert_tz,
     .row = row_convert_tz,
     .form = "CONVERT_TZ(<string>, <zone>, <zone>)"},
};
const struct sql_func_table sql_time_text_funcs = SQL_FUNC_TABLE(rows);
