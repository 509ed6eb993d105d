// SPDX-License-Identifier: Apache-2.0
// See mask.h.
#include "cli/mask.h"

#include <string.h>

#include "base/secret.h"
#include "base/str.h"

void mask_tail(struct base_secrets *secrets, struct base_str *text, size_t from)
{
    struct base_str masked;
    if (!secrets || text->len <= from)
        return;
    base_str_init(&masked);
    base_secrets_mask(secrets, text->ptr + from, text->len - from, &masked);
    text->len = from;
    base_str_add(text, masked.ptr, masked.len);
    base_str_fini(&masked);
}

// A secret need not be UTF-8, and where it ends within a letter half of that is left over: jansson would refuse it, and
// what is not replaced would be shown as it was.
static json_t *make_string(const struct base_str *masked)
{
    struct base_str valid;
    base_str_init(&valid);
    base_str_add_utf8(&valid, masked->ptr, masked->len);
    json_t *made = base_str_ok(&valid) && base_str_ok(masked) ? json_stringn(valid.ptr, valid.len) : NULL;
    base_str_fini(&valid);
    return made ? made : json_null();
}

static json_t *mask_string(struct base_secrets *secrets, json_t *value)
{
    struct base_str masked;
    base_str_init(&masked);
    base_secrets_mask(secrets, json_string_value(value), json_string_length(value), &masked);
    bool same = base_str_ok(&masked) && masked.len == json_string_length(value) &&
                memcmp(masked.ptr, json_string_value(value), masked.len) == 0;
    json_t *shown = same ? json_incref(value) : make_string(&masked);
    base_str_fini(&masked);
    json_decref(value);
    return shown;
}

json_t *mask_json(struct base_secrets *secrets, json_t *value)
{
    const char *name;
    json_t *member;
    size_t i;
    if (json_is_string(value))
        return mask_string(secrets, value);
    json_object_foreach(value, name, member) json_object_set_new(value, name, mask_json(secrets, json_incref(member)));
    json_array_foreach(value, i, member) json_array_set_new(value, i, mask_json(secrets, json_incref(member)));
    return value;
}
