// SPDX-License-Identifier: Apache-2.0
// Inside datagen: the options as generators, one per column and one per element of a collection.
//
// A value is a function of the seed, the row's number and the place of its field, so a restart goes on with the very
// values that an uninterrupted run would have given (times aside, which are taken from the clock).
//
// Thread: home worker. The source owns the generators.
#ifndef DATAGEN_DATAGEN_H
#define DATAGEN_DATAGEN_H

#include <leat/option.h>
#include <leat/source.h>

#define DATAGEN_RANDOM   0
#define DATAGEN_SEQUENCE 1

#define DATAGEN_LENGTH     100 // of strings and binaries
#define DATAGEN_COUNT      3   // elements of arrays and maps
#define DATAGEN_LENGTH_MAX (1 << 20)
#define DATAGEN_PATH_MAX   512

struct datagen_config {
    int64_t rows_per_second;
    int64_t number_of_rows; // LEAT_UNSET = no end
    int64_t seed;           // LEAT_UNSET = another one each start
    struct leat_pairs fields;
};

struct datagen_gen {
    const struct leat_type *type;
    uint8_t kind; // DATAGEN_*
    uint8_t var_len;
    uint32_t length;     // of strings and binaries; elements of collections
    uint64_t salt;       // sets the fields apart
    uint64_t null_below; // random numbers below it make a NULL; 2^64 - 1 = always
    leat_i128 min, max;  // integers, unscaled decimals, dates and times as in their cells; SEQUENCE: first and last
    double real_min, real_max;
    int64_t max_past;             // microseconds
    struct datagen_gen *children; // ARRAY: element; MAP: key, value; ROW: fields
};

// --- datagen_fields.c
// Generators for the columns of `schema`, from the fields.… options; faults become diagnostics.
leat_status datagen_fields(struct leat_ctx *ctx, const struct datagen_config *config, const struct leat_schema *schema,
                           struct datagen_gen **out);
void datagen_fields_free(struct leat_ctx *ctx, struct datagen_gen *gens, uint32_t count);
// Rows until the first sequence is at its end; INT64_MAX without one.
int64_t datagen_rows(const struct datagen_gen *gens, uint32_t count);

// --- datagen_values.c
// Fills row `row` of `b` as the n-th row (from 0). 0 = no memory.
int datagen_fill(struct leat_batch *b, uint32_t row, const struct datagen_gen *gens, uint64_t seed, uint64_t n,
                 leat_usec now);

// --- datagen_source.c
extern const struct leat_source_ops datagen_source_ops;

#endif
