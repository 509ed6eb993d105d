// SPDX-License-Identifier: Apache-2.0
// Any bytes as a pipeline file: read, resolved against a component with an option of each type, and every diagnostic
// printed in both forms. Nothing may crash, hang or read outside; a secret that is planted must never be shown.
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/str.h"
#include "config/config.h"
#include "plugin/registry.h"

#define PLANTED "planted-secret"

struct values {
    const char *text, *format, *secret;
    int64_t number, wait, size;
    double ratio;
    int32_t word;
    uint8_t on;
    struct leat_strings list;
    struct leat_pairs map;
};

#define OPTION(name_, type_, member, ...)                                                                              \
    {                                                                                                                  \
        .name = name_, .type = type_, .offset = offsetof(struct values, member), .doc = "D.", __VA_ARGS__              \
    }

static const struct leat_option options[] = {
    OPTION("text", LEAT_OPT_STRING, text, .flags = LEAT_OPT_REQUIRED, .example = "\"x\""),
    OPTION("query", LEAT_OPT_STRING, text, .flags = LEAT_OPT_VERBATIM),
    OPTION("value.format", LEAT_OPT_FORMAT, format, .def = "json"),
    OPTION("password", LEAT_OPT_STRING, secret, .flags = LEAT_OPT_SECRET),
    OPTION("number", LEAT_OPT_INT, number, .min = "1", .max = "9", .def = "2"),
    OPTION("wait", LEAT_OPT_DURATION, wait, .def = "1s", .max = "1d"),
    OPTION("size", LEAT_OPT_BYTES, size, .min = "1kb"),
    OPTION("ratio", LEAT_OPT_FLOAT, ratio, .max = "1"),
    OPTION("word", LEAT_OPT_ENUM, word, .words = "one|two"),
    OPTION("on", LEAT_OPT_BOOL, on, .def = "true"),
    OPTION("list", LEAT_OPT_LIST, list),
    OPTION("properties.", LEAT_OPT_MAP, map, .flags = LEAT_OPT_SECRET),
    {.name = "later.", .flags = LEAT_OPT_UNSUPPORTED, .doc = "Later."},
};

static const struct leat_option json_options[] = {
    OPTION("text", LEAT_OPT_STRING, text, .def = "x"),
    OPTION("number", LEAT_OPT_INT, number),
};

static leat_status check(struct leat_ctx *ctx, const void *config)
{
    const struct values *v = config;
    uint32_t len = (uint32_t)strlen(v->text);
    for (uint32_t i = 0; i <= len; i += 1 + len / 16) // places all over the value
        leat_diag(ctx, LEAT_DIAG_WARNING, "LEAT-X0001", "text", i, NULL, "place %u", i);
    return LEAT_OK;
}

static struct leat_source_ops source = {.struct_size = sizeof source};
static struct leat_sink_ops sink = {.struct_size = sizeof sink};
static struct leat_format_ops format = {.struct_size = sizeof format};

static void nothing(void) {}

// The registry wants functions to be there; none is called.
static void fill(void *ops, size_t size)
{
    void (*fn)(void) = nothing;
    for (size_t at = sizeof fn; at < size; at += sizeof fn)
        memcpy((char *)ops + at, &fn, sizeof fn);
}

static struct plugin_registry *make_registry(void)
{
#define TABLE                                                                                                          \
    .options = options, .option_count = sizeof options / sizeof options[0], .option_stride = sizeof options[0],        \
    .config_size = sizeof(struct values)
    static const struct leat_component components[] = {
        {.struct_size = sizeof components[0],
         .kind = LEAT_SOURCE,
         .name = "fuzz",
         TABLE,
         .check = check,
         .source = &source},
        {.struct_size = sizeof components[0], .kind = LEAT_SINK, .name = "fuzz", TABLE, .sink = &sink},
        {.struct_size = sizeof components[0],
         .kind = LEAT_FORMAT,
         .name = "json",
         .options = json_options,
         .option_count = 2,
         .option_stride = sizeof json_options[0],
         .config_size = sizeof(struct values),
         .format = &format},
    };
    static const struct leat_plugin plugin = {.magic = LEAT_MAGIC,
                                              .abi_major = LEAT_ABI_MAJOR,
                                              .struct_size = sizeof plugin,
                                              .name = "fuzz",
                                              .version = "1",
                                              .components = components,
                                              .component_count = 3,
                                              .component_stride = sizeof components[0]};
    struct base_error err;
    struct plugin_registry *registry = plugin_registry_create();
    fill(&source, sizeof source);
    fill(&sink, sizeof sink);
    fill(&format, sizeof format);
    if (!registry || plugin_registry_add(registry, "(fuzz)", &plugin, &err) != LEAT_OK)
        abort();
    return registry;
}

static void print(struct base_diags *diags, struct base_secrets *secrets)
{
    struct base_str out;
    base_str_init(&out);
    base_diags_sort(diags);
    base_diags_print(diags, secrets, true, &out);
    base_diags_json(diags, secrets, &out);
    if (strstr(out.ptr, PLANTED))
        abort();
    base_str_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct plugin_registry *registry; // made once: it does not change
    if (!registry)
        registry = make_registry();
    char *text = base_strndup((const char *)data, size);
    struct base_secrets *secrets = base_secrets_create();
    struct base_diags diags;
    struct base_error err;
    if (!text || !secrets || !base_diags_init(&diags))
        abort();
    if (!base_secrets_add(secrets, PLANTED, strlen(PLANTED)))
        abort();
    struct config *config = config_create(&diags, secrets, &err);
    if (!config)
        abort();
    config_load_text(config, "fuzz.toml", text);
    config_resolve(config, registry);
    print(&diags, secrets);
    config_destroy(config);
    base_diags_fini(&diags);
    base_secrets_destroy(secrets);
    free(text);
    return 0;
}
