// SPDX-License-Identifier: Apache-2.0
// What comes through the door: one good plugin, and files that are refused with reason and cure while the good one
// stays.
//
// Fakes are built by tests/plugins; the rest are the good one's bytes, changed.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/str.h"
#include "plugin/check.h"
#include "plugin/loader.h"
#include "plugin/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above, and defines a macro fail that host.h must not see
#include <cmocka.h>

struct fixture {
    char dir[64];
    char *good; // bytes of the good plugin
    size_t len;
    struct plugin_registry *registry;
    struct base_error last;
    int refused;
};

static char *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("no %s", path);
    fseek(file, 0, SEEK_END);
    *len = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*len);
    assert_int_equal(fread(bytes, 1, *len, file), *len);
    fclose(file);
    return bytes;
}

static const char *path_of(struct fixture *f, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    return path;
}

static void write_file(struct fixture *f, const char *name, const void *bytes, size_t len)
{
    FILE *file = fopen(path_of(f, name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
    chmod(path_of(f, name), 0644);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    strcpy(f->dir, "/tmp/leat-loader-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->good = read_file(FAKES "/good.so", &f->len);
    f->registry = plugin_registry_create();
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", f->dir);
    assert_int_equal(system(command), 0);
    plugin_registry_destroy(f->registry);
    free(f->good);
    free(f);
    return 0;
}

// Loads the file of the folder; what is wrong is in f->last.
static leat_status load(struct fixture *f, const char *name)
{
    base_error_clear(&f->last);
    return plugin_load_file(f->registry, path_of(f, name), plugin_check_host(), &f->last);
}

static void expect(struct fixture *f, const char *name, const char *code, const char *part)
{
    leat_status st = load(f, name);
    if (st != LEAT_CONFIG || strcmp(f->last.code, code) != 0 || !strstr(f->last.message, part) ||
        !strstr(f->last.message, name) || !f->last.hint[0])
        fail_msg("\"%s\" gave %s %s, wanted %s …%s…", name, f->last.code, f->last.message, code, part);
    assert_int_equal(plugin_registry_count(f->registry), 1);
}

static void test_fakes(void **state)
{
    static const struct {
        const char *fake, *code, *part;
    } cases[] = {
        {"clash", "LEAT-P0011", "the source \"fake\" is already there, from"},
        {"wrong_major", "LEAT-P0007", "built for ABI 9."},
        {"wrong_minor", "LEAT-P0007", ".99, and this leat has ABI"},
        {"lying_note", "LEAT-P0007", "and this leat has ABI"},
        {"no_note", "LEAT-P0014", "it has no note"},
        {"no_entry", "LEAT-P0016", "it has no function \"leat_plugin_entry\""},
        {"entry_fails", "LEAT-P0012", "its entry function failed"},
        {"wrong_magic", "LEAT-P0008", "wrong magic number"},
        {"short_plugin", "LEAT-P0008", "its description has 16 bytes"},
        {"no_name", "LEAT-P0008", "does not say its name"},
        {"short_component", "LEAT-P0008", "its components are structs of 8 bytes"},
        {"bad_kind", "LEAT-P0009", "unknown kind 99"},
        {"bad_name", "LEAT-P0009", "a source whose name is not of the form"},
        {"no_ops", "LEAT-P0009", "source \"other\" has no table of functions"},
        {"short_ops", "LEAT-P0009", "has a table of functions of size 2"},
        {"missing_function", "LEAT-P0009", "source \"other\" lacks a function that every source has"},
        {"twice", "LEAT-P0011", "it offers the source \"other\" twice"},
        {"bad_default", "LEAT-P0010", "option 0 \"rate\" of source \"other\" has a default that is not a value"},
        {"bad_offset", "LEAT-P0010", "\"path\" of source \"other\" lies outside of the configuration struct"},
        {"bad_type", "LEAT-P0010", "has an unknown type"},
        {"no_doc", "LEAT-P0010", "has no documentation"},
        {"same_option", "LEAT-P0010", "stands in the table twice"},
        {"required_default", "LEAT-P0010", "is required and has a default"},
        {"bad_words", "LEAT-P0010", "\"mode\" of source \"other\" has no words"},
        {"missing_symbol", "LEAT-P0015", "undefined symbol: leat_nowhere"},
        {"missing_library", "LEAT-P0015", "libleat_nowhere.so"},
    };
    struct fixture *f = *state;
    write_file(f, "good.so", f->good, f->len);
    assert_int_equal(load(f, "good.so"), LEAT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char from[256], name[64];
        size_t len;
        snprintf(from, sizeof from, FAKES "/%s.so", cases[i].fake);
        snprintf(name, sizeof name, "%s.so", cases[i].fake);
        char *bytes = read_file(from, &len);
        write_file(f, name, bytes, len);
        free(bytes);
        expect(f, name, cases[i].code, cases[i].part);
    }
}

// The good plugin with bytes changed at an offset.
static void write_patched(struct fixture *f, const char *name, size_t at, unsigned char value)
{
    char *bytes = malloc(f->len);
    memcpy(bytes, f->good, f->len);
    bytes[at] = (char)value;
    write_file(f, name, bytes, f->len);
    free(bytes);
}

static void test_damaged_files(void **state)
{
    struct fixture *f = *state;
    write_file(f, "good.so", f->good, f->len);
    assert_int_equal(load(f, "good.so"), LEAT_OK);
    write_file(f, "empty.so", "", 0);
    expect(f, "empty.so", "LEAT-P0005", "it is empty");
    write_file(f, "text.so", "#!/bin/sh\necho hello\n", 21);
    expect(f, "text.so", "LEAT-P0005", "not an ELF file");
    for (int tenth = 0; tenth < 10; tenth++) {
        char name[32];
        size_t len = f->len * (size_t)tenth / 10 + (tenth == 0 ? 20 : 0);
        snprintf(name, sizeof name, "cut%d.so", tenth);
        write_file(f, name, f->good, len);
        expect(f, name, "LEAT-P0006", "truncated or damaged");
    }
    write_file(f, "cut.so", f->good, f->len - 1);
    expect(f, "cut.so", "LEAT-P0006", "its table of sections is cut off");
    write_patched(f, "bits32.so", 4, 1);
    expect(f, "bits32.so", "LEAT-P0005", "it is a 32-bit library");
    write_patched(f, "endian.so", 5, 2);
    expect(f, "endian.so", "LEAT-P0005", "another byte order");
    write_patched(f, "object.so", 16, 1);
    expect(f, "object.so", "LEAT-P0005", "an object file");
    write_patched(f, "program.so", 16, 2);
    expect(f, "program.so", "LEAT-P0005", "a program");
    write_patched(f, "machine.so", 18, 8);
    expect(f, "machine.so", "LEAT-P0005", "built for another machine (ELF number 8");
    write_patched(f, "phnum.so", 56, 200);
    expect(f, "phnum.so", "LEAT-P0006", "table of segments");
    write_patched(f, "phoff.so", 37, 0xff);
    expect(f, "phoff.so", "LEAT-P0006", "damaged");
}

static void test_files_that_are_none(void **state)
{
    struct fixture *f = *state;
    write_file(f, "good.so", f->good, f->len);
    assert_int_equal(load(f, "good.so"), LEAT_OK);
    static const struct {
        const char *name, *part;
    } names[] = {{".hidden.so", "it is hidden"},
                 {"good.so~", "back-up"},
                 {"good.so.1", "numbered copy"},
                 {"README", "does not end in \".so\""},
                 {".so", "it is hidden"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        write_file(f, names[i].name, f->good, f->len);
        expect(f, names[i].name, "LEAT-P0003", names[i].part);
    }
    assert_int_equal(mkdir(path_of(f, "folder.so"), 0755), 0);
    expect(f, "folder.so", "LEAT-P0002", "it is a folder");
    assert_int_equal(symlink("/nowhere/at/all", path_of(f, "dangling.so")), 0);
    expect(f, "dangling.so", "LEAT-P0002", "a link that leads nowhere");
    assert_int_equal(mkfifo(path_of(f, "pipe.so"), 0644), 0);
    expect(f, "pipe.so", "LEAT-P0002", "a device, pipe or socket");
    expect(f, "absent.so", "LEAT-P0001", "could not open it");
    write_file(f, "open.so", f->good, f->len);
    chmod(path_of(f, "open.so"), 0646);
    expect(f, "open.so", "LEAT-P0004", "anybody may write to this file");
    if (geteuid() == 0) { // only root can give a file away
        write_file(f, "stranger.so", f->good, f->len);
        assert_int_equal(chown(path_of(f, "stranger.so"), 4711, 4711), 0);
        expect(f, "stranger.so", "LEAT-P0004", "it belongs to user 4711");
    }
}

static void test_older_plugin(void **state)
{
    struct fixture *f = *state;
    size_t len;
    char *bytes = read_file(FAKES "/old.so", &len);
    write_file(f, "old.so", bytes, len);
    free(bytes);
    assert_int_equal(load(f, "old.so"), LEAT_OK);
    const struct leat_component *c = plugin_registry_find(f->registry, LEAT_SOURCE, "other");
    assert_non_null(c);
    assert_int_equal(c->struct_size, sizeof *c);
    assert_non_null(c->source->poll);
    assert_null(c->source->use_ports);
    assert_null(c->sink);
    assert_null(plugin_registry_find(f->registry, LEAT_SINK, "other"));
    assert_string_equal(plugin_registry_library_of(f->registry, c)->version, "1.2.3");
    assert_string_equal(plugin_registry_names(f->registry, LEAT_SOURCE)[0], "other");
    assert_null(plugin_registry_names(f->registry, LEAT_SOURCE)[1]);
}

static void on_refused(void *arg, const char *file, const struct base_error *err)
{
    struct fixture *f = arg;
    f->refused++;
    assert_non_null(strstr(err->message, file));
}

static void test_folder(void **state)
{
    struct fixture *f = *state;
    struct base_error err;
    size_t len;
    char *bytes = read_file(FAKES "/old.so", &len);
    write_file(f, "a-good.so", f->good, f->len);
    write_file(f, "b.txt", "x", 1);
    write_file(f, "c.so", "", 0);
    write_file(f, "d-other.so", bytes, len);
    free(bytes);
    assert_int_equal(plugin_load_folder(f->registry, f->dir, plugin_check_host(), on_refused, f, &err), LEAT_OK);
    assert_int_equal(f->refused, 2);
    assert_int_equal(plugin_registry_count(f->registry), 2); // two libraries, not one twice
    assert_non_null(plugin_registry_find(f->registry, LEAT_SOURCE, "fake"));
    assert_non_null(plugin_registry_find(f->registry, LEAT_SOURCE, "other"));
    chmod(f->dir, 0777);
    assert_int_equal(plugin_load_folder(f->registry, f->dir, plugin_check_host(), on_refused, f, &err), LEAT_CONFIG);
    assert_non_null(strstr(err.message, "anybody may write"));
    assert_int_equal(plugin_load_folder(f->registry, "/nowhere", plugin_check_host(), on_refused, f, &err),
                     LEAT_CONFIG);
    assert_string_equal(err.code, "LEAT-P0001");
    assert_int_equal(plugin_load_folder(f->registry, "LICENSE", plugin_check_host(), on_refused, f, &err), LEAT_CONFIG);
}

// The test itself is in build/tests, where there is no lib: the folder beside it is named all the same.
static void test_where(void **state)
{
    char out[4200];
    plugin_folder(out, sizeof out);
    assert_string_equal(strrchr(out, '/'), "/lib");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_fakes),        TEST(test_damaged_files), TEST(test_files_that_are_none),
        TEST(test_older_plugin), TEST(test_folder),        cmocka_unit_test(test_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
