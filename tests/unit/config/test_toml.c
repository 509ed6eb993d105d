// SPDX-License-Identifier: Apache-2.0
// The TOML tree: order of the file, places in bytes, bounds, and one diagnostic for what is not TOML.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above first
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/toml.h"

struct fixture {
    struct base_arena *arena;
    struct base_diags diags;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = base_arena_create(0, 0);
    assert_true(base_diags_init(&f->diags));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    base_diags_fini(&f->diags);
    base_arena_destroy(f->arena);
    free(f);
    return 0;
}

static const struct toml_node *parse(struct fixture *f, const char *text)
{
    return toml_parse(f->arena, base_source_make(f->arena, "t.toml", text, strlen(text)), &f->diags);
}

static void print(const struct toml_node *n, struct base_str *out)
{
    if (n->key)
        base_str_addf(out, "%s@%u:%u+%u", n->key, n->key_place.line, n->key_place.column, n->key_place.len);
    if (n->kind == TOML_TABLE || n->kind == TOML_ARRAY) {
        base_str_addz(out, n->kind == TOML_TABLE ? "{" : "[");
        for (const struct toml_node *c = n->first; c; c = c->next)
            print(c, out);
        base_str_addz(out, n->kind == TOML_TABLE ? "}" : "]");
    } else {
        base_str_addf(out, "=%u:%u+%u<%s>", n->place.line, n->place.column, n->place.len, n->text);
    }
    base_str_addc(out, ' ');
}

static void test_tree(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "{} "},
        {"z = 1\na = 2\n", "{z@1:1+1=1:5+1<1> a@2:1+1=2:5+1<2> } "},
        {"a = 1_000 # x\nb = +1.5e3\nc = true", "{a@1:1+1=1:5+5<1_000> b@2:1+1=2:5+6<+1.5e3> c@3:1+1=3:5+4<true> } "},
        {"d = 2026-11-21T09:30:00Z\n", "{d@1:1+1=1:5+20<2026-11-21T09:30:00Z> } "},
        {"[t.u]\nb.c = \"x\"\n\"b.c\" = 'y'", "{t@1:2+1{u@1:4+1{b@2:1+1{c@2:3+1=2:7+3<x> } b.c@3:1+5=3:9+3<y> } } } "},
        {"[s.b]\nx=1\n[k]\n[s.a]\ny=2",
         "{s@1:2+1{b@1:4+1{x@2:1+1=2:3+1<1> } a@4:4+1{y@5:1+1=5:3+1<2> } } k@3:2+1{} } "},
        {"l = [1, 'b', [2]]", "{l@1:1+1[=1:6+1<1> =1:9+3<b> [=1:15+1<2> ] ] } "},
        {"\"\xe7\x94\xb5\" = \"\xe7\x94\xb5\" # \xe7\ny = 1", NULL}, // a comment that is not UTF-8
        {"\"\xe7\x94\xb5\" = \"\xe7\x94\xb5\"\n", "{\xe7\x94\xb5@1:1+5=1:9+5<\xe7\x94\xb5> } "},
        {"q = \"\"\"\na\nb\"\"\"\nr = 1", "{q@1:1+1=1:5+3<a\nb> r@4:1+1=4:5+1<1> } "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct base_str out;
        base_str_init(&out);
        const struct toml_node *root = parse(*state, cases[i].text);
        if (!cases[i].want) {
            assert_null(root);
            continue;
        }
        assert_non_null(root);
        print(root, &out);
        assert_string_equal(out.ptr, cases[i].want);
        base_str_fini(&out);
    }
}

static void test_syntax_errors_are_reported_once(void **state)
{
    static const struct {
        const char *text;
        uint32_t line, column;
        const char *message; // beginning
    } cases[] = {
        {"a = \n", 1, 5, "this is not TOML: key-value pair: expected value"},
        {"a = 1\na = 2\n", 2, 5, "this is not TOML: key-value pair: cannot redefine existing integer 'a'"},
        {"x = 'y\n", 1, 7, "this is not TOML: literal string:"},
        {"[a]\nlookup.cache = \"PARTIAL\"\nlookup.cache.max-rows = 1\n", 3, 8,
         "this is not TOML: key-value pair: cannot"},
        {"[a\n", 1, 3, "this is not TOML: table header:"},
        {"\xe7\x94\xb5 = 1", 1, 1, "this is not TOML:"},
        {"k = \"\xe7\x94\xb5\" x", 1, 11, "this is not TOML:"},
        {"a = \"\\q\"", 1, 7, "this is not TOML: string: unknown escape sequence"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *f = *state;
        f->diags.count = f->diags.errors = 0;
        parse(f, cases[i].text);
        assert_int_equal(f->diags.errors, 1);
        struct base_diag *d = &f->diags.items[0];
        if (strncmp(d->message, cases[i].message, strlen(cases[i].message)) != 0 || d->place.line != cases[i].line ||
            d->place.column != cases[i].column)
            fail_msg("case %zu: %u:%u %s", i, d->place.line, d->place.column, d->message);
    }
}

static void test_a_slip_hides_no_line_behind_it(void **state)
{
    static const struct {
        const char *text;
        uint32_t errors;
        const char *want; // NULL = not read
    } cases[] = {
        {"a = word, # why\nb = 1,\nc = 'x';\nd = 2", 3,
         "{a@1:1+1=1:5+6<word> b@2:1+1=2:5+1<1> c@3:1+1=3:5+3<x> d@4:1+1=4:5+1<2> } "},
        {"a: \"x\"\nb =\nc = 1", 2, "{a@1:1+1=1:4+3<x> b@2:1+1=2:4+1<> c@3:1+1=3:5+1<1> } "},
        {"[s.t\na = 1\na = 2\nb = 3", 2, "{s@1:2+1{t@1:4+1{a@2:1+1=2:5+1<1> b@4:1+1=4:5+1<3> } } } "},
        {"a = True\nb = \"\\q\"\nc = 'x\nd = 1", 3,
         "{a@1:1+1=1:5+2<> b@2:1+1=2:5+2<> c@3:1+1=3:5+2<x> d@4:1+1=4:5+1<1> } "},
        {"a = \"\"\"\nb = \\q\n\"\"\"\nc = word", 1, NULL}, // in a string that goes over lines
        {"a = [\nb = 1\nc = word", 1, NULL},
        {"a = 1 b = 2\nc = word", 1, NULL},
        // a section that stands twice: in two pieces, or two of one name
        {"[s]\nx = 1\n[s]\nc = word", 2, "{s@1:2+1{x@2:1+1=2:5+1<1> c@4:1+1=4:5+4<word> } } "},
        {"[s.a]\nx = 1\n[s.a.t]\ny = 1\n[s.a]\nx = 2\n[s.b]\n[s.a.t]\ny = 3", 1,
         "{s@1:2+1{a@1:4+1{x@2:1+1=2:5+1<1> t@3:6+1{y@4:1+1=4:5+1<1> } } a@5:4+1{x@6:1+1=6:5+1<2> "
         "t@8:6+1{y@9:1+1=9:5+1<3> } } b@7:4+1{} } } "},
        // a string that takes in the next section
        {"[o.a]\nquery = '''\nx\n\n# of b\n[sinks.b]\nc = 1", 1,
         "{o@1:2+1{a@1:4+1{query@2:1+5=2:9+3<x> } } sinks@6:2+5{b@6:8+1{c@7:1+1=7:5+1<1> } } } "},
        {"[o.a]\nt = \"\"\"x\n[sinks.b]\nquery = \"\"\"\ny\"\"\"", 1,
         "{o@1:2+1{a@1:4+1{t@2:1+1=2:5+4<x> } } sinks@3:2+5{b@3:8+1{query@4:1+5=4:9+3<y> } } } "},
        {"a = \"\"\"\nb\n", 1, "{a@1:1+1=1:5+3<b> } "},
        {"a = \"\"\"\nb = 1", 1, "{a@1:1+1=1:5+3<> b@2:1+1=2:5+1<1> } "},
        {"x = 'y' 'z'\r\nc = word", 1, NULL},
        {"a = 5s\nb = 127.0.0.1:80\nc = 1", 2, "{a@1:1+1=1:5+2<5s> b@2:1+1=2:5+12<127.0.0.1:80> c@3:1+1=3:5+1<1> } "},
        {"x = y\r\nc = 1\r\n", 1, "{x@1:1+1=1:5+1<y> c@2:1+1=2:5+1<1> } "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *f = *state;
        struct base_str out;
        base_str_init(&out);
        f->diags.count = f->diags.errors = 0;
        const struct toml_node *root = parse(f, cases[i].text);
        if (root)
            print(root, &out);
        if (f->diags.errors != cases[i].errors || !root != !cases[i].want ||
            (root && strcmp(out.ptr, cases[i].want) != 0))
            fail_msg("case %zu: %u errors, %s", i, f->diags.errors, root ? out.ptr : "nothing");
        base_str_fini(&out);
    }
}

static void test_depth_is_bounded(void **state)
{
    struct fixture *f = *state;
    static const char *const pieces[] = {"[", "a.", "{a=", "'a' . ", "x=["};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct base_str s;
        base_str_init(&s);
        base_str_addz(&s, i == 2 ? "x=" : "");
        for (int n = 0; n < 100000; n++)
            base_str_addz(&s, pieces[i]);
        f->diags.count = f->diags.errors = 0;
        assert_null(parse(f, s.ptr));
        assert_int_equal(f->diags.errors, 1);
        base_str_fini(&s);
    }
    struct base_str s; // brackets that are no nesting
    base_str_init(&s);
    base_str_addz(&s, "x = \"\"\"");
    base_str_fill(&s, '[', 1000);
    base_str_addz(
        &s, "\\\"\"\"\" # [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\ny = '....................................'");
    assert_non_null(parse(f, s.ptr));
    base_str_fini(&s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_tree),
        TEST(test_syntax_errors_are_reported_once),
        TEST(test_a_slip_hides_no_line_behind_it),
        TEST(test_depth_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
