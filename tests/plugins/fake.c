// SPDX-License-Identifier: Apache-2.0
// A plugin for the loader's tests. Compiled once per FAKE_… macro; each turns one thing wrong (or old, or right).
//
// When its code runs, and not before, it says so: LEAT_FAKE_RAN names a file to which its name is appended.
// FAKE_OLD stands for a plugin of an earlier minor version: its structs end before what came later.
#include <leat/plugin.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

struct config {
    int64_t rate;
    int32_t mode;
    const char *path;
};

// Runs inside dlopen, before anybody asks for anything.
__attribute__((constructor)) static void leave_a_trace(void)
{
    const char *path = getenv("LEAT_FAKE_RAN");
    FILE *trace = path ? fopen(path, "a") : NULL;
    if (!trace)
        return;
    fputs(FAKE_NAME "\n", trace);
    fclose(trace);
}

#define AT(member) offsetof(struct config, member)

static const struct leat_option options[] = {
    {
        .name = "rate",
        .type = LEAT_OPT_INT,
        .offset = AT(rate),
        .min = "1",
        .doc = "Rows per second.",
        .example = "5",
#if FAKE_BAD_DEFAULT
        .def = "many",
#else
        .def = "10",
#endif
#if FAKE_REQUIRED_DEFAULT
        .flags = LEAT_OPT_REQUIRED,
#endif
    },
    {
        .name = "mode",
        .type = LEAT_OPT_ENUM,
        .offset = AT(mode),
        .doc = "Way of working.",
        .group = "Mood",
#if !FAKE_BAD_WORDS
        .words = "calm|wild",
#endif
    },
    {
        .name = "path",
        .flags = LEAT_OPT_REQUIRED | LEAT_OPT_SECRET,
#if FAKE_BAD_TYPE
        .type = 77,
#else
        .type = LEAT_OPT_STRING,
#endif
#if FAKE_BAD_OFFSET
        .offset = sizeof(struct config),
#else
        .offset = AT(path),
#endif
#if !FAKE_NO_DOC
        .doc = "Where | to.",
#endif
    },
    {.name = "later", .flags = LEAT_OPT_UNSUPPORTED, .doc = "Comes later."},
#if FAKE_SAME_OPTION
    {.name = "rate", .type = LEAT_OPT_INT, .offset = AT(rate), .doc = "Again."},
#endif
};

static leat_status describe(struct leat_ctx *ctx, const struct leat_source_request *request,
                            struct leat_source_plan *plan)
{
    return LEAT_OK;
}

static leat_status create(struct leat_ctx *ctx, const struct leat_source_request *request, void **self)
{
    return LEAT_OK;
}

static leat_status open_source(struct leat_ctx *ctx, void *self, const struct leat_open *open)
{
    return LEAT_OK;
}

#if !FAKE_MISSING_FUNCTION
static leat_status poll(struct leat_ctx *ctx, void *self)
{
    return LEAT_END;
}
#endif

#if FAKE_MISSING_SYMBOL || FAKE_MISSING_LIBRARY
int leat_nowhere(void);
#endif

static void destroy(struct leat_ctx *ctx, void *self)
{
#if FAKE_MISSING_SYMBOL || FAKE_MISSING_LIBRARY
    leat_nowhere();
#endif
}

static const struct leat_source_ops ops = {
#if FAKE_OLD
    .struct_size = offsetof(struct leat_source_ops, use_ports),
#elif FAKE_SHORT_OPS
    .struct_size = 2,
#else
    .struct_size = sizeof ops,
#endif
    .describe = describe,
    .create = create,
    .open = open_source,
#if !FAKE_MISSING_FUNCTION
    .poll = poll,
#endif
    .destroy = destroy,
};

static const struct leat_component components[] = {
    {
#if FAKE_OLD
        .struct_size = offsetof(struct leat_component, sink),
#elif FAKE_SHORT_COMPONENT
        .struct_size = 8,
#else
        .struct_size = sizeof components[0],
#endif
#if FAKE_BAD_KIND
        .kind = 99,
#else
        .kind = LEAT_SOURCE,
#endif
#if FAKE_BAD_NAME
        .name = "Fake Source",
#elif FAKE_GOOD || FAKE_CLASH
        .name = "fake",
#else
        .name = "other",
#endif
        .summary = "gives nothing",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .option_stride = sizeof options[0],
        .config_size = sizeof(struct config),
#if !FAKE_NO_OPS
        .source = &ops,
#endif
    },
#if FAKE_TWICE
    {.struct_size = sizeof components[0], .kind = LEAT_SOURCE, .name = "other", .summary = "again", .source = &ops},
#endif
};

static const struct leat_code codes[] = {{"LEAT-F0001", "A cause.", "A cure."}};

#if FAKE_WRONG_MAJOR
#undef LEAT_ABI_MAJOR
#define LEAT_ABI_MAJOR 9
#elif FAKE_WRONG_MINOR
#undef LEAT_ABI_MINOR
#define LEAT_ABI_MINOR 99
#endif

#define EXPORT __attribute__((visibility("default")))

#if FAKE_NO_NOTE || FAKE_LYING_NOTE || FAKE_NO_ENTRY || FAKE_ENTRY_FAILS || FAKE_WRONG_MAGIC || FAKE_SHORT_PLUGIN ||   \
    FAKE_NO_NAME

#if !FAKE_NO_NOTE
__attribute__((section(".note.leat"), used, aligned(4))) static const struct leat_note_section note = {
    5,
    sizeof(struct leat_note),
    LEAT_NOTE_TYPE,
    LEAT_NOTE_OWNER,
    {LEAT_MAGIC, LEAT_ABI_MAJOR, LEAT_ABI_MINOR, sizeof(void *), 0, "source:other"}};
#endif

#if !FAKE_NO_ENTRY
EXPORT const struct leat_plugin *leat_plugin_entry(const struct leat_host *host);
const struct leat_plugin *leat_plugin_entry(const struct leat_host *host)
{
    static const struct leat_plugin plugin = {
#if FAKE_WRONG_MAGIC
        .magic = 1,
#else
        .magic = LEAT_MAGIC,
#endif
#if FAKE_LYING_NOTE
        .abi_major = LEAT_ABI_MAJOR + 1,
#else
        .abi_major = LEAT_ABI_MAJOR,
#endif
#if FAKE_SHORT_PLUGIN
        .struct_size = 16,
#else
        .struct_size = sizeof plugin,
#endif
#if !FAKE_NO_NAME
        .name = "fake",
#endif
        .version = "1",
        .vcs_id = "",
        .components = components,
        .component_count = 1,
        .component_stride = sizeof components[0],
        .codes = codes,
        .code_count = 1,
        .code_stride = sizeof codes[0],
    };
#if FAKE_ENTRY_FAILS
    return plugin.magic ? NULL : &plugin;
#else
    return &plugin;
#endif
}
#else
extern const void *const leat_fake_uses[];
EXPORT const void *const leat_fake_uses[] = {components, codes, &note};
#endif

#elif FAKE_GOOD || FAKE_CLASH
LEAT_PLUGIN("fake", "1.2.3", "source:fake", components, codes, 1)
#else
LEAT_PLUGIN("fake", "1.2.3", "source:other", components, codes, 1)
#endif
