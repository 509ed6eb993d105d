// SPDX-License-Identifier: Apache-2.0
// Manifests on disk: written, found again, pruned, and refused when damaged.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "folder.h"

#include "checkpoint/store.h"

#include <cmocka.h>

// --- calls that fail on demand: these stand before libc's

static int fsyncs_to_fail = -1; // this many pass, then one fails; -1 = none fails
static char synced[4096];       // paths, each with a line's end
static int no_renameat2;

int fsync(int fd)
{
    char link[64], path[512] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) > 0 && strlen(synced) + strlen(path) + 2 < sizeof synced)
        strcat(strcat(synced, path), "\n");
    if (fsyncs_to_fail >= 0 && fsyncs_to_fail-- == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    if (no_renameat2) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

static long allocations_left = -1; // of jansson; -1 = no end

static void *scarce_malloc(size_t size)
{
    if (allocations_left == 0)
        return NULL;
    allocations_left -= allocations_left > 0;
    return malloc(size);
}

struct fixture {
    char dir[64];
    struct store *store;
    struct base_error error;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    strcpy(f->dir, "/tmp/leat-store-XXXXXX");
    assert_int_equal(folder_make(f->dir), 0);
    f->store = store_open(f->dir, "pipe", &f->error);
    assert_non_null(f->store);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    folder_remove(f->dir);
    free(f);
    return 0;
}

static void again(struct fixture *f)
{
    store_close(f->store);
    f->store = store_open(f->dir, "pipe", &f->error);
    assert_non_null(f->store);
}

static void add_piece(struct store_state *s, uint8_t kind, const char *text)
{
    s->pieces = realloc(s->pieces, (s->piece_count + 1) * sizeof *s->pieces);
    struct store_piece *p = &s->pieces[s->piece_count++];
    *p = (struct store_piece){.version = 3, .kind = kind, .bytes = (uint8_t *)strdup(text), .len = strlen(text)};
}

static struct store_state *add_state(struct store_manifest *m, const char *node, uint32_t instance, uint32_t instances,
                                     const char *text)
{
    m->states = realloc(m->states, (m->state_count + 1) * sizeof *m->states);
    struct store_state *s = &m->states[m->state_count++];
    *s = (struct store_state){.node = strdup(node), .instance = instance, .instances = instances};
    add_piece(s, LEAT_STATE_FULL, text);
    return s;
}

static leat_epoch write_epoch(struct fixture *f, const char *job, struct store_manifest *m)
{
    m->epoch = store_next_epoch(f->store);
    assert_int_equal(store_write(f->store, job, m, &f->error), LEAT_OK);
    return m->epoch;
}

static void write_simple(struct fixture *f, const char *job, const char *node, const char *text)
{
    struct store_manifest m = {0};
    add_state(&m, node, 0, 1, text);
    write_epoch(f, job, &m);
    store_manifest_fini(&m);
}

static leat_status load(struct fixture *f, const char *node, struct store_manifest *m)
{
    return store_load(f->store, &node, 1, m, &f->error);
}

static void assert_text(struct fixture *f, const char *node, const char *text)
{
    struct store_manifest m;
    assert_int_equal(load(f, node, &m), LEAT_OK);
    assert_int_equal(m.state_count, text ? 1 : 0);
    if (text) {
        char all[256] = "";
        for (uint32_t i = 0; i < m.states[0].piece_count; i++)
            strncat(all, (const char *)m.states[0].pieces[i].bytes, m.states[0].pieces[i].len);
        assert_string_equal(all, text);
    }
    store_manifest_fini(&m);
}

static void states_come_back(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(store_next_epoch(f->store), 1); // no manifest was there
    assert_text(f, "a", NULL);
    struct store_manifest m = {0}, back;
    add_state(&m, "a", 0, 2, "first");
    struct store_state *shaped = add_state(&m, "a", 1, 2, "second");
    shaped->shape = UINT64_MAX - 1;
    shaped->words = strdup("key: \"a\"\ncolumns: ä");
    add_state(&m, "other", 0, 1, "");
    leat_epoch epoch = write_epoch(f, "job", &m);
    assert_int_equal(m.states[0].pieces[0].epoch, epoch);
    store_manifest_fini(&m);
    again(f);
    assert_true(store_next_epoch(f->store) > epoch); // opening found it
    static const char *const nodes[] = {"a", "other", "unknown"};
    assert_int_equal(store_load(f->store, nodes, 3, &back, &f->error), LEAT_OK);
    assert_int_equal(back.state_count, 3);
    assert_int_equal(back.states[1].instance, 1);
    assert_int_equal(back.states[1].instances, 2);
    assert_true(back.states[1].shape == UINT64_MAX - 1);
    assert_string_equal(back.states[1].words, "key: \"a\"\ncolumns: ä");
    assert_true(back.states[0].shape == 0 && !back.states[0].words);
    assert_int_equal(back.states[1].pieces[0].version, 3);
    assert_memory_equal(back.states[1].pieces[0].bytes, "second", 6);
    assert_int_equal(back.states[2].pieces[0].len, 0);
    assert_true(store_next_epoch(f->store) > epoch);
    store_manifest_fini(&back);
}

static void deltas_stay_in_the_files_where_they_were_written(void **state)
{
    struct fixture *f = *state;
    struct store_manifest m = {0};
    add_state(&m, "a", 0, 1, "full");
    write_epoch(f, "job", &m);
    struct stat st;
    off_t largest = 0;
    for (int i = 0; i < 9; i++) {
        char text[24];
        snprintf(text, sizeof text, "+%d", i);
        add_piece(&m.states[0], LEAT_STATE_DELTA, text);
        // what is on disk need not be in memory
        free(m.states[0].pieces[0].bytes);
        m.states[0].pieces[0].bytes = NULL;
        leat_epoch epoch = write_epoch(f, "job", &m);
        store_prune(f->store, "job");
        char path[256];
        snprintf(path, sizeof path, "%s/pipe/job/%016llu.ckpt", f->dir, (unsigned long long)epoch);
        assert_int_equal(stat(path, &st), 0);
        largest = st.st_size > largest ? st.st_size : largest;
    }
    assert_in_range(largest, 1, 4096);
    store_manifest_fini(&m);
    again(f);
    assert_text(f, "a", "full+0+1+2+3+4+5+6+7+8");
}

static uint32_t count_files(struct fixture *f, const char *job)
{
    uint32_t n = 0;
    for (unsigned epoch = 1; epoch < 100; epoch++) {
        char path[256];
        snprintf(path, sizeof path, "%s/pipe/%s/%016u.ckpt", f->dir, job, epoch);
        n += access(path, F_OK) == 0;
    }
    return n;
}

static void pruning_keeps_two_manifests_and_what_they_need(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 10; i++) {
        char text[24];
        snprintf(text, sizeof text, "state %d", i);
        write_simple(f, "job", "a", text);
        store_prune(f->store, "job");
        assert_in_range(count_files(f, "job"), 1, 2);
    }
    assert_text(f, "a", "state 9");
    // the manifest before is whole as well: without the newest file it counts
    char path[256];
    snprintf(path, sizeof path, "%s/pipe/job/%016u.ckpt", f->dir, 10u);
    assert_int_equal(unlink(path), 0);
    assert_text(f, "a", "state 8");
}

static void nodes_that_move_to_another_job_keep_their_newest_state(void **state)
{
    struct fixture *f = *state;
    write_simple(f, "one", "a", "old");
    write_simple(f, "two", "a", "new");
    write_simple(f, "one", "b", "b of one");
    assert_text(f, "a", "new");
    assert_text(f, "b", "b of one");
    static const char *const jobs[] = {"two"};
    char path[256];
    snprintf(path, sizeof path, "%s/pipe/not a job", f->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(store_prune_jobs(f->store, jobs, 1, &f->error), LEAT_OK);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(count_files(f, "one"), 0);
    snprintf(path, sizeof path, "%s/pipe/one", f->dir);
    assert_int_equal(access(path, F_OK), -1);
    assert_text(f, "a", "new");
    assert_text(f, "b", NULL);
}

static void note_unknown(void *arg, const char *node)
{
    strcat(arg, node);
    strcat(arg, " ");
}

static void states_that_nobody_claims_are_named(void **state)
{
    struct fixture *f = *state;
    write_simple(f, "one", "a", "1");
    write_simple(f, "two", "b", "2");
    char names[64] = "";
    static const char *const nodes[] = {"b"};
    assert_int_equal(store_unknown(f->store, nodes, 1, note_unknown, names, &f->error), LEAT_OK);
    assert_string_equal(names, "a ");
}

static void one_server_only(void **state)
{
    struct fixture *f = *state;
    assert_null(store_open(f->dir, "pipe", &f->error));
    assert_string_equal(f->error.code, "LEAT-T0004");
    assert_int_equal(f->error.failure, LEAT_CONFIG);
    struct store *other = store_open(f->dir, "other pipeline", &f->error);
    assert_non_null(other);
    store_close(other);
}

// --- damage

static size_t read_file(const char *path, uint8_t *bytes, size_t cap)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, bytes, cap);
    close(fd);
    assert_true(n > 0);
    return (size_t)n;
}

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);
    assert_int_equal(pwrite(fd, bytes, len, 0), (ssize_t)len);
    close(fd);
}

// The only file, cut at any byte, or with any byte changed, is refused: never garbage.
static void damage_is_refused_wherever_it_is(void **state)
{
    struct fixture *f = *state;
    struct store_manifest m = {0};
    add_state(&m, "a", 0, 1, "the state");
    add_piece(&m.states[0], LEAT_STATE_DELTA, " and more");
    write_epoch(f, "job", &m);
    store_manifest_fini(&m);
    char path[256];
    uint8_t bytes[4096];
    snprintf(path, sizeof path, "%s/pipe/job/%016u.ckpt", f->dir, 1u);
    size_t len = read_file(path, bytes, sizeof bytes);
    for (size_t cut = 0; cut < len; cut++) {
        write_file(path, bytes, cut);
        again(f);
        assert_int_equal(load(f, "a", &m), LEAT_FATAL);
        assert_non_null(strstr(f->error.detail, "no older checkpoint of job \"job\""));
        assert_string_equal(f->error.code, "LEAT-T0002");
        assert_int_equal(m.state_count, 0);
    }
    for (size_t at = 0; at < len; at++) {
        bytes[at] ^= 0x20;
        write_file(path, bytes, len);
        again(f);
        assert_int_equal(load(f, "a", &m), LEAT_FATAL);
        bytes[at] ^= 0x20;
    }
    write_file(path, bytes, len);
    again(f);
    assert_text(f, "a", "the state and more");
}

// Two nodes; the newest of three manifests has a delta of its own and names pieces of those before.
static size_t three_epochs(struct fixture *f, char path[256], uint8_t *bytes, size_t cap)
{
    struct store_manifest m = {0};
    add_state(&m, "a", 0, 1, "one");
    add_state(&m, "b", 0, 1, "b1");
    write_epoch(f, "job", &m);
    add_piece(&m.states[0], LEAT_STATE_DELTA, " two");
    write_epoch(f, "job", &m);
    add_piece(&m.states[0], LEAT_STATE_DELTA, " three");
    write_epoch(f, "job", &m);
    store_manifest_fini(&m);
    snprintf(path, 256, "%s/pipe/job/%016u.ckpt", f->dir, 3u);
    return read_file(path, bytes, cap);
}

static void assert_goes_back(struct fixture *f)
{
    again(f);
    assert_text(f, "a", "one two"); // all of epoch 2, also for the node whose pieces are whole
    assert_text(f, "b", "b1");
    const struct store_damaged *d = store_passed_over(f->store, 0);
    assert_non_null(d);
    assert_int_equal(d->epoch, 3);
    assert_int_equal(d->instead, 2);
    assert_string_equal(d->job, "job");
    assert_string_equal(d->why.code, "LEAT-T0002");
    assert_null(store_passed_over(f->store, 1));
}

static void damage_of_the_newest_goes_back_to_the_one_before(void **state)
{
    struct fixture *f = *state;
    char path[256];
    uint8_t bytes[4096];
    size_t len = three_epochs(f, path, bytes, sizeof bytes);
    for (size_t cut = 0; cut < len; cut++) {
        write_file(path, bytes, cut);
        assert_goes_back(f);
    }
    for (size_t at = 0; at < len; at++) {
        bytes[at] ^= 1;
        write_file(path, bytes, len);
        assert_goes_back(f);
        bytes[at] ^= 1;
    }
    write_file(path, bytes, len);
    again(f);
    assert_text(f, "a", "one two three");
    assert_null(store_passed_over(f->store, 0));
}

static void after_going_back_a_new_epoch_counts_and_pruning_waits(void **state)
{
    struct fixture *f = *state;
    char path[256];
    uint8_t bytes[4096];
    three_epochs(f, path, bytes, sizeof bytes);
    write_file(path, bytes, 0);
    again(f);
    assert_text(f, "a", "one two");
    write_simple(f, "job", "a", "four"); // not over the damaged one
    store_prune(f->store, "job");        // what 4 might have to go back to stays
    assert_text(f, "a", "four");
    snprintf(path, sizeof path, "%s/pipe/job/%016u.ckpt", f->dir, 4u);
    write_file(path, bytes, 9);
    again(f);
    assert_text(f, "a", "one two");
    assert_int_equal(store_passed_over(f->store, 0)->instead, 2); // not the one between, which is no better
    assert_int_equal(store_passed_over(f->store, 1)->instead, 2);
    write_simple(f, "job", "a", "five");
    write_simple(f, "job", "a", "six");
    store_prune(f->store, "job");
    assert_int_not_equal(access(path, F_OK), 0);
    assert_text(f, "a", "six");
}

// The piece that all manifests share lies in the oldest file: none of them can be used.
static void a_shared_piece_that_is_damaged_leaves_no_way_back(void **state)
{
    struct fixture *f = *state;
    char path[256];
    uint8_t bytes[4096];
    three_epochs(f, path, bytes, sizeof bytes);
    snprintf(path, sizeof path, "%s/pipe/job/%016u.ckpt", f->dir, 1u);
    size_t len = read_file(path, bytes, sizeof bytes);
    bytes[len - 4] ^= 4; // in "one"
    write_file(path, bytes, len);
    again(f);
    struct store_manifest m;
    assert_int_equal(load(f, "a", &m), LEAT_FATAL);
    assert_string_equal(f->error.code, "LEAT-T0002");
    assert_non_null(strstr(f->error.detail, "no older checkpoint"));
    again(f);
    unlink(path); // and so it is when the file is gone
    assert_int_equal(load(f, "a", &m), LEAT_FATAL);
    assert_non_null(strstr(f->error.message, "it is gone"));
}

// It may be whole: whoever mends the rights has lost nothing.
static void a_checkpoint_that_cannot_be_read_is_not_passed_over(void **state)
{
    struct fixture *f = *state;
    char path[256];
    uint8_t bytes[4096];
    three_epochs(f, path, bytes, sizeof bytes);
    again(f);
    unlink(path);
    mkdir(path, 0700); // opens, and cannot be read; also for root
    struct store_manifest m;
    leat_status st = load(f, "a", &m);
    rmdir(path);
    assert_int_equal(st, LEAT_TRANSIENT);
    assert_string_equal(f->error.code, "LEAT-T0001");
    assert_null(store_passed_over(f->store, 0));
}

static void what_was_being_written_does_not_count(void **state)
{
    struct fixture *f = *state;
    write_simple(f, "job", "a", "whole");
    char path[256];
    snprintf(path, sizeof path, "%s/pipe/job/writing", f->dir);
    write_file(path, (const uint8_t *)"LEATCKP1 half", 13);
    again(f);
    assert_text(f, "a", "whole");
    write_simple(f, "job", "a", "next");
    assert_text(f, "a", "next");
}

static void a_folder_that_cannot_be_written_is_an_error_and_no_loss(void **state)
{
    struct fixture *f = *state;
    write_simple(f, "job", "a", "kept");
    struct store_manifest m = {0};
    add_state(&m, "a", 0, 1, "lost");
    m.epoch = store_next_epoch(f->store);
    char path[256];
    snprintf(path, sizeof path, "%s/pipe/job/writing", f->dir);
    assert_int_equal(mkdir(path, 0700), 0); // also root cannot open a folder as a file
    assert_true(store_write(f->store, "job", &m, &f->error) < 0);
    assert_int_equal(m.states[0].pieces[0].epoch, 0);
    assert_text(f, "a", "kept");
    rmdir(path);
    assert_int_equal(store_write(f->store, "job", &m, &f->error), LEAT_OK);
    assert_text(f, "a", "lost");
    store_manifest_fini(&m);
}

// No folder is taken for empty because it could not be listed: a job would begin anew and write over its epochs.
static void a_folder_that_cannot_be_listed_is_not_empty(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++)
        write_simple(f, "job", "a", "kept");
    struct rlimit limit, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0; // EMFILE, also for root
    struct store_manifest m;
    char names[64] = "";
    static const char *const nodes[] = {"b"};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    leat_status loaded = load(f, "a", &m);
    struct base_error error = f->error;
    leat_status unknown = store_unknown(f->store, nodes, 1, note_unknown, names, &f->error);
    leat_status pruned = store_prune_jobs(f->store, nodes, 1, &f->error);
    store_prune(f->store, "job");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(loaded, LEAT_RESOURCE);
    assert_string_equal(error.code, "LEAT-T0001");
    assert_non_null(strstr(error.message, "/pipe\": "));
    assert_non_null(strstr(error.hint, "LimitNOFILE"));
    assert_int_equal(unknown, LEAT_RESOURCE);
    assert_int_equal(pruned, LEAT_RESOURCE);
    assert_int_equal(count_files(f, "job"), 3);
    assert_text(f, "a", "kept");
}

// The same for the folder of one job, at every place where it is listed.
static void a_job_that_cannot_be_listed_is_not_a_new_one(void **state)
{
    struct fixture *f = *state;
    write_simple(f, "job", "a", "kept");
    char path[256];
    snprintf(path, sizeof path, "%s/pipe/job", f->dir);
    struct rlimit limit, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    few = limit;
    int next = dup(0); // the lowest that is free: for the pipeline's folder, and none for the job's
    close(next);
    few.rlim_cur = (rlim_t)next + 1;
    struct store_manifest m;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    leat_status loaded = load(f, "a", &m);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(loaded, LEAT_RESOURCE);
    assert_non_null(strstr(f->error.message, path));
    store_close(f->store);
    few.rlim_cur = (rlim_t)next + 1; // the lock's is free again: it takes one, the folder the other
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    f->store = store_open(f->dir, "pipe", &f->error);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_null(f->store);
    assert_int_equal(f->error.failure, LEAT_RESOURCE);
    assert_non_null(strstr(f->error.message, path));
    f->store = store_open(f->dir, "pipe", &f->error);
    assert_text(f, "a", "kept");
}

static void an_epoch_is_never_written_over(void **state)
{
    struct fixture *f = *state;
    write_simple(f, "job", "a", "kept");
    struct store_manifest m = {.epoch = 1};
    add_state(&m, "a", 0, 1, "other");
    assert_true(store_write(f->store, "job", &m, &f->error) < 0);
    assert_string_equal(f->error.native_code, "EEXIST");
    assert_int_equal(m.states[0].pieces[0].epoch, 0);
    assert_text(f, "a", "kept");
    store_manifest_fini(&m);
}

static void an_epoch_is_never_written_over_without_renameat2(void **state)
{
    no_renameat2 = 1;
    an_epoch_is_never_written_over(state);
    write_simple(*state, "job", "a", "next");
    assert_text(*state, "a", "next");
    no_renameat2 = 0;
    assert_int_equal(count_files(*state, "job"), 2);
}

// Each allocation fails once: a checkpoint is written with all its pieces or not at all.
static void without_memory_no_piece_is_left_out(void **state)
{
    struct fixture *f = *state;
    write_simple(f, "job", "a", "kept");
    struct store_manifest m = {0};
    struct store_state *s = add_state(&m, "a", 0, 1, "full");
    s->shape = 7;
    add_piece(s, LEAT_STATE_DELTA, "+1");
    json_set_alloc_funcs(scarce_malloc, free);
    leat_status st = LEAT_RESOURCE;
    long n = 0;
    for (; st < 0 && n < 1000; n++) {
        m.epoch = store_next_epoch(f->store);
        allocations_left = n;
        st = store_write(f->store, "job", &m, &f->error);
        allocations_left = -1;
        if (st < 0) {
            assert_int_equal(st, LEAT_RESOURCE);
            assert_int_equal(m.states[0].pieces[0].epoch, 0);
            assert_text(f, "a", "kept");
        }
    }
    json_set_alloc_funcs(malloc, free);
    assert_in_range(n, 20, 999);
    assert_int_equal(st, LEAT_OK);
    store_manifest_fini(&m);
    assert_text(f, "a", "full+1");
    assert_int_equal(load(f, "a", &m), LEAT_OK);
    assert_true(m.states[0].shape == 7);
    store_manifest_fini(&m);
}

// Written, it could not be read again.
static void a_manifest_that_is_too_long_is_not_written(void **state)
{
    struct fixture *f = *state;
    write_simple(f, "job", "a", "kept");
    struct store_manifest m = {0};
    size_t len = (size_t)48 << 20; // six bytes each in JSON
    struct store_state *s = add_state(&m, "a", 0, 1, "lost");
    s->shape = 1;
    s->words = malloc(len + 1);
    assert_non_null(s->words);
    memset(s->words, 1, len);
    s->words[len] = 0;
    m.epoch = store_next_epoch(f->store);
    assert_int_equal(store_write(f->store, "job", &m, &f->error), LEAT_FATAL);
    assert_non_null(strstr(f->error.message, "job \"job\""));
    store_manifest_fini(&m);
    assert_text(f, "a", "kept");
}

// Each sync of a first and of a later write fails once: what failed does not count, and the next write syncs it all.
static void a_sync_that_fails_leaves_nothing_that_counts(void **state)
{
    struct fixture *f = *state;
    for (int fails = 0; fails < 3; fails++) {
        char job[16], line[256];
        struct store_manifest m = {.epoch = store_next_epoch(f->store)};
        snprintf(job, sizeof job, "job%d", fails);
        add_state(&m, job, 0, 1, "state");
        fsyncs_to_fail = fails; // of the file, of the job's folder, of the pipeline's
        assert_true(store_write(f->store, job, &m, &f->error) < 0);
        assert_int_equal(fsyncs_to_fail, -1);
        assert_string_equal(f->error.native_code, "EIO");
        assert_int_equal(count_files(f, job), 0);
        assert_text(f, job, NULL);
        synced[0] = 0;
        assert_int_equal(store_write(f->store, job, &m, &f->error), LEAT_OK);
        snprintf(line, sizeof line, "%s/pipe/%s\n%s/pipe\n", f->dir, job, f->dir);
        assert_non_null(strstr(synced, line));
        assert_text(f, job, "state");
        store_manifest_fini(&m);
    }
    synced[0] = 0;
    write_simple(f, "job1", "job1", "later");
    char line[256];
    snprintf(line, sizeof line, "%s/pipe\n", f->dir);
    assert_null(strstr(synced, line)); // it stands already
}

static void new_folders_are_synced_in_those_above(void **state)
{
    struct fixture *f = *state;
    char dir[128], lines[1024];
    snprintf(dir, sizeof dir, "%s/x/y", f->dir);
    synced[0] = 0;
    struct store *store = store_open(dir, "pipe", &f->error);
    assert_non_null(store);
    store_close(store);
    snprintf(lines, sizeof lines, "%s\n%s/x\n%s/x/y\n", f->dir, f->dir, f->dir);
    assert_string_equal(synced, lines);
    fsyncs_to_fail = 0;
    assert_null(store_open(dir, "another", &f->error));
    synced[0] = 0;
    store = store_open(dir, "another", &f->error);
    assert_non_null(store);
    store_close(store);
    assert_non_null(strstr(synced, "/x/y\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(states_come_back),
        TEST(deltas_stay_in_the_files_where_they_were_written),
        TEST(pruning_keeps_two_manifests_and_what_they_need),
        TEST(nodes_that_move_to_another_job_keep_their_newest_state),
        TEST(states_that_nobody_claims_are_named),
        TEST(one_server_only),
        TEST(damage_is_refused_wherever_it_is),
        TEST(damage_of_the_newest_goes_back_to_the_one_before),
        TEST(after_going_back_a_new_epoch_counts_and_pruning_waits),
        TEST(a_shared_piece_that_is_damaged_leaves_no_way_back),
        TEST(a_checkpoint_that_cannot_be_read_is_not_passed_over),
        TEST(what_was_being_written_does_not_count),
        TEST(a_folder_that_cannot_be_written_is_an_error_and_no_loss),
        TEST(a_folder_that_cannot_be_listed_is_not_empty),
        TEST(a_job_that_cannot_be_listed_is_not_a_new_one),
        TEST(an_epoch_is_never_written_over),
        TEST(an_epoch_is_never_written_over_without_renameat2),
        TEST(without_memory_no_piece_is_left_out),
        TEST(a_manifest_that_is_too_long_is_not_written),
        TEST(a_sync_that_fails_leaves_nothing_that_counts),
        TEST(new_folders_are_synced_in_those_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
