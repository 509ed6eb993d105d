// SPDX-License-Identifier: Apache-2.0
// The plugin, without LEAT_PLUGIN, since its entry misbehaves too. What is to go wrong before there are options is told
// by the environment, a word of MISBEHAVE_DEADLY: LEAT_MISBEHAVE_LOADING when the library is loaded,
// LEAT_MISBEHAVE_ENTRY when its entry is called.
#include <stdlib.h>

#include "misbehave.h"

static const struct config unset = {.stall = 1000000};

__attribute__((section(".note.leat"), used, aligned(4))) static const struct leat_note_section note = {
    5,
    sizeof(struct leat_note),
    LEAT_NOTE_TYPE,
    LEAT_NOTE_OWNER,
    {LEAT_MAGIC, LEAT_ABI_MAJOR, LEAT_ABI_MINOR, sizeof(void *), 0, "source:misbehave,lookup:misbehave"}};

__attribute__((constructor)) static void loading(void)
{
    misbehave_die(&unset, misbehave_named(getenv("LEAT_MISBEHAVE_LOADING")));
}

__attribute__((visibility("default"))) const struct leat_plugin *leat_plugin_entry(const struct leat_host *host);
const struct leat_plugin *leat_plugin_entry(const struct leat_host *host)
{
    static struct leat_component components[2];
    static const struct leat_plugin plugin = {
        .magic = LEAT_MAGIC,
        .abi_major = LEAT_ABI_MAJOR,
        .abi_minor = LEAT_ABI_MINOR,
        .struct_size = sizeof plugin,
        .name = "misbehave",
        .version = "7.1",
        .vcs_id = "",
        .components = components,
        .component_count = 2,
        .component_stride = sizeof components[0],
    };
    misbehave_die(&unset, misbehave_named(getenv("LEAT_MISBEHAVE_ENTRY")));
    components[0] = misbehave_source;
    components[1] = misbehave_lookup;
    return &plugin;
}
