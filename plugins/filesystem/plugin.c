// SPDX-License-Identifier: Apache-2.0
// filesystem: a source of lines in files. Entry and option table, no logic.
#include <stddef.h>

#include <leat/plugin.h>

#include "filesystem.h"

#define LATER(name_, doc_)                                                                                             \
    {                                                                                                                  \
        .name = name_, .type = LEAT_OPT_STRING, .flags = LEAT_OPT_UNSUPPORTED, .doc = doc_                             \
    }
#define OF_WRITING(name_) LATER(name_, "It concerns the writing of files, which leat cannot do yet.")

static const struct leat_option options[] = {
    {.name = "path",
     .type = LEAT_OPT_STRING,
     .flags = LEAT_OPT_REQUIRED,
     .offset = offsetof(struct fs_config, path),
     .doc = "A file, or a folder whose files are read in the order of their names, with those of its folders. Names "
            "that begin with '.' or '_' are passed by.",
     .example = "\"data/orders\""},
    {.name = "format",
     .type = LEAT_OPT_FORMAT,
     .flags = LEAT_OPT_REQUIRED,
     .offset = offsetof(struct fs_config, format),
     .doc = "How a line becomes a row.",
     .example = "\"json\""},
    {.name = "source.monitor-interval",
     .type = LEAT_OPT_DURATION,
     .min = "1 ms",
     .offset = offsetof(struct fs_config, monitor_interval),
     .doc = "How often to look for new files and for lines added to known ones. Without it, what is there is read once "
            "and the source ends.",
     .example = "\"10s\""},
    {.name = "source.max-line-size",
     .type = LEAT_OPT_BYTES,
     .def = "16 MiB",
     .min = "64",
     .max = "1 GiB",
     .offset = offsetof(struct fs_config, max_line),
     .doc = "A longer line is an error of the row, for which on-error decides."},
    LATER("source.path.regex-pattern", "Every file of the folder is read: keep others elsewhere."),
    LATER("partition.default-name", "Folders are not read as partitions."),
    LATER("partition.time-extractor.", "Folders are not read as partitions."),
    OF_WRITING("sink.rolling-policy."),
    OF_WRITING("sink.partition-commit."),
    OF_WRITING("sink.shuffle-by-partition.enable"),
    OF_WRITING("sink.parallelism"),
    OF_WRITING("auto-compaction"),
    OF_WRITING("compaction.file-size"),
};

static const struct leat_component components[] = {{
    .struct_size = sizeof components[0],
    .kind = LEAT_SOURCE,
    .name = "filesystem",
    .summary = "reads the lines of files",
    .doc =
        "One record a line. The source ends with the last line, or goes on with source.monitor-interval. How far each "
        "file was read is kept in checkpoints; files must only grow.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .option_stride = sizeof options[0],
    .config_size = sizeof(struct fs_config),
    .source = &fs_source_ops,
}};

static const struct leat_code codes[] = {
    {"LEAT-D0301", "The source filesystem has no schema.",
     "Add a section [sources.NAME.schema] with a line for each column."},
    {"LEAT-D0302", "The path is not one of this machine.", "Mount it, and write it without a scheme or with file://."},
    {"LEAT-D0303", "A file or folder could not be read.", "See the message; leat tries again by itself."},
    {"LEAT-D0304", "A file no longer holds what was read of it: it was cut or replaced.",
     "Rotate logs by renaming, with path as their folder. Give changed files new names; to read all of them anew, "
     "start once with --forget-state NODE."},
    {"LEAT-D0305", "A line is longer than source.max-line-size.", "Raise the option, or set on-error."},
    {"LEAT-D0306", "The folder holds more files than the source can keep account of.", "Move old files away."},
    {"LEAT-D0307", "The state in the checkpoint was not written by this version of filesystem.",
     "Start with a fresh checkpoint folder, or with the version that wrote it."},
};

LEAT_PLUGIN("filesystem", "0.1.0", "source:filesystem", components, codes, sizeof codes / sizeof codes[0])
