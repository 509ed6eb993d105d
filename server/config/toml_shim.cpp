// SPDX-License-Identifier: Apache-2.0
// The shim over toml++. See toml_shim.h. All exceptions end here.
#include "config/toml_shim.h"

#include <cstdio>
#include <exception>
#include <string_view>
#include <toml++/toml.h>

namespace
{
struct walk {
    int (*on_item)(void *arg, const struct shim_item *item);
    void *arg;
};

shim_kind kind_of(const toml::node &node)
{
    switch (node.type()) {
    case toml::node_type::table:
        return SHIM_TABLE;
    case toml::node_type::array:
        return SHIM_ARRAY;
    case toml::node_type::string:
        return SHIM_STRING;
    case toml::node_type::integer:
        return SHIM_INT;
    case toml::node_type::floating_point:
        return SHIM_FLOAT;
    case toml::node_type::boolean:
        return SHIM_BOOL;
    default:
        return SHIM_OTHER;
    }
}

int visit(const walk &w, const toml::key *key, const toml::node &node, int depth)
{
    const toml::source_region &at = node.source();
    shim_item item{};
    item.kind = kind_of(node);
    if (key) {
        item.key = key->str().data();
        item.key_len = key->str().size();
        item.key_line = key->source().begin.line;
        item.key_column = key->source().begin.column;
        item.key_end_column = key->source().end.column;
    }
    item.line = at.begin.line;
    item.column = at.begin.column;
    item.end_line = at.end.line;
    item.end_column = at.end.column;
    if (const toml::value<std::string> *string = node.as_string()) {
        item.text = string->get().data();
        item.len = string->get().size();
    }
    int st = depth > SHIM_DEPTH_MAX ? -2 : w.on_item(w.arg, &item);
    if (st || (item.kind != SHIM_TABLE && item.kind != SHIM_ARRAY))
        return st;
    if (const toml::table *table = node.as_table()) {
        for (auto it = table->cbegin(); it != table->cend() && !st; ++it)
            st = visit(w, &it->first, it->second, depth + 1);
    } else {
        for (const toml::node &child : *node.as_array())
            if ((st = visit(w, nullptr, child, depth + 1)) != 0)
                break;
    }
    shim_item end{};
    end.kind = SHIM_END;
    return st ? st : w.on_item(w.arg, &end);
}
} // namespace

extern "C" int shim_parse(const char *text, size_t len, int (*on_item)(void *arg, const struct shim_item *item),
                          void *arg, struct shim_error *err)
{
    *err = {};
    try {
        toml::table root = toml::parse(std::string_view(text, len));
        return visit({on_item, arg}, nullptr, root, 0);
    } catch (const toml::parse_error &e) {
        err->line = e.source().begin.line;
        err->column = e.source().begin.column;
        std::snprintf(err->text, sizeof err->text, "%.*s", static_cast<int>(e.description().size()),
                      e.description().data());
    } catch (const std::exception &e) { // out of memory
        std::snprintf(err->text, sizeof err->text, "%s", e.what());
    }
    return -1;
}
