// SPDX-License-Identifier: Apache-2.0
// Every case with every fixture, as one group of cmocka tests.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

#include <cmocka.h>

int contract_run(const struct contract_case *cases, uint32_t case_count, const void *fixtures, uint32_t count,
                 size_t stride, const char *(*name_of)(const void *fixture))
{
    const char *only = getenv("CONTRACT_ONLY");
    int failed = 0;
    for (uint32_t f = 0; f < count; f++) {
        const void *fixture = (const char *)fixtures + f * stride;
        if (only && strcmp(only, name_of(fixture)) != 0)
            continue;
        struct CMUnitTest *tests = calloc(case_count, sizeof *tests);
        char(*names)[128] = calloc(case_count, sizeof *names);
        for (uint32_t i = 0; i < case_count; i++) {
            snprintf(names[i], sizeof names[i], "%s: %s", name_of(fixture), cases[i].name);
            tests[i] = (struct CMUnitTest){
                .name = names[i], .test_func = cases[i].run, .initial_state = (void *)(uintptr_t)fixture};
        }
        failed += _cmocka_run_group_tests(name_of(fixture), tests, case_count, NULL, NULL);
        free(tests);
        free(names);
    }
    return failed;
}
