// SPDX-License-Identifier: Apache-2.0
// print: a sink that shows rows. Entry and option table, no logic.
#include <stddef.h>

#include <leat/plugin.h>

#include "print.h"

static const struct leat_option options[] = {
    {.name = "print-identifier",
     .type = LEAT_OPT_STRING,
     .offset = offsetof(struct print_config, identifier),
     .doc = "Written before each line, with \"> \" behind it, to tell the lines of several sinks apart."},
    {.name = "standard-error",
     .type = LEAT_OPT_BOOL,
     .def = "false",
     .offset = offsetof(struct print_config, standard_error),
     .doc = "Write to standard error instead of standard output."},
    {.name = "sink.parallelism",
     .type = LEAT_OPT_INT,
     .flags = LEAT_OPT_SENSELESS,
     .doc = "Lines are written by one instance; remove the option."},
};

static const struct leat_component components[] = {{
    .struct_size = sizeof components[0],
    .kind = LEAT_SINK,
    .name = "print",
    .summary = "rows as lines of text, for looking at them",
    .doc =
        "A line is the row's kind and its values: +I[1, abc]. Values are written as CAST AS STRING writes them, "
        "TIMESTAMP_LTZ in the pipeline's time zone; bytes as x'00ff'; control characters in strings as \\n or \\x1b.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof options[0],
    .config_size = sizeof(struct print_config),
    .sink = &print_sink_ops,
}};

static const struct leat_code codes[] = {
    {"LEAT-D0201", "The time zone of the pipeline is not known on this machine.",
     "Install tzdata, or set table.local-time-zone to a name it has."},
    {"LEAT-D0202", "Standard output or standard error was closed by whoever reads it.",
     "Start leat with an output that stays open."},
};

LEAT_PLUGIN("print", "0.1.0", "sink:print", components, codes, sizeof codes / sizeof codes[0])
