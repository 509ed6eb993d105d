// SPDX-License-Identifier: Apache-2.0
// format-json: rows to and from JSON objects, as Flink's format "json" has them. Entry and option table, no logic.
#include <stddef.h>

#include <leat/plugin.h>

#include "json.h"

#define OPTION_COUNT (sizeof options / sizeof options[0])

static const struct leat_option options[] = {
    {.name = "fail-on-missing-field",
     .type = LEAT_OPT_BOOL,
     .flags = LEAT_OPT_READING,
     .def = "false",
     .offset = offsetof(struct fjson_config, fail_on_missing_field),
     .doc = "A column (or a field of a ROW) that the object does not have is an error; otherwise it is NULL.",
     .group = "Reading"},
    {.name = "ignore-parse-errors",
     .type = LEAT_OPT_BOOL,
     .flags = LEAT_OPT_READING,
     .def = "false",
     .offset = offsetof(struct fjson_config, ignore_parse_errors),
     .doc = "A value that does not fit its column becomes NULL, and a record that is not JSON is skipped. Otherwise "
            "both are errors of the record, for which the node's on-error decides.",
     .group = "Reading"},
    {.name = "decode.json-parser.enabled",
     .type = LEAT_OPT_BOOL,
     .flags = LEAT_OPT_SENSELESS,
     .doc = "It chooses between two parsers of Flink; leat has one. Remove the option.",
     .group = "Reading"},
    {.name = "timestamp-format.standard",
     .type = LEAT_OPT_ENUM,
     .def = "SQL",
     .words = "SQL|ISO-8601|ISO-8601-WITH-OFFSET",
     .offset = offsetof(struct fjson_config, timestamp_standard),
     .doc = "Spelling of TIMESTAMP and TIMESTAMP_LTZ. SQL: 2024-02-29 12:34:56.789, ISO-8601: "
            "2024-02-29T12:34:56.789, each with Z behind it for TIMESTAMP_LTZ. ISO-8601-WITH-OFFSET reads any offset "
            "for TIMESTAMP_LTZ and writes Z.",
     .example = "\"ISO-8601\""},
    {.name = "map-null-key.mode",
     .type = LEAT_OPT_ENUM,
     .flags = LEAT_OPT_WRITING,
     .def = "FAIL",
     .words = "FAIL|DROP|LITERAL",
     .offset = offsetof(struct fjson_config, map_null_key_mode),
     .doc = "What to write for a NULL key of a MAP: an error, nothing, or the text of map-null-key.literal.",
     .group = "Writing"},
    {.name = "map-null-key.literal",
     .type = LEAT_OPT_STRING,
     .flags = LEAT_OPT_WRITING,
     .def = "null",
     .offset = offsetof(struct fjson_config, map_null_key_literal),
     .only = "map-null-key.mode = LITERAL",
     .doc = "The key written for a NULL key of a MAP.",
     .group = "Writing"},
    {.name = "encode.decimal-as-plain-number",
     .type = LEAT_OPT_BOOL,
     .flags = LEAT_OPT_WRITING,
     .def = "true",
     .offset = offsetof(struct fjson_config, plain_decimals),
     .doc = "Write DECIMAL as 100 and 0.00000002; with false as Flink does by default, 1E+2 and 2E-8.",
     .group = "Writing"},
    {.name = "encode.ignore-null-fields",
     .type = LEAT_OPT_BOOL,
     .flags = LEAT_OPT_WRITING,
     .def = "false",
     .offset = offsetof(struct fjson_config, ignore_null_fields),
     .doc = "Leave out columns and fields of a ROW that are NULL. Elements of arrays and values of maps stay.",
     .group = "Writing"},
};

static const struct leat_format_ops ops = {
    .struct_size = sizeof ops,
    .check = fjson_check,
    .create = fjson_create,
    .destroy = fjson_destroy,
    .decode = fjson_decode,
    .encode = fjson_encode,
};

static leat_status check_options(struct leat_ctx *ctx, const void *config)
{
    const struct fjson_config *c = config;
    if (!c->fail_on_missing_field || !c->ignore_parse_errors)
        return LEAT_OK;
    leat_diag(ctx, LEAT_DIAG_ERROR, "LEAT-F0102", "ignore-parse-errors", 0, "Remove one of the two.",
              "\"fail-on-missing-field\" and \"ignore-parse-errors\" cannot both be true");
    return LEAT_CONFIG;
}

static const struct leat_component components[] = {{
    .struct_size = sizeof components[0],
    .kind = LEAT_FORMAT,
    .name = "json",
    .summary = "one JSON object per record",
    .doc = "Columns are found by name, case counts, unknown names are passed by. A column of type STRING takes any "
           "value: objects and arrays as their text. Numbers may stand in quotes. An empty record gives no row.",
    .options = options,
    .option_count = OPTION_COUNT,
    .option_stride = sizeof options[0],
    .config_size = sizeof(struct fjson_config),
    .check = check_options,
    .format = &ops,
}};

static const struct leat_code codes[] = {
    {"LEAT-F0101", "A column has a type that the format json cannot carry.",
     "Choose another type, or convert the column before the sink."},
    {"LEAT-F0102", "Two options of the format json contradict each other.", "Remove one of them."},
    {"LEAT-F0103", "A record is not JSON, or not a JSON object.",
     "Look at the record (the message names the byte); set on-error, or ignore-parse-errors of the format."},
    {"LEAT-F0104", "A value of a record does not fit the type of its column.",
     "Declare a type that holds it; set on-error, or ignore-parse-errors of the format."},
    {"LEAT-F0105", "A record lacks a field, and fail-on-missing-field is set.",
     "Mend the producer, or remove the option."},
    {"LEAT-F0106", "A row cannot be written as JSON.", "See the message; set on-error of the sink."},
};

LEAT_PLUGIN("format-json", "0.1.0", "format:json", components, codes, sizeof codes / sizeof codes[0])
