// SPDX-License-Identifier: Apache-2.0
// The plugin "normalize": one operator. The planner puts it where a reader needs every change in full.
#include "normalize.h"

static const struct leat_component components[] = {{
    .struct_size = sizeof components[0],
    .kind = LEAT_OPERATOR,
    .name = "normalize",
    .summary = "turns upserts by key into every change in full",
    .doc =
        "Keeps the last row of each key. `+U` of an unknown key becomes `+I`; of a known one `-U` with the row as it "
        "was and `+U` with the row as it is; `-D` becomes a deletion of the whole row. An equal `+I` and the deletion "
        "of an unknown key give nothing. leat inserts it by itself where it is needed; `leat plan` shows it.",
    .op = &normalize_ops,
}};

static const struct leat_code codes[] = {
    {"LEAT-N0001", "The input has no primary key, so its rows cannot be told apart.",
     "Give the source a primary key, or read it as inserts."},
    {"LEAT-N0002", "A column of the primary key is an ARRAY, MAP or ROW.", "Choose a key of plain columns."},
    {"LEAT-N0003", "An update leaves a column out (unchanged), but the row before is not known.",
     "Set unchanged.toast = \"reselect\" or REPLICA IDENTITY FULL at the source."},
    {"LEAT-N0004", "The saved state was written by a newer version of the plugin.",
     "Start that version, or start without the saved state."},
    {"LEAT-K0001", "The saved state of a node is damaged.", "Restore the checkpoint folder from a copy."},
    {"LEAT-K0002", "A row in the saved state of a node is damaged.", "Restore the checkpoint folder from a copy."},
};

LEAT_PLUGIN("normalize", "0.1.0", "operator:normalize", components, codes, sizeof codes / sizeof codes[0])
