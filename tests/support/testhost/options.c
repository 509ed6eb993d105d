// SPDX-License-Identifier: Apache-2.0
// Fills a component's configuration struct from name and value pairs by its option table, and opens formats with the
// options that stand under their prefix. Faults become diagnostics of the node. The rules are those of option.h; what
// the server adds (places in files, did-you-mean, ${…}) is not here.
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "testhost_int.h"

struct unit {
    const char *word;
    int64_t factor;
};

static const struct unit durations[] = {
    {"us", 1},           {"ms", 1000},         {"milli", 1000},    {"s", 1000000},       {"sec", 1000000},
    {"second", 1000000}, {"seconds", 1000000}, {"min", 60000000},  {"minute", 60000000}, {"minutes", 60000000},
    {"h", 3600000000},   {"hour", 3600000000}, {"d", 86400000000}, {"day", 86400000000}, {"", 1000},
};

static const struct unit sizes[] = {
    {"", 1},         {"b", 1},         {"k", 1024},       {"kb", 1024},       {"kib", 1024},       {"m", 1048576},
    {"mb", 1048576}, {"mib", 1048576}, {"g", 1073741824}, {"gb", 1073741824}, {"gib", 1073741824},
};

static int parse_units(const char *text, const struct unit *units, size_t n, int64_t *out)
{
    char *end;
    long long number = strtoll(text, &end, 10);
    if (end == text)
        return 0;
    while (*end == ' ')
        end++;
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(end, units[i].word) == 0) {
            *out = number * units[i].factor;
            return 1;
        }
    return 0;
}

static int parse_number(const struct leat_option *o, const char *text, int64_t *out)
{
    if (o->type == LEAT_OPT_DURATION)
        return parse_units(text, durations, sizeof durations / sizeof durations[0], out);
    if (o->type == LEAT_OPT_BYTES)
        return parse_units(text, sizes, sizeof sizes / sizeof sizes[0], out);
    char *end;
    *out = strtoll(text, &end, 10);
    return end != text && !*end;
}

static int within(const struct leat_option *o, int64_t v)
{
    int64_t bound;
    return !(o->min && parse_number(o, o->min, &bound) && v < bound) &&
           !(o->max && parse_number(o, o->max, &bound) && v > bound);
}

static int32_t word_number(const char *words, const char *text)
{
    size_t len = strlen(text);
    int32_t n = 0;
    for (const char *w = words; w; n++) {
        const char *end = strchr(w, '|');
        size_t have = end ? (size_t)(end - w) : strlen(w);
        if (have == len && strncasecmp(w, text, len) == 0)
            return n;
        w = end ? end + 1 : NULL;
    }
    return -1;
}

static void store_list(struct testhost_node *node, const char *text, struct leat_strings *out)
{
    size_t n = 1;
    for (const char *p = text; *p; p++)
        n += *p == ';';
    const char **items = thost_memory(&node->impl->memory, n * sizeof *items);
    for (n = 0; *text;) {
        const char *end = strchrnul(text, ';');
        items[n++] = thost_copy(&node->impl->memory, text, (size_t)(end - text));
        text = *end ? end + 1 : end;
    }
    *out = (struct leat_strings){(uint32_t)n, items};
}

// 0 = the value is not of the option's type.
static int store(struct testhost_node *node, const struct leat_option *o, void *config, const char *text)
{
    void *at = (uint8_t *)config + o->offset;
    char *end;
    int64_t v;
    switch (o->type) {
    case LEAT_OPT_BOOL:
        *(uint8_t *)at = strcasecmp(text, "true") == 0;
        return *(uint8_t *)at || strcasecmp(text, "false") == 0;
    case LEAT_OPT_INT:
    case LEAT_OPT_DURATION:
    case LEAT_OPT_BYTES:
        if (!parse_number(o, text, &v) || !within(o, v))
            return 0;
        *(int64_t *)at = v;
        return 1;
    case LEAT_OPT_FLOAT:
        *(double *)at = strtod(text, &end);
        return end != text && !*end;
    case LEAT_OPT_ENUM:
        *(int32_t *)at = word_number(o->words, text);
        return *(int32_t *)at >= 0;
    case LEAT_OPT_LIST:
        store_list(node, text, at);
        return 1;
    default:
        *(const char **)at = thost_copy(&node->impl->memory, text, strlen(text));
        return 1;
    }
}

static void store_unset(const struct leat_option *o, void *config)
{
    void *at = (uint8_t *)config + o->offset;
    if (o->type == LEAT_OPT_INT || o->type == LEAT_OPT_DURATION || o->type == LEAT_OPT_BYTES)
        *(int64_t *)at = LEAT_UNSET;
    else if (o->type == LEAT_OPT_FLOAT)
        *(double *)at = NAN;
    else if (o->type == LEAT_OPT_ENUM)
        *(int32_t *)at = -1;
}

static void store_map(struct testhost_node *node, const struct leat_option *o, void *config, const char *prefix,
                      const char *const *pairs)
{
    size_t n = 0, len = strlen(prefix) + strlen(o->name);
    char full[256];
    snprintf(full, sizeof full, "%s%s", prefix, o->name);
    for (size_t i = 0; pairs && pairs[i]; i += 2)
        n++;
    struct leat_pair *items = thost_memory(&node->impl->memory, (n + 1) * sizeof *items);
    n = 0;
    for (size_t i = 0; pairs && pairs[i]; i += 2)
        if (strncmp(pairs[i], full, len) == 0)
            items[n++] = (struct leat_pair){pairs[i] + len, pairs[i + 1]};
    *(struct leat_pairs *)(void *)((uint8_t *)config + o->offset) = (struct leat_pairs){(uint32_t)n, items};
}

static const struct leat_option *option_at(const struct leat_component *c, uint32_t i)
{
    return (const struct leat_option *)(const void *)((const uint8_t *)c->options + (size_t)i * c->option_stride);
}

static const char *find_pair(const char *const *pairs, const char *prefix, const char *name)
{
    size_t len = strlen(prefix);
    for (size_t i = 0; pairs && pairs[i]; i += 2)
        if (strncmp(pairs[i], prefix, len) == 0 && strcmp(pairs[i] + len, name) == 0)
            return pairs[i + 1];
    return NULL;
}

// "value.format" = json: options begin with "value.json."; "format": with "json.".
static void format_prefix(const char *option, const char *format, char *buf, size_t cap)
{
    size_t len = strlen(option);
    const char *tail = "format";
    size_t stem = len >= strlen(tail) && strcmp(option + len - strlen(tail), tail) == 0 ? len - strlen(tail) : len;
    snprintf(buf, cap, "%.*s%s.", (int)stem, option, format);
}

static int known(const struct leat_component *c, const char *const *pairs, const char *prefix, const char *name)
{
    for (uint32_t i = 0; i < c->option_count; i++) {
        const struct leat_option *o = option_at(c, i);
        if (strcmp(o->name, name) == 0 ||
            (o->type == LEAT_OPT_MAP && strncmp(name, o->name, strlen(o->name)) == 0 && name[strlen(o->name)]))
            return 1;
        const char *format = o->type == LEAT_OPT_FORMAT ? find_pair(pairs, prefix, o->name) : NULL;
        char of_format[256];
        if (!format)
            continue;
        format_prefix(o->name, format, of_format, sizeof of_format);
        if (strncmp(name, of_format, strlen(of_format)) == 0)
            return 1;
    }
    return 0;
}

static int take_option(struct testhost_node *node, const struct leat_option *o, void *config, const char *prefix,
                       const char *const *pairs)
{
    const char *given = find_pair(pairs, prefix, o->name);
    if (o->flags & (LEAT_OPT_UNSUPPORTED | LEAT_OPT_SENSELESS)) {
        if (given)
            thost_diag(node, LEAT_DIAG_ERROR, "LEAT-C0001", o->name, "option \"%s\" is refused: %s", o->name, o->doc);
        return !given;
    }
    if (o->type == LEAT_OPT_MAP) {
        store_map(node, o, config, prefix, pairs);
        return 1;
    }
    store_unset(o, config);
    if (!given && (o->flags & LEAT_OPT_REQUIRED) && !o->only) { // conditions are told by the core only
        thost_diag(node, LEAT_DIAG_ERROR, "LEAT-C0002", o->name, "option \"%s\" is missing", o->name);
        return 0;
    }
    const char *text = given ? given : o->def;
    if (text && !store(node, o, config, text)) {
        thost_diag(node, LEAT_DIAG_ERROR, "LEAT-C0003", o->name, "option \"%s\": wrong value \"%s\"", o->name, text);
        return 0;
    }
    return 1;
}

void *testhost_config(struct testhost_node *node, const struct leat_component *c, const char *prefix,
                      const char *const *pairs)
{
    int good = 1;
    size_t len = strlen(prefix);
    void *config = thost_memory(&node->impl->memory, c->config_size ? c->config_size : 1);
    for (size_t i = 0; pairs && pairs[i]; i += 2)
        if (strncmp(pairs[i], prefix, len) == 0 && !known(c, pairs, prefix, pairs[i] + len)) {
            thost_diag(node, LEAT_DIAG_ERROR, "LEAT-C0004", pairs[i], "unknown option \"%s\"", pairs[i]);
            good = 0;
        }
    for (uint32_t i = 0; i < c->option_count; i++)
        good &= take_option(node, option_at(c, i), config, prefix, pairs);
    return good ? config : NULL;
}

struct opened {
    struct leat_format format;
    char name[64];
};

static void format_close(struct leat_ctx *ctx, struct leat_format *format)
{
    if (!format)
        return;
    format->ops->destroy(ctx, format->self);
    free(format); // the first member of struct opened
}

static leat_status open_format(struct testhost_node *node, const char *name, const char *prefix,
                               const char *const *pairs, struct leat_format_request *rq, struct leat_format **out)
{
    char plugin[128];
    snprintf(plugin, sizeof plugin, "format-%s", name);
    const struct leat_plugin *p = testhost_load(node->host, plugin);
    const struct leat_component *c = p ? testhost_plugin_component(p, LEAT_FORMAT, name) : NULL;
    if (!c)
        return leat_fail(&node->ctx, LEAT_CONFIG, "LEAT-T0002", "there is no format \"%s\"", name);
    rq->config = testhost_config(node, c, prefix, pairs);
    if (!rq->config || (c->check && c->check(&node->ctx, rq->config) != LEAT_OK))
        return leat_fail(&node->ctx, LEAT_CONFIG, "LEAT-T0003", "the options of format \"%s\" are wrong", name);
    struct opened *f = calloc(1, sizeof *f);
    if (!f)
        abort();
    snprintf(f->name, sizeof f->name, "%s", name);
    f->format =
        (struct leat_format){.ops = c->format, .name = f->name, .mode = LEAT_MODE_INSERT_ONLY, .close = format_close};
    leat_status st = c->format->check ? c->format->check(&node->ctx, rq, &f->format.mode) : LEAT_OK;
    if (st == LEAT_OK)
        st = c->format->create(&node->ctx, rq, &f->format.self);
    if (st != LEAT_OK) {
        free(f);
        return st;
    }
    *out = &f->format;
    return LEAT_OK;
}

leat_status thost_format_open(struct leat_ctx *ctx, const char *option, uint8_t direction,
                              const struct leat_schema *schema, const uint32_t *columns, uint32_t column_count,
                              struct leat_format **format)
{
    struct testhost_node *node = thost_node_of(ctx);
    const char *name = find_pair(node->impl->pairs, "", option);
    if (!name)
        return leat_fail(ctx, LEAT_BUG, "LEAT-T0004", "option \"%s\" is not given", option);
    char prefix[256];
    format_prefix(option, name, prefix, sizeof prefix);
    struct leat_format_request rq = {.struct_size = sizeof rq,
                                     .direction = direction,
                                     .schema = schema,
                                     .columns = columns,
                                     .column_count = column_count,
                                     .local_time_zone = node->host->local_time_zone,
                                     .is_key = strncmp(option, "key.", 4) == 0};
    return open_format(node, name, prefix, node->impl->pairs, &rq, format);
}

struct leat_format *testhost_format(struct testhost_node *node, const char *name, const char *const *pairs,
                                    uint8_t direction, const struct leat_schema *schema, const uint32_t *columns,
                                    uint32_t column_count, uint8_t is_key)
{
    char prefix[128];
    uint32_t *all = thost_memory(&node->impl->memory, schema->column_count * sizeof *all + 1);
    for (uint32_t i = 0; i < schema->column_count; i++)
        all[i] = i;
    snprintf(prefix, sizeof prefix, "%s.", name);
    struct leat_format_request rq = {.struct_size = sizeof rq,
                                     .direction = direction,
                                     .schema = schema,
                                     .columns = columns ? columns : all,
                                     .column_count = columns ? column_count : schema->column_count,
                                     .local_time_zone = node->host->local_time_zone,
                                     .is_key = is_key};
    struct leat_format *format = NULL;
    return open_format(node, name, prefix, pairs, &rq, &format) == LEAT_OK ? format : NULL;
}
