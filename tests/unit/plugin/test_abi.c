// SPDX-License-Identifier: Apache-2.0
// Structs that grow: arrays of a plugin that knows less than this core, or more, are stepped with their stride, and what
// the plugin does not know is zero.
#include <leat/plugin.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above, and defines a macro fail that host.h must not see
#include <cmocka.h>

static void test_sizes_of_1_0(void **state)
{
    assert_int_equal(sizeof(struct leat_port), LEAT_PORT_SIZE_1_0);
    assert_int_equal(sizeof(struct leat_input), LEAT_INPUT_SIZE_1_0);
    assert_int_equal(sizeof(struct leat_input_name), LEAT_INPUT_NAME_SIZE_1_0);
    assert_int_equal(sizeof(struct leat_input_need), LEAT_INPUT_NEED_SIZE_1_0);
    // what any host reads before it believes the rest
    assert_int_equal(offsetof(struct leat_plugin, magic), 0);
    assert_int_equal(offsetof(struct leat_plugin, abi_major), 4);
    assert_int_equal(offsetof(struct leat_plugin, abi_minor), 6);
    assert_int_equal(offsetof(struct leat_plugin, struct_size), 8);
}

static void test_ports_of_a_newer_plugin(void **state)
{
    struct newer {
        struct leat_port port;
        uint64_t more;
    } items[2] = {{{.mode = LEAT_MODE_ALL}, ~0ull}, {{.mode = LEAT_MODE_UPSERT}, ~0ull}};
    struct leat_ports ports = {.count = 2, .items = &items[0].port, .stride = sizeof items[0]};
    assert_int_equal(leat_ports_get(&ports, 0).mode, LEAT_MODE_ALL);
    assert_int_equal(leat_ports_get(&ports, 1).mode, LEAT_MODE_UPSERT);
}

static void test_needs_of_an_older_plugin(void **state)
{
    struct older {
        uint8_t mode, wait_first;
    } items[2] = {{LEAT_MODE_ALL, 0}, {LEAT_MODE_UPSERT, 1}};
    struct leat_operator_plan plan = {.needs = (const struct leat_input_need *)(const void *)items,
                                      .need_stride = sizeof items[0]};
    struct leat_input_need need = leat_operator_need(&plan, 1);
    assert_int_equal(need.mode, LEAT_MODE_UPSERT);
    assert_int_equal(need.wait_first, 1);
    assert_null(need.partition);
    plan.needs = NULL;
    need = leat_operator_need(&plan, 7);
    assert_int_equal(need.mode, 0);
}

static void test_without_a_stride(void **state)
{
    struct leat_input_name names[2] = {{.option = "a"}, {.option = "b"}};
    struct leat_input inputs[2] = {{.mode = LEAT_MODE_ALL}, {.mode = LEAT_MODE_UPSERT}};
    struct leat_input_names all = {.count = 2, .items = names};
    struct leat_operator_request request = {.inputs = inputs, .input_count = 2};
    assert_string_equal(leat_input_names_get(&all, 1).option, "b");
    assert_int_equal(leat_operator_input(&request, 1)->mode, LEAT_MODE_UPSERT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_of_1_0),
        cmocka_unit_test(test_ports_of_a_newer_plugin),
        cmocka_unit_test(test_needs_of_an_older_plugin),
        cmocka_unit_test(test_without_a_stride),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
