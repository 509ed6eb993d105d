// SPDX-License-Identifier: Apache-2.0
// The registry: what plugins offer, copied into structs of this core's size. See registry.h.
#include "plugin/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "plugin/option.h"

#define LIBRARIES_MAX  256
#define COMPONENTS_MAX 256  // of one plugin
#define OPTIONS_MAX    1024 // of one component
#define CODES_MAX      1024
#define KINDS          (LEAT_LOOKUP + 1)

struct plugin_registry {
    struct base_arena *arena;
    struct plugin_library libraries[LIBRARIES_MAX];
    size_t count;
    const char *names[KINDS][LIBRARIES_MAX + 1]; // NULL-terminated
};

static const char *const kind_names[KINDS] = {"", "source", "sink", "operator", "format", "lookup"};

const char *plugin_kind_name(uint8_t kind)
{
    return kind < KINDS ? kind_names[kind] : "";
}

const char *plugin_kind_with_article(uint8_t kind)
{
    static const char *const words[KINDS] = {"", "a source", "a sink", "an operator", "a format", "a lookup"};
    return kind < KINDS ? words[kind] : "";
}

struct plugin_registry *plugin_registry_create(void)
{
    struct plugin_registry *r = calloc(1, sizeof *r);
    if (r && !(r->arena = base_arena_create(0, 0))) {
        free(r);
        return NULL;
    }
    return r;
}

void plugin_registry_destroy(struct plugin_registry *registry)
{
    if (!registry)
        return;
    base_arena_destroy(registry->arena);
    free(registry);
}

// --- copying

struct intake {
    struct plugin_registry *registry;
    struct base_error *err;
};

static leat_status __attribute__((format(printf, 3, 4)))
refuse(struct intake *in, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    base_failv(in->err, LEAT_CONFIG, code, format, args);
    va_end(args);
    return LEAT_CONFIG;
}

// The smaller of the two sizes is copied into a zeroed struct of ours: an absent tail is "not offered". NULL when
// memory is short.
static void *copy_struct(struct intake *in, const void *theirs, uint32_t their_size, size_t our_size)
{
    void *copy = base_arena_calloc(in->registry->arena, 1, our_size);
    if (copy && theirs)
        memcpy(copy, theirs, their_size < our_size ? their_size : our_size);
    return copy;
}

// An array with a stride into one of ours.
static void *copy_array(struct intake *in, const void *theirs, uint32_t count, uint32_t stride, size_t our_size)
{
    char *copy = base_arena_calloc(in->registry->arena, count ? count : 1, our_size);
    for (uint32_t i = 0; copy && i < count; i++)
        memcpy(copy + i * our_size, (const char *)theirs + (size_t)i * stride, stride < our_size ? stride : our_size);
    return copy;
}

// Which callbacks a kind cannot do without, as offsets into its ops.
struct ops_shape {
    size_t size;
    size_t required[10]; // 0 ends the list: offset 0 is struct_size
};

#define AT(type, member) offsetof(struct type, member)

static const struct ops_shape shapes[KINDS] = {
    [LEAT_SOURCE] = {sizeof(struct leat_source_ops),
                     {AT(leat_source_ops, describe), AT(leat_source_ops, create), AT(leat_source_ops, open),
                      AT(leat_source_ops, poll), AT(leat_source_ops, destroy)}},
    [LEAT_SINK] = {sizeof(struct leat_sink_ops),
                   {AT(leat_sink_ops, bind), AT(leat_sink_ops, create), AT(leat_sink_ops, write),
                    AT(leat_sink_ops, flush), AT(leat_sink_ops, destroy)}},
    [LEAT_OPERATOR] = {sizeof(struct leat_operator_ops),
                       {AT(leat_operator_ops, inputs), AT(leat_operator_ops, bind), AT(leat_operator_ops, create),
                        AT(leat_operator_ops, process), AT(leat_operator_ops, destroy)}},
    [LEAT_FORMAT] = {sizeof(struct leat_format_ops), {AT(leat_format_ops, create), AT(leat_format_ops, destroy)}},
    [LEAT_LOOKUP] = {sizeof(struct leat_lookup_ops),
                     {AT(leat_lookup_ops, describe), AT(leat_lookup_ops, create), AT(leat_lookup_ops, ask),
                      AT(leat_lookup_ops, destroy)}},
};

static const void **ops_slot(struct leat_component *c)
{
    switch (c->kind) {
    case LEAT_SOURCE:
        return (const void **)&c->source;
    case LEAT_SINK:
        return (const void **)&c->sink;
    case LEAT_OPERATOR:
        return (const void **)&c->op;
    case LEAT_FORMAT:
        return (const void **)&c->format;
    default:
        return (const void **)&c->lookup;
    }
}

static leat_status take_ops(struct intake *in, struct leat_component *c)
{
    const void **slot = ops_slot(c);
    const struct ops_shape *shape = &shapes[c->kind];
    if (!*slot)
        return refuse(in, "LEAT-P0009", "%s \"%s\" has no table of functions", plugin_kind_name(c->kind), c->name);
    uint32_t size;
    memcpy(&size, *slot, sizeof size);
    char *copy = size >= sizeof size ? copy_struct(in, *slot, size, shape->size) : NULL;
    for (const size_t *at = shape->required; copy && *at; at++) {
        void (*fn)(void);
        memcpy(&fn, copy + *at, sizeof fn);
        if (!fn)
            return refuse(in, "LEAT-P0009", "%s \"%s\" lacks a function that every %s has (number %zu of its table)",
                          plugin_kind_name(c->kind), c->name, plugin_kind_name(c->kind), *at / sizeof fn);
    }
    *slot = copy;
    return copy ? LEAT_OK
                : refuse(in, "LEAT-P0009", "%s \"%s\" has a table of functions of size %u", plugin_kind_name(c->kind),
                         c->name, size);
}

static bool name_is_right(const char *name)
{
    size_t n = name ? strlen(name) : 0;
    if (!n || n > 64 || name[0] < 'a' || name[0] > 'z')
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static leat_status take_options(struct intake *in, struct leat_component *c)
{
    char who[96];
    if (c->option_count > OPTIONS_MAX || (c->option_count && !c->options) ||
        (c->option_count && c->option_stride < offsetof(struct leat_option, min)))
        return refuse(in, "LEAT-P0010", "%s \"%s\" has an option table of %u rows of %u bytes",
                      plugin_kind_name(c->kind), c->name, c->option_count, c->option_stride);
    struct leat_option *options =
        copy_array(in, c->options, c->option_count, c->option_stride, sizeof(struct leat_option));
    if (!options)
        return base_no_memory(in->err);
    c->options = options;
    c->option_stride = sizeof *options;
    snprintf(who, sizeof who, "%s \"%s\"", plugin_kind_name(c->kind), c->name);
    for (uint32_t i = 0; c->kind == LEAT_FORMAT && i < c->option_count; i++) {
        if (options[i].type == LEAT_OPT_FORMAT) // could name itself without end
            return refuse(in, "LEAT-P0010", "%s has an option that names a format; only connectors have those", who);
    }
    return plugin_options_check_table(options, c->option_count, c->config_size, who, in->err);
}

static leat_status check_clash(struct intake *in, const struct leat_component *c, const struct leat_component *own,
                               uint32_t own_count)
{
    const struct leat_component *other = plugin_registry_find(in->registry, c->kind, c->name);
    for (uint32_t i = 0; i < own_count; i++) {
        if (own[i].kind == c->kind && strcmp(own[i].name, c->name) == 0)
            return refuse(in, "LEAT-P0011", "it offers the %s \"%s\" twice", plugin_kind_name(c->kind), c->name);
    }
    if (!other)
        return LEAT_OK;
    return refuse(in, "LEAT-P0011", "the %s \"%s\" is already there, from \"%s\"", plugin_kind_name(c->kind), c->name,
                  plugin_registry_library_of(in->registry, other)->file);
}

static leat_status take_component(struct intake *in, struct leat_component *c, uint32_t their_size)
{
    if (their_size < offsetof(struct leat_component, check))
        return refuse(in, "LEAT-P0008", "its components are structs of %u bytes, too short for any version",
                      their_size);
    if (c->kind < LEAT_SOURCE || c->kind >= KINDS)
        return refuse(in, "LEAT-P0009", "it offers a component of the unknown kind %u", c->kind);
    if (!name_is_right(c->name))
        return refuse(in, "LEAT-P0009", "it offers %s whose name is not of the form [a-z][a-z0-9-]*",
                      plugin_kind_with_article(c->kind));
    leat_status st = take_options(in, c);
    return st == LEAT_OK ? take_ops(in, c) : st;
}

static leat_status take_components(struct intake *in, const struct leat_plugin *p, struct plugin_library *lib)
{
    if (p->component_count > COMPONENTS_MAX || (p->component_count && !p->components))
        return refuse(in, "LEAT-P0008", "it says that it has %u components", p->component_count);
    struct leat_component *all =
        copy_array(in, p->components, p->component_count, p->component_stride, sizeof(struct leat_component));
    if (!all)
        return base_no_memory(in->err);
    for (uint32_t i = 0; i < p->component_count; i++) {
        // a component's own size may be less than the stride: the rest of it is not its to offer
        uint32_t size = all[i].struct_size < p->component_stride ? all[i].struct_size : p->component_stride;
        if (size < sizeof *all)
            memset((char *)&all[i] + size, 0, sizeof *all - size);
        leat_status st = take_component(in, &all[i], size);
        if (st == LEAT_OK)
            st = check_clash(in, &all[i], all, i);
        if (st != LEAT_OK)
            return st;
        all[i].struct_size = sizeof *all;
    }
    lib->components = all;
    lib->component_count = p->component_count;
    return LEAT_OK;
}

static leat_status take_head(struct intake *in, const struct leat_plugin *theirs, struct leat_plugin *p)
{
    const size_t frozen = offsetof(struct leat_plugin, name);
    if (!theirs)
        return refuse(in, "LEAT-P0012", "its entry function failed (it returned NULL)");
    if (theirs->magic != LEAT_MAGIC)
        return refuse(in, "LEAT-P0008", "what its entry function returned is no plugin (wrong magic number)");
    if (theirs->abi_major != LEAT_ABI_MAJOR || theirs->abi_minor > LEAT_ABI_MINOR)
        return refuse(in, "LEAT-P0007", "it was built for ABI %u.%u, and this leat has ABI %u.%u", theirs->abi_major,
                      theirs->abi_minor, LEAT_ABI_MAJOR, LEAT_ABI_MINOR);
    if (theirs->struct_size < frozen + 5 * sizeof(void *))
        return refuse(in, "LEAT-P0008", "its description has %u bytes, too short for any version", theirs->struct_size);
    *p = (struct leat_plugin){0};
    memcpy(p, theirs, theirs->struct_size < sizeof *p ? theirs->struct_size : sizeof *p);
    if (!p->name || !p->version)
        return refuse(in, "LEAT-P0008", "it does not say its name or its version");
    if (p->code_count > CODES_MAX || (p->code_count && (!p->codes || !p->code_stride)))
        return refuse(in, "LEAT-P0008", "it says that it has %u error codes", p->code_count);
    return LEAT_OK;
}

static void add_names(struct plugin_registry *r, const struct plugin_library *lib)
{
    for (uint32_t i = 0; i < lib->component_count; i++) {
        const char **names = r->names[lib->components[i].kind];
        size_t n = 0;
        while (n < LIBRARIES_MAX && names[n])
            n++;
        if (n < LIBRARIES_MAX) // beyond that only the help with typing errors suffers
            names[n] = lib->components[i].name;
    }
}

leat_status plugin_registry_add(struct plugin_registry *registry, const char *file, const struct leat_plugin *plugin,
                                struct base_error *err)
{
    struct intake in = {registry, err};
    struct leat_plugin p = {0};
    if (registry->count == LIBRARIES_MAX)
        return refuse(&in, "LEAT-P0013", "there are more than %d plugins", LIBRARIES_MAX);
    leat_status st = take_head(&in, plugin, &p);
    struct plugin_library lib = {.name = p.name, .version = p.version, .vcs_id = p.vcs_id ? p.vcs_id : ""};
    if (st == LEAT_OK)
        st = take_components(&in, &p, &lib);
    if (st != LEAT_OK)
        return st;
    lib.file = base_arena_strdup(registry->arena, file);
    lib.codes = copy_array(&in, p.codes, p.code_count, p.code_stride, sizeof(struct leat_code));
    lib.code_count = p.code_count;
    if (!lib.file || !lib.codes)
        return base_no_memory(err);
    registry->libraries[registry->count++] = lib;
    add_names(registry, &lib);
    return LEAT_OK;
}

// --- asking

const struct leat_component *plugin_registry_find(const struct plugin_registry *registry, uint8_t kind,
                                                  const char *name)
{
    for (size_t i = 0; i < registry->count; i++) {
        const struct plugin_library *lib = &registry->libraries[i];
        for (uint32_t j = 0; j < lib->component_count; j++) {
            if (lib->components[j].kind == kind && strcmp(lib->components[j].name, name) == 0)
                return &lib->components[j];
        }
    }
    return NULL;
}

const struct plugin_library *plugin_registry_library_of(const struct plugin_registry *registry,
                                                        const struct leat_component *component)
{
    for (size_t i = 0; i < registry->count; i++) {
        const struct plugin_library *lib = &registry->libraries[i];
        if (component >= lib->components && component < lib->components + lib->component_count)
            return lib;
    }
    return NULL;
}

const char *const *plugin_registry_names(const struct plugin_registry *registry, uint8_t kind)
{
    return registry->names[kind < KINDS ? kind : 0];
}

size_t plugin_registry_count(const struct plugin_registry *registry)
{
    return registry->count;
}

const struct plugin_library *plugin_registry_at(const struct plugin_registry *registry, size_t i)
{
    return i < registry->count ? &registry->libraries[i] : NULL;
}
