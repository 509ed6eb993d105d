// SPDX-License-Identifier: Apache-2.0
// Inside format-json: the compiled schema that reader and writer walk along, and the small pieces they share.
//
// The idea: the table's schema is known when the format is opened, so every name is prepared for one comparison (and,
// for writing, as the bytes `,"name":`), and values go from the text straight into the cell of their column. There is
// no tree in between. A reading function takes the place it starts at and returns the place behind what it read, or
// NULL after it has described the failure in struct fjson_reader.
//
// Thread: the home worker of the node that opened the format. The format owns the compiled schema and its scratch
// memory; rows point into the batch's arena or, when they last, into the records.
#ifndef FORMAT_JSON_JSON_H
#define FORMAT_JSON_JSON_H

#include <leat/format.h>

#define JSON_DEPTH_MAX  4096 // deepest nesting in values that are only checked
#define JSON_TEXT_DEPTH 1000 // deepest nesting in values that become the text of a STRING
#define JSON_NUMBER_MAX 4096 // longest spelling of a number that is converted
#define JSON_PATH_MAX   256  // of the path in messages
#define JSON_NAME_ROOM  32   // readable from any byte of a field's prefix on

// Words of timestamp-format.standard and map-null-key.mode, in their order.
#define JSON_SQL         0
#define JSON_ISO         1
#define JSON_ISO_OFFSET  2
#define JSON_KEY_FAIL    0
#define JSON_KEY_DROP    1
#define JSON_KEY_LITERAL 2

struct fjson_config {
    uint8_t fail_on_missing_field;
    uint8_t ignore_parse_errors;
    uint8_t plain_decimals;
    uint8_t ignore_null_fields;
    int32_t timestamp_standard;
    int32_t map_null_key_mode;
    const char *map_null_key_literal;
};

struct fjson_object;

struct fjson_type {
    const struct leat_type *type;
    struct fjson_type *children; // ARRAY: element; MAP: key, value; else NULL
    struct fjson_object *object; // ROW: its fields
};

struct fjson_field {
    struct leat_bytes name;
    struct fjson_type type;
    uint64_t want[2], mask[2]; // `name":` for one comparison, when it has at most 16 bytes
    struct leat_bytes raw;     // `name":`; no bytes at all when the name cannot stand in JSON unescaped
    struct leat_bytes prefix;  // `,"name":` as it is written
};

// The columns of the format, or the fields of a ROW.
struct fjson_object {
    uint32_t count;
    uint32_t mask;   // of the table; a power of two less one
    uint32_t *table; // hash of a name -> its number + 1; 0 = free
    struct fjson_field fields[];
};

// Memory that is grown and used again from record to record.
struct fjson_scratch {
    uint8_t *ptr;
    size_t len, cap;
};

struct fjson_block;

struct fjson_format {
    struct fjson_config config;
    struct fjson_object *root;
    uint32_t *columns;          // column of the batch for each field of root
    struct leat_column *slots;  // the same columns of the batch being read or written
    struct fjson_block *blocks; // memory of the compiled schema
    struct leat_datum *stack;   // elements of the arrays and maps being read
    uint32_t stack_cap;
    struct fjson_scratch text;    // containers on their way into a STRING
    struct fjson_scratch members; // json_text.c and maps: keys and values of objects
    struct fjson_scratch table;   // fjson_names
    struct fjson_scratch wide;    // a record that came as UTF-16 or UTF-32
};

// Why reading failed.
#define JSON_BAD_VALUE 1 // well formed, but not a value of the field's type
#define JSON_BAD_TEXT  2 // not JSON
#define JSON_NO_MEMORY 3
#define JSON_MISSING   4 // a field that must be there is not

struct fjson_reader {
    struct leat_ctx *ctx;
    struct fjson_format *f;
    struct leat_batch *b;
    const uint8_t *start, *end; // the record
    uint8_t lasting;
    uint8_t error;                // JSON_*
    const uint8_t *at;            // where it is wrong
    const char *expected;         // JSON_BAD_TEXT
    const struct leat_type *type; // JSON_BAD_VALUE
    uint32_t stack_len;
    char path[JSON_PATH_MAX]; // filled from its end while the failure goes up; starts at path_at
    uint32_t path_at;
};

// A string as it stands in the text, between its quotes.
struct fjson_span {
    const uint8_t *ptr;
    uint32_t len;
    uint8_t escaped; // it has a backslash
    uint8_t high;    // it has bytes above 0x7F
};

// --- json_plan.c
leat_status fjson_check(struct leat_ctx *ctx, const struct leat_format_request *request, uint8_t *mode);
leat_status fjson_create(struct leat_ctx *ctx, const struct leat_format_request *request, void **self);
void fjson_destroy(struct leat_ctx *ctx, void *self);
// Number of the field called `name`, or UINT32_MAX.
uint32_t fjson_find(const struct fjson_object *o, struct leat_bytes name);
// Room for `more` bytes behind s->len. 0 = no memory.
int fjson_room(struct leat_ctx *ctx, struct fjson_scratch *s, size_t more);
// first[i] = the lowest k with keys[k] equal to keys[i]. The result lives until the next call. NULL = no memory.
const uint32_t *fjson_same_keys(struct leat_ctx *ctx, struct fjson_format *f, const struct leat_bytes *keys,
                                uint32_t n);

// --- json_scan.c
// Describe a failure; all return NULL.
const uint8_t *fjson_bad_text(struct fjson_reader *r, const uint8_t *at, const char *expected);
const uint8_t *fjson_no_memory(struct fjson_reader *r);
// A value that does not fit. When errors are ignored it is NULL and reading goes on behind it, at `next`.
const uint8_t *fjson_bad_value(struct fjson_reader *r, const uint8_t *at, const uint8_t *next,
                               const struct leat_type *type, uint8_t *state);
// Over a value whose first byte is at p, checking that it is JSON.
const uint8_t *fjson_skip(struct fjson_reader *r, const uint8_t *p);
// p is behind the opening quote.
const uint8_t *fjson_scan_string(struct fjson_reader *r, const uint8_t *p, struct fjson_span *s);
// What a span means: unescaped and valid UTF-8; borrowed from the text where possible, else in the arena. 1 = fine,
// 0 = an escape is cut short by the closing quote, -1 = failed.
int fjson_string(struct fjson_reader *r, const struct fjson_span *s, struct leat_bytes *out);
// 1 when the record is UTF-16 or UTF-32, then *text is it in UTF-8; 0 when not; -1 = failed.
int fjson_narrow(struct fjson_reader *r, struct leat_bytes *text);

// --- json_scalar.c
// A value of a type without children whose first byte is at p and which is not null.
const uint8_t *fjson_scalar(struct fjson_reader *r, const uint8_t *p, const struct leat_type *type,
                            union leat_cell *cell, uint8_t *state);

// --- json_text.c
// An object or array at p as text without blanks, as the value of a STRING.
const uint8_t *fjson_container_text(struct fjson_reader *r, const uint8_t *p, struct leat_bytes *out);

// --- json_decode.c, json_encode.c
leat_status fjson_decode(struct leat_ctx *ctx, void *self, const struct leat_bytes *records, uint32_t n,
                         uint8_t lasting, struct leat_batch *b, uint8_t into_rows, uint32_t first_row,
                         uint32_t *row_counts, uint32_t *done);
leat_status fjson_encode(struct leat_ctx *ctx, void *self, const struct leat_batch *b, uint32_t first, uint32_t n,
                         struct leat_buffer *out, size_t *ends, uint32_t *done);
// Writes a string with its quotes; `to` has room for 6 * len + 2 bytes. astral: characters beyond the BMP as two
// escapes.
uint8_t *fjson_put_string(uint8_t *to, const uint8_t *ptr, size_t len, int astral);

static inline const uint8_t *fjson_blanks(const uint8_t *p, const uint8_t *end)
{
    while (p < end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

#endif
