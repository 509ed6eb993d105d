// SPDX-License-Identifier: Apache-2.0
// datagen: a source of made-up rows, with Flink's options. Entry and option table, no logic.
#include <stddef.h>

#include <leat/plugin.h>

#include "datagen.h"

static const struct leat_option options[] = {
    {.name = "rows-per-second",
     .type = LEAT_OPT_INT,
     .def = "10000",
     .min = "1",
     .max = "1000000000",
     .offset = offsetof(struct datagen_config, rows_per_second),
     .doc = "How many rows to give each second."},
    {.name = "number-of-rows",
     .type = LEAT_OPT_INT,
     .min = "0",
     .offset = offsetof(struct datagen_config, number_of_rows),
     .doc = "The source ends after so many rows. Without it, it ends with the first sequence that does, or never."},
    {.name = "seed",
     .type = LEAT_OPT_INT,
     .offset = offsetof(struct datagen_config, seed),
     .doc = "The same seed gives the same rows (times, which depend on the clock, aside). Without it every first start "
            "gives others."},
    {.name = "fields.",
     .type = LEAT_OPT_MAP,
     .offset = offsetof(struct datagen_config, fields),
     .doc =
         "How to make a column: fields.NAME.kind = \"random\" or \"sequence\", .min and .max of random numbers, .start "
         "and .end of a sequence, .length of strings, binaries and collections, .var-len = true for any length up to "
         "it, .null-rate from 0 to 1, .max-past of times. Elements are fields.NAME.element, keys and values of a MAP "
         "fields.NAME.key and .value, fields of a ROW fields.NAME.FIELD.",
     .example = "id.kind = \"sequence\""},
    {.name = "scan.parallelism",
     .type = LEAT_OPT_INT,
     .flags = LEAT_OPT_SENSELESS,
     .doc = "One instance is enough for any rate; remove the option."},
};

static const struct leat_component components[] = {{
    .struct_size = sizeof components[0],
    .kind = LEAT_SOURCE,
    .name = "datagen",
    .summary = "made-up rows, random or counted",
    .doc = "Give it a schema; every column is random unless fields.NAME.kind is \"sequence\". Where a sequence stands "
           "is kept in checkpoints.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof options[0],
    .config_size = sizeof(struct datagen_config),
    .source = &datagen_source_ops,
}};

static const struct leat_code codes[] = {
    {"LEAT-D0101", "The source datagen has no schema.",
     "Add a section [sources.NAME.schema] with a line for each column."},
    {"LEAT-D0102", "An option fields.… names no column, or is not one of datagen's.",
     "Compare the name with the schema."},
    {"LEAT-D0103", "The value of an option fields.… does not fit its column.", "See the message."},
    {"LEAT-D0104", "datagen cannot make this kind of values for a type.", "Choose the kind random or another type."},
    {"LEAT-D0105", "The state in the checkpoint was not written by this version of datagen.",
     "Start with a fresh checkpoint folder, or with the version that wrote it."},
};

LEAT_PLUGIN("datagen", "0.1.0", "source:datagen", components, codes, sizeof codes / sizeof codes[0])
