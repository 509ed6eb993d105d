// SPDX-License-Identifier: Apache-2.0
// Components that break the contract, one way for each BAD_… macro, so that the suites are seen to notice and to say it.
// Without any they keep it. tests/contract/bad compiles them and knows the sentences.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <leat/plugin.h>

struct config {
    int64_t rows;
    const char *path;
    const char *input;
};

static const struct leat_option options[] = {
    {
        .name = "rows",
        .type = LEAT_OPT_INT,
        .def = "3000",
        .offset = offsetof(struct config, rows),
#if BAD_DOC
        .doc = "rows",
#else
        .doc = "How many.",
#endif
    },
    {.name = "path", .type = LEAT_OPT_STRING, .offset = offsetof(struct config, path), .doc = "The target."},
    {.name = "input", .type = LEAT_OPT_STRING, .offset = offsetof(struct config, input), .doc = "The input."},
};

// --- a source that counts

struct source {
    const struct config *config;
    int64_t next;
    struct leat_event *timer;
    void *memory;
};

static const struct leat_field fields[] = {{{(const uint8_t *)"n", 1}, {.kind = LEAT_TYPE_BIGINT}},
                                           {{(const uint8_t *)"m", 1}, {.kind = LEAT_TYPE_INT}}};
static const struct leat_schema schema = {.struct_size = sizeof schema, .column_count = 2, .columns = fields};
static const struct leat_port port = {.schema = &schema, .mode = LEAT_MODE_INSERT_ONLY};

static leat_status describe(struct leat_ctx *ctx, const struct leat_source_request *rq, struct leat_source_plan *plan)
{
#if BAD_NETWORK
    return leat_fail(ctx, LEAT_TRANSIENT, "LEAT-X0001", "could not reach the server");
#endif
    plan->ports = (struct leat_ports){.count = 1, .items = &port, .stride = sizeof port};
    plan->bounded = 1;
    return LEAT_OK;
}

static leat_status create_source(struct leat_ctx *ctx, const struct leat_source_request *rq, void **self)
{
    struct source *s = calloc(1, sizeof *s);
    if (!s)
        return leat_no_memory(ctx);
    s->config = rq->config;
#if BAD_LEAK
    s->memory = ctx->host->alloc(ctx, 100);
#elif BAD_MALLOC
    s->memory = malloc(100);
#endif
    *self = s;
    return LEAT_OK;
}

static leat_status load_source(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct source *s = self;
#if !BAD_TRUST && !BAD_OVERREAD
    if (in->version != 1 || in->len != sizeof s->next)
        return leat_fail(ctx, LEAT_FATAL, "LEAT-X0002", "the state is not mine");
#endif
#if BAD_OVERREAD
    memcpy(&s->next, in->ptr, sizeof s->next);
#else
    memcpy(&s->next, in->ptr, in->len < sizeof s->next ? in->len : sizeof s->next);
#endif
#if BAD_GAP
    s->next++;
#elif BAD_REPEAT
    s->next = 0;
#endif
    return LEAT_OK;
}

static leat_status open_source(struct leat_ctx *ctx, void *self, const struct leat_open *open_)
{
#if BAD_CRASH
    *(volatile int *)(uintptr_t)8 = 1;
#elif BAD_SILENT
    return LEAT_TRANSIENT;
#elif BAD_CLASS
    leat_fail(ctx, LEAT_TRANSIENT, "LEAT-X0001", "could not reach the server");
    return LEAT_CONFIG;
#elif BAD_CODE
    return leat_fail(ctx, LEAT_TRANSIENT, "E42", "could not reach the server");
#elif BAD_NO_WAKE
    return LEAT_AGAIN;
#elif BAD_EXIT
    exit(3);
#elif BAD_DESCRIPTOR
    if (open("/dev/null", O_RDONLY) < 0)
        return leat_no_memory(ctx);
#endif
    return LEAT_OK;
}

static leat_status give(struct leat_ctx *ctx, struct source *s, uint32_t want)
{
#if BAD_COLUMNS
    static const struct leat_schema one_column = {
        .struct_size = sizeof one_column, .column_count = 1, .columns = fields};
    struct leat_batch *b = leat_batch_new(ctx, &one_column, 500);
    if (b)
        return ctx->host->emit(ctx, 0, b);
#else
    struct leat_batch *b = leat_batch_new(ctx, &schema, 500);
#endif
    if (!b)
        return leat_no_memory(ctx);
    for (; b->rows < want && s->next < s->config->rows; s->next++) {
#if BAD_KIND
        uint32_t row = leat_batch_add(b, s->next == 7 ? LEAT_DELETE : LEAT_INSERT);
#else
        uint32_t row = leat_batch_add(b, LEAT_INSERT);
#endif
        leat_batch_set_i64(b, 0, row, s->next);
#if BAD_NULL
        leat_batch_set_null(b, 1, row);
#elif BAD_RANGE
        leat_batch_set_i64(b, 1, row, (int64_t)1 << 40);
#elif !BAD_UNSET
        leat_batch_set_i64(b, 1, row, 1);
#endif
    }
#if BAD_BATCH
    ctx->host->batch_ref(b);
#endif
#if BAD_PORT
    return ctx->host->emit(ctx, 1, b);
#else
    return ctx->host->emit(ctx, 0, b);
#endif
}

#if BAD_THREAD
static leat_status on_nothing(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    return LEAT_OK;
}

static void *wait_there(void *arg)
{
    struct leat_ctx *ctx = arg;
    return ctx->host->timer(ctx, 1000, on_nothing, NULL);
}
#endif

#if BAD_PUSH
static leat_status on_timer(struct leat_ctx *ctx, void *arg, uint32_t ready)
{
    struct source *s = arg;
    if (s->next < s->config->rows)
        (void)give(ctx, s, 1);
    return ctx->host->timer_again(s->timer, 1000);
}
#endif

static leat_status poll_source(struct leat_ctx *ctx, void *self)
{
    struct source *s = self;
#if BAD_BLOCK
    sleep(6);
#elif BAD_HANG
    for (volatile int i = 0; i == i;)
        ;
#elif BAD_STATUS
    return 17;
#elif BAD_SHORT
    if (s->next >= 1000)
        return LEAT_END;
#elif BAD_THREAD
    pthread_t thread;
    if (pthread_create(&thread, NULL, wait_there, ctx) == 0)
        pthread_join(thread, NULL);
#elif BAD_PUSH
    if (!s->timer)
        s->timer = ctx->host->timer(ctx, 1000, on_timer, s);
#endif
    return s->next >= s->config->rows ? LEAT_END : give(ctx, s, 500);
}

static leat_status save_source(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct source *s = self;
    out->version = 1;
    out->kind = LEAT_STATE_FULL;
    leat_status st = ctx->host->state_write(ctx, out, &s->next, sizeof s->next);
#if BAD_BARRIER
    s->next++;
#endif
    return st;
}

#if BAD_STOP
static leat_status close_source(struct leat_ctx *ctx, void *self)
{
    return LEAT_AGAIN;
}
#endif

static void destroy_source(struct leat_ctx *ctx, void *self)
{
    struct source *s = self;
    if (s)
        ctx->host->event_close(s->timer);
    free(s);
}

static const struct leat_source_ops source_ops = {
    .struct_size = sizeof source_ops,
    .describe = describe,
    .create = create_source,
    .load_state = load_source,
    .open = open_source,
    .poll = poll_source,
    .save_state = save_source,
#if BAD_STOP
    .close = close_source,
#endif
    .destroy = destroy_source,
};

// --- a sink that appends lines "id|value"

struct sink {
    const struct config *config;
    FILE *file;
};

static leat_status bind_sink(struct leat_ctx *ctx, const struct leat_sink_request *rq, struct leat_sink_plan *plan,
                             void **bound)
{
#if BAD_SCHEMA
    if (rq->schema->column_count < 2) // NULL while it is not known
        return leat_fail(ctx, LEAT_CONFIG, "LEAT-X0003", "too few columns");
#endif
    plan->mode = LEAT_MODE_INSERT_ONLY;
    *bound = (void *)(uintptr_t)rq->config;
    return LEAT_OK;
}

static leat_status create_sink(struct leat_ctx *ctx, const void *bound, void **self)
{
    struct sink *s = calloc(1, sizeof *s);
    if (!s)
        return leat_no_memory(ctx);
    s->config = bound;
    *self = s;
    return LEAT_OK;
}

static leat_status open_sink(struct leat_ctx *ctx, void *self, const struct leat_open *open_)
{
    struct sink *s = self;
    s->file = fopen(s->config->path ? s->config->path : "/dev/null", "a");
    return s->file ? LEAT_OK : leat_fail(ctx, LEAT_TRANSIENT, "LEAT-X0004", "could not open: %s", strerror(errno));
}

static leat_status write_sink(struct leat_ctx *ctx, void *self, const struct leat_batch *b)
{
    struct sink *s = self;
#if BAD_ORDER
    for (uint32_t row = b->rows; row-- > 0;) {
#else
    for (uint32_t row = 0; row < b->rows; row++) {
#endif
        const struct leat_bytes *v = &leat_batch_cell(b, 1, row)->bytes;
        fprintf(s->file, "%lld|%.*s\n", (long long)leat_batch_cell(b, 0, row)->i64, (int)v->len, (const char *)v->ptr);
    }
    return LEAT_OK;
}

static leat_status flush_sink(struct leat_ctx *ctx, void *self, uint8_t how)
{
#if !BAD_LIE
    fflush(((struct sink *)self)->file);
#endif
    return LEAT_OK;
}

static void destroy_sink(struct leat_ctx *ctx, void *self)
{
    struct sink *s = self;
    if (s && s->file)
        fclose(s->file);
    free(s);
}

static const struct leat_sink_ops sink_ops = {
    .struct_size = sizeof sink_ops,
    .bind = bind_sink,
    .create = create_sink,
    .open = open_sink,
    .write = write_sink,
    .flush = flush_sink,
    .destroy = destroy_sink,
};

// --- an operator that lets every other row pass

struct half {
    struct leat_port port;
    uint64_t seen;
};

static leat_status inputs(struct leat_ctx *ctx, const void *config, struct leat_input_names *names)
{
    static const struct leat_input_name name = {.name = {(const uint8_t *)"t", 1}, .kind = LEAT_INPUT_STREAM};
    *names = (struct leat_input_names){.count = 1, .items = &name, .stride = sizeof name};
    return LEAT_OK;
}

static leat_status bind_operator(struct leat_ctx *ctx, const struct leat_operator_request *rq,
                                 struct leat_operator_plan *plan, void **bound)
{
    struct half *o = calloc(1, sizeof *o);
    if (!o)
        return leat_no_memory(ctx);
    o->port = (struct leat_port){.schema = leat_operator_input(rq, 0)->schema, .mode = LEAT_MODE_ALL};
    plan->ports = (struct leat_ports){.count = 1, .items = &o->port, .stride = sizeof o->port};
    plan->has_state = 1;
    *bound = o;
    return LEAT_OK;
}

static leat_status create_operator(struct leat_ctx *ctx, const void *bound, void **self)
{
    *self = calloc(1, sizeof(struct half));
    return *self ? LEAT_OK : leat_no_memory(ctx);
}

static leat_status load_operator(struct leat_ctx *ctx, void *self, const struct leat_state_in *in)
{
    struct half *o = self;
    if (in->version != 1 || in->len != sizeof o->seen)
        return leat_fail(ctx, LEAT_FATAL, "LEAT-X0005", "the state is not mine");
#if !BAD_FORGET
    memcpy(&o->seen, in->ptr, sizeof o->seen);
#endif
    return LEAT_OK;
}

static leat_status process(struct leat_ctx *ctx, void *self, uint32_t input, const struct leat_batch *in)
{
    struct half *o = self;
    struct leat_batch *out = leat_batch_new(ctx, in->schema, in->rows ? in->rows : 1);
#if BAD_MEMORY
    out->flags = 0;
#endif
    if (!out || ctx->host->batch_keep(out, in) < 0) {
        leat_batch_unref(out);
        return leat_no_memory(ctx);
    }
    for (uint32_t row = 0; row < in->rows; row++) {
        if (o->seen++ % 2)
            continue;
        uint32_t to = leat_batch_add(out, in->kinds[row]);
        for (uint32_t col = 0; col < in->column_count; col++) {
            out->columns[col].cells[to] = in->columns[col].cells[row];
            out->columns[col].states[to] = in->columns[col].states[row];
        }
    }
#if BAD_TWICE
    return ctx->host->emit(ctx, 0, out); // LEAT_AGAIN: the same batch comes again
#else
    leat_status st = ctx->host->emit(ctx, 0, out);
    return st < 0 ? st : LEAT_OK;
#endif
}

static leat_status save_operator(struct leat_ctx *ctx, void *self, struct leat_state_out *out)
{
    struct half *o = self;
    out->version = 1;
    out->kind = LEAT_STATE_FULL;
    return ctx->host->state_write(ctx, out, &o->seen, sizeof o->seen);
}

static void destroy_operator(struct leat_ctx *ctx, void *self)
{
    free(self);
}

static const struct leat_operator_ops operator_ops = {
    .struct_size = sizeof operator_ops,
    .inputs = inputs,
    .bind = bind_operator,
    .unbind = free,
    .create = create_operator,
    .load_state = load_operator,
    .process = process,
    .save_state = save_operator,
    .destroy = destroy_operator,
};

// --- a format of one column: eight bytes

static leat_status create_format(struct leat_ctx *ctx, const struct leat_format_request *rq, void **self)
{
    *self = NULL;
    return LEAT_OK;
}

static void destroy_format(struct leat_ctx *ctx, void *self) {}

static leat_status encode(struct leat_ctx *ctx, void *self, const struct leat_batch *b, uint32_t first, uint32_t n,
                          struct leat_buffer *out, size_t *ends, uint32_t *done)
{
    for (*done = 0; *done < n; ++*done) {
        int64_t id = leat_batch_cell(b, 0, first + *done)->i64;
        if (!leat_buffer_room(ctx, out, sizeof id))
            return leat_fail(ctx, LEAT_DATA, "LEAT-X0006", "no room");
        memcpy(out->ptr + out->len, &id, sizeof id);
        ends[*done] = out->len += sizeof id;
    }
    return LEAT_OK;
}

static leat_status decode(struct leat_ctx *ctx, void *self, const struct leat_bytes *records, uint32_t n,
                          uint8_t lasting, struct leat_batch *b, uint8_t into_rows, uint32_t first_row,
                          uint32_t *row_counts, uint32_t *done)
{
    *done = 0;
#if BAD_STUCK
    return LEAT_OK;
#endif
    for (; *done < n && !leat_batch_is_full(b); ++*done) {
        int64_t id;
#if !BAD_BEYOND
        if (records[*done].len != sizeof id)
            return leat_fail(ctx, LEAT_DATA, "LEAT-X0007", "a record of %u bytes", records[*done].len);
#endif
        memcpy(&id, records[*done].ptr, sizeof id);
#if BAD_OTHER
        id++;
#endif
        leat_batch_set_i64(b, 0, leat_batch_add(b, LEAT_INSERT), id);
        row_counts[*done] = 1;
    }
    return LEAT_OK;
}

static const struct leat_format_ops format_ops = {
    .struct_size = sizeof format_ops,
    .create = create_format,
    .destroy = destroy_format,
    .decode = decode,
    .encode = encode,
};

// --- a lookup of numbers

static leat_status create_lookup(struct leat_ctx *ctx, const struct leat_source_request *rq, void **self)
{
    *self = (void *)rq->config;
    return LEAT_OK;
}

static leat_status ask_lookup(struct leat_ctx *ctx, void *self, const uint32_t *columns, uint32_t column_count,
                              const struct leat_batch *keys, uint64_t ticket)
{
    const struct config *config = self;
    uint32_t of[LEAT_BATCH_ROWS];
    struct leat_batch *rows = leat_batch_new(ctx, &schema, keys->rows ? keys->rows : 1);
    if (!rows)
        return leat_no_memory(ctx);
    for (uint32_t k = 0; k < keys->rows; k++) {
        int64_t key = leat_batch_cell(keys, 0, k)->i64;
#if BAD_LOSE
        if (key == 7)
            continue;
#endif
        if (key < 0 || key >= config->rows)
            continue;
        uint32_t row = leat_batch_add(rows, LEAT_INSERT);
        leat_batch_set_i64(rows, 0, row, key);
        leat_batch_set_i64(rows, 1, row, key);
        of[row] = k;
    }
#if BAD_MUTE
    if (!keys->rows)
        return leat_batch_unref(rows), LEAT_OK;
#endif
    ctx->host->lookup_answer(ctx, ticket, rows, of);
#if BAD_AGAIN
    ctx->host->lookup_answer(ctx, ticket, NULL, NULL);
#endif
    return LEAT_OK;
}

static void destroy_lookup(struct leat_ctx *ctx, void *self) {}

static const struct leat_lookup_ops lookup_ops = {
    .struct_size = sizeof lookup_ops,
    .describe = describe,
    .create = create_lookup,
    .ask = ask_lookup,
    .destroy = destroy_lookup,
};

// --- the plugin

#define COMPONENT(kind_, ops_)                                                                                         \
    .struct_size = sizeof(struct leat_component), .kind = kind_, .name = "bad", .summary = "breaks the contract",      \
    .options = options, .option_count = sizeof options / sizeof options[0], .option_stride = sizeof options[0],        \
    .config_size = sizeof(struct config), ops_

static const struct leat_component components[] = {
    {COMPONENT(LEAT_SOURCE, .source = &source_ops)}, {COMPONENT(LEAT_SINK, .sink = &sink_ops)},
    {COMPONENT(LEAT_OPERATOR, .op = &operator_ops)}, {COMPONENT(LEAT_FORMAT, .format = &format_ops)},
    {COMPONENT(LEAT_LOOKUP, .lookup = &lookup_ops)},
};

#if BAD_NOTE
LEAT_PLUGIN("bad", "1", "source:bad,sink:bad", components, NULL, 0)
#else
LEAT_PLUGIN("bad", "1", "source:bad,sink:bad,operator:bad,format:bad,lookup:bad", components, NULL, 0)
#endif
