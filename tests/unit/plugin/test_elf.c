// SPDX-License-Identifier: Apache-2.0
// The look into a library before it is loaded: whatever the bytes say, it reads inside of the file only, ends, and either
// takes it or says why not. (What passes and is damaged all the same is the dynamic linker's business.)
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "plugin/elf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above, and defines a macro fail that host.h must not see
#include <cmocka.h>

#define MUTATIONS 10000

struct file {
    int fd; // in memory
    size_t len;
    uint8_t *good;
};

static int setup(void **state)
{
    struct file *f = calloc(1, sizeof *f);
    struct stat st;
    int from = open(FAKES "/good.so", O_RDONLY);
    assert_true(f && from >= 0 && fstat(from, &st) == 0);
    f->len = (size_t)st.st_size;
    f->good = malloc(f->len);
    assert_int_equal(read(from, f->good, f->len), f->len);
    close(from);
    f->fd = memfd_create("plugin", MFD_CLOEXEC);
    assert_int_equal(write(f->fd, f->good, f->len), f->len);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct file *f = *state;
    close(f->fd);
    free(f->good);
    free(f);
    return 0;
}

static void put(struct file *f, size_t at, const void *bytes, size_t len)
{
    assert_int_equal(pwrite(f->fd, bytes, len, (off_t)at), len);
}

// 1 = refused, and then with code and reason.
static int refused(struct file *f, uint64_t len)
{
    struct base_error err;
    struct leat_note note;
    base_error_clear(&err);
    leat_status st = plugin_elf_check(f->fd, len, &note, &err);
    assert_true(st == LEAT_OK || st == LEAT_CONFIG);
    assert_true(st == LEAT_OK || (strncmp(err.code, "LEAT-P0", 7) == 0 && err.message[0]));
    if (st == LEAT_OK)
        assert_non_null(memchr(note.components, 0, sizeof note.components));
    return st != LEAT_OK;
}

static void test_good(void **state)
{
    struct file *f = *state;
    assert_false(refused(f, f->len));
}

static void test_cut_anywhere(void **state)
{
    struct file *f = *state;
    for (size_t len = 0; len < f->len; len += len < 1024 ? 1 : 61)
        assert_true(refused(f, len));
}

static void test_every_byte_of_the_tables(void **state)
{
    struct file *f = *state;
    unsigned count = 0;
    for (size_t at = 0; at < sizeof(ElfW(Ehdr)) + 10 * sizeof(ElfW(Phdr)); at++) {
        for (int value = 0; value < 256; value += 51) {
            put(f, at, &(uint8_t){(uint8_t)value}, 1);
            count += (unsigned)refused(f, f->len);
        }
        put(f, at, &f->good[at], 1);
    }
    assert_true(count > 300);
}

// --- several bytes at once, where they hurt

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

struct region {
    size_t at, len;
};

// The header, both tables, and what notes and exported names occupy.
static uint32_t regions_of(const struct file *f, struct region *out, uint32_t max)
{
    ElfW(Ehdr) h;
    uint32_t n = 0;
    memcpy(&h, f->good, sizeof h);
    out[n++] = (struct region){0, sizeof h};
    out[n++] = (struct region){h.e_phoff, (size_t)h.e_phnum * sizeof(ElfW(Phdr))};
    out[n++] = (struct region){h.e_shoff, (size_t)h.e_shnum * sizeof(ElfW(Shdr))};
    for (uint32_t i = 0; i < h.e_shnum && n < max; i++) {
        ElfW(Shdr) s;
        memcpy(&s, f->good + h.e_shoff + i * sizeof s, sizeof s);
        if (s.sh_size && (s.sh_type == SHT_NOTE || s.sh_type == SHT_DYNSYM || s.sh_type == SHT_STRTAB))
            out[n++] = (struct region){s.sh_offset, s.sh_size};
    }
    return n;
}

static uint64_t value_of(uint32_t *random, size_t file_len)
{
    const uint64_t values[] = {
        0,          1,         0x7f,     0xff,         0xffff,       0x7fffffff,         0xffffffff,
        UINT64_MAX, INT64_MAX, file_len, file_len - 1, file_len + 1, next_random(random)};
    return values[next_random(random) % (sizeof values / sizeof values[0])];
}

static void test_mutations(void **state)
{
    struct file *f = *state;
    struct region regions[16];
    uint32_t count = regions_of(f, regions, 16), random = 20240229, bad = 0;
    assert_true(count >= 5);
    for (int i = 0; i < MUTATIONS; i++) {
        size_t at[4], len[4];
        uint32_t changes = 1 + next_random(&random) % 4;
        for (uint32_t k = 0; k < changes; k++) {
            const struct region *r = &regions[next_random(&random) % count];
            uint64_t value = value_of(&random, f->len);
            len[k] = (size_t)1 << next_random(&random) % 4;
            at[k] = r->at + next_random(&random) % r->len;
            if (at[k] + len[k] > f->len)
                len[k] = f->len - at[k];
            put(f, at[k], &value, len[k]);
        }
        bad += (uint32_t)refused(f, f->len);
        for (uint32_t k = 0; k < changes; k++)
            put(f, at[k], f->good + at[k], len[k]);
    }
    assert_true(bad > MUTATIONS / 10);
    assert_false(refused(f, f->len)); // everything is as it was
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_anywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_byte_of_the_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mutations, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
