// SPDX-License-Identifier: Apache-2.0
// Measures how rows should lie in memory: JSON text -> batch -> filter -> projection -> JSON text, and a hash
// partition, with the same code over four layouts. The answer and its reasons are in docs/design/0001-batch-layout.md.
//
//   row       a row is an array of 16-byte cells followed by its state bytes
//   column    a column is an array of 16-byte cells and an array of state bytes
//   stagger   column, but each column starts one cache line later than the one before it would have it, so that
//             columns of a large batch do not fall on the same cache sets
//   natural   column, but integers, doubles and times take 8 bytes (decimals and strings 16)
//
// Every stage is one always-inline function of the layout, so the compiler sees strides as constants and no layout
// pays for the choice. Kernels loop over one column in all layouts; passing columns through and copying rows go row by
// row in the row layout, as suits it. Memory is taken once and reused, as the server recycles its batches. A filter
// leaves a list of rows; the projection reads through it. Where all rows pass, column layouts share input columns.
// Time is the thread's CPU time for totals, and wall time less the clock's own cost for stages. One thread.
#include "rows.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define INLINE     static inline __attribute__((always_inline))
#define NOINLINE   __attribute__((noinline))
#define LINE       64u
#define PARTS      4u
#define BATCH_MAX  4096u
#define ROUNDS_MAX 101u
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))

enum layout { ROW, COLUMN, STAGGER, NATURAL, LAYOUTS };
enum stage { DECODE, FILTER, PROJECT, ENCODE, PARTITION, STAGES };

static const char *const layout_names[LAYOUTS] = {"row", "column", "stagger", "natural"};

struct batch {
    uint8_t *memory; // owned; room for BATCH_MAX rows of BENCH_COLUMNS columns
    size_t row_size; // ROW: bytes from one row to the next
    size_t state_at; // ROW: where the states of a row begin in it
    uint32_t rows;
    struct {
        uint8_t *cells, *states; // in memory of this batch or of the one it shares the column of
    } columns[BENCH_COLUMNS];
};

// One column of a batch, whatever the layout.
struct view {
    uint8_t *cells, *states;
    size_t cell_step, state_step;
};

// All that one pipeline needs.
struct run {
    const struct workload *w;
    const struct ops *ops;
    unsigned batch_rows;
    struct batch in, out, part[PARTS];
    uint32_t *kept; // rows that passed the filter
    uint32_t kept_count;
    uint32_t *part_rows[PARTS];
    uint8_t *arena, *arena_next; // bytes of computed strings
    uint8_t *json, *json_next;   // output texts, a line each
    char prefix[BENCH_COLUMNS][24];
    uint8_t prefix_len[BENCH_COLUMNS];
    int bad;
};

struct ops {
    void (*decode)(struct run *r, uint32_t first, uint32_t count);
    void (*filter)(struct run *r);
    void (*project)(struct run *r);
    void (*encode)(struct run *r);
    void (*partition)(struct run *r);
};

INLINE size_t width_of(enum layout l, uint8_t kind)
{
    return l != NATURAL || kind == LEAT_TYPE_DECIMAL || kind == LEAT_TYPE_VARCHAR ? 16 : 8;
}

INLINE struct view view_of(const struct batch *b, enum layout l, unsigned c, uint8_t kind)
{
    if (l == ROW)
        return (struct view){b->memory + c * 16, b->memory + b->state_at + c, b->row_size, b->row_size};
    return (struct view){b->columns[c].cells, b->columns[c].states, width_of(l, kind), 1};
}

#define AT(type, v, row) (*(type *)(void *)((v).cells + (size_t)(row) * (v).cell_step))
#define STATE(v, row)    ((v).states[(size_t)(row) * (v).state_step])

// Lays the batch out for `rows` rows. Columns of which `own` says 0 get no memory.
INLINE void batch_open(struct batch *b, enum layout l, unsigned count, const uint8_t *kinds, const uint8_t *own,
                       uint32_t rows)
{
    uint8_t *next = b->memory;

    b->rows = 0;
    b->state_at = (size_t)count * 16;
    b->row_size = b->state_at + ((count + 15u) & ~15u);
    if (l == ROW)
        return;
    for (unsigned c = 0; c < count; c++) {
        if (own != NULL && !own[c])
            continue;
        b->columns[c].cells = next;
        next += ((size_t)rows * width_of(l, kinds[c]) + 15) & ~(size_t)15;
        b->columns[c].states = next;
        next += ((size_t)rows + 15) & ~(size_t)15;
        if (l == STAGGER && rows >= LINE)
            next += LINE;
    }
}

INLINE void decode_value(struct cursor *at, struct view v, uint32_t row, uint8_t kind)
{
    if (take_null(at)) {
        STATE(v, row) = LEAT_NULL;
        return;
    }
    STATE(v, row) = LEAT_VALUE;
    switch (kind) {
    case LEAT_TYPE_VARCHAR:
        AT(struct leat_bytes, v, row) = take_string(at);
        break;
    case LEAT_TYPE_DECIMAL:
        AT(leat_i128, v, row) = take_number(at, 2);
        break;
    case LEAT_TYPE_TIMESTAMP:
        AT(int64_t, v, row) = take_timestamp(at);
        break;
    default:
        AT(int64_t, v, row) = take_number(at, 0);
    }
}

// The column called `name`: usually the one after the last, else searched. column_count when there is none.
static unsigned find_column(const struct workload *w, struct leat_bytes name, unsigned guess)
{
    for (unsigned i = 0; i < w->column_count; i++) {
        unsigned c = guess + i < w->column_count ? guess + i : guess + i - w->column_count;
        const char *have = w->columns[c].name;
        if (strncmp(have, (const char *)name.ptr, name.len) == 0 && have[name.len] == '\0')
            return c;
    }
    return w->column_count;
}

INLINE void decode_text(struct run *r, enum layout l, struct leat_bytes text, uint32_t row)
{
    const struct workload *w = r->w;
    struct cursor at = {text.ptr, text.ptr + text.len, 0};
    uint64_t missing = UINT64_MAX >> (64 - w->column_count);
    unsigned c = 0;

    expect(&at, '{');
    do {
        struct leat_bytes name = take_string(&at);
        expect(&at, ':');
        c = find_column(w, name, c);
        if (c == w->column_count) {
            at.bad = 1;
            break;
        }
        decode_value(&at, view_of(&r->in, l, c, w->columns[c].kind), row, w->columns[c].kind);
        missing &= ~((uint64_t)1 << c++);
    } while (!at.bad && take(&at, ','));
    expect(&at, '}');
    for (; missing != 0; missing &= missing - 1) {
        c = (unsigned)__builtin_ctzll(missing);
        STATE(view_of(&r->in, l, c, w->columns[c].kind), row) = LEAT_NULL;
    }
    r->bad |= at.bad;
}

INLINE void decode(struct run *r, enum layout l, uint32_t first, uint32_t count)
{
    uint8_t kinds[BENCH_COLUMNS];

    for (unsigned c = 0; c < r->w->column_count; c++)
        kinds[c] = r->w->columns[c].kind;
    batch_open(&r->in, l, r->w->column_count, kinds, NULL, count);
    for (uint32_t i = 0; i < count; i++)
        decode_text(r, l, r->w->rows[first + i], i);
    r->in.rows = count;
}

INLINE void filter(struct run *r, enum layout l)
{
    const struct workload *w = r->w;
    struct view id = view_of(&r->in, l, w->id, LEAT_TYPE_BIGINT);
    uint8_t kind = w->columns[w->amount].kind;
    struct view amount = view_of(&r->in, l, w->amount, kind);
    uint32_t count = 0, rows = r->in.rows;

    for (uint32_t i = 0; i < rows; i++) {
        int more = kind == LEAT_TYPE_DECIMAL ? AT(leat_i128, amount, i) > 0 : AT(int64_t, amount, i) > 0;
        r->kept[count] = i;
        count += (uint32_t)((STATE(id, i) == LEAT_VALUE) & (STATE(amount, i) == LEAT_VALUE) & more);
    }
    r->kept_count = count;
}

// Loops over the kept rows: `i` counts output rows, `s` is the input row. States: a NULL input makes a NULL output.
#define EACH(r, all, in, to)                                                                                           \
    for (uint32_t i = 0, s; i < (r)->kept_count && (s = (all) ? i : (r)->kept[i], 1); i++)                             \
        if ((STATE(to, i) = STATE(in, s)) == LEAT_VALUE)

INLINE void compute_case(struct run *r, int all, struct view in, struct view to)
{
    static const struct {
        const char *from, *to;
    } arms[] = {{"books", "MEDIA"}, {"phones", "ELECTRONICS"}, {"garden", "HOME"}};

    EACH(r, all, in, to)
    {
        struct leat_bytes have = AT(struct leat_bytes, in, s), got = {(const uint8_t *)"OTHER", 5};
        for (unsigned k = 0; k < COUNT(arms); k++) {
            size_t len = strlen(arms[k].from);
            if (have.len == len && memcmp(have.ptr, arms[k].from, len) == 0) {
                got = (struct leat_bytes){(const uint8_t *)arms[k].to, (uint32_t)strlen(arms[k].to)};
                break;
            }
        }
        AT(struct leat_bytes, to, i) = got;
    }
}

INLINE void compute_concat(struct run *r, int all, struct view a, struct view b, struct view to)
{
    EACH(r, all, a, to)
    {
        struct leat_bytes x = AT(struct leat_bytes, a, s), y = AT(struct leat_bytes, b, s);
        if (STATE(b, s) != LEAT_VALUE) {
            STATE(to, i) = LEAT_NULL;
            continue;
        }
        memcpy(r->arena_next, x.ptr, x.len);
        r->arena_next[x.len] = '-';
        memcpy(r->arena_next + x.len + 1, y.ptr, y.len);
        AT(struct leat_bytes, to, i) = (struct leat_bytes){r->arena_next, x.len + 1 + y.len};
        r->arena_next += x.len + 1 + y.len;
    }
}

INLINE void compute_date(struct run *r, int all, struct view in, struct view to)
{
    EACH(r, all, in, to)
    {
        put_date(r->arena_next, AT(int64_t, in, s) / DAY_USEC);
        AT(struct leat_bytes, to, i) = (struct leat_bytes){r->arena_next, 10};
        r->arena_next += 10;
    }
}

INLINE void compute_arithmetic(struct run *r, int all, enum op op, struct view a, struct view b, struct view to)
{
    EACH(r, all, a, to)
    {
        if (op == OP_SUBTRACT)
            AT(leat_i128, to, i) = AT(leat_i128, a, s) - AT(leat_i128, b, s);
        else
            AT(int64_t, to, i) = (int64_t)((uint64_t)AT(int64_t, a, s) + (uint64_t)AT(int64_t, b, s));
        STATE(to, i) = STATE(b, s);
    }
}

INLINE void compute(struct run *r, enum layout l, int all, const struct output_def *o, struct view to)
{
    const struct column_def *columns = r->w->columns;

    switch (o->op) {
    case OP_CASE:
        compute_case(r, all, view_of(&r->in, l, o->a, LEAT_TYPE_VARCHAR), to);
        break;
    case OP_CONCAT:
        compute_concat(r, all, view_of(&r->in, l, o->a, LEAT_TYPE_VARCHAR), view_of(&r->in, l, o->b, LEAT_TYPE_VARCHAR),
                       to);
        break;
    case OP_HOUR: {
        struct view in = view_of(&r->in, l, o->a, LEAT_TYPE_TIMESTAMP);
        EACH(r, all, in, to)
        AT(int64_t, to, i) = AT(int64_t, in, s) % DAY_USEC / 3600000000LL;
        break;
    }
    case OP_DATE_TEXT:
        compute_date(r, all, view_of(&r->in, l, o->a, LEAT_TYPE_TIMESTAMP), to);
        break;
    case OP_TIME:
        for (uint32_t i = 0; i < r->kept_count; i++) {
            AT(int64_t, to, i) = 1770000000000000;
            STATE(to, i) = LEAT_VALUE;
        }
        break;
    case OP_SUBTRACT:
        compute_arithmetic(r, all, OP_SUBTRACT, view_of(&r->in, l, o->a, LEAT_TYPE_DECIMAL),
                           view_of(&r->in, l, o->b, LEAT_TYPE_DECIMAL), to);
        break;
    default:
        compute_arithmetic(r, all, OP_ADD, view_of(&r->in, l, o->a, columns[o->a].kind),
                           view_of(&r->in, l, o->b, columns[o->b].kind), to);
    }
}

// Copies rows of one column, chosen by `from`, to the start of another.
INLINE void copy_column(struct view in, struct view to, const uint32_t *from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        memcpy(to.cells + i * to.cell_step, in.cells + from[i] * in.cell_step, to.cell_step);
        STATE(to, i) = STATE(in, from[i]);
    }
}

// Copies rows of a column, the loop made for its width.
INLINE void gather_column(enum layout l, const struct batch *in, unsigned c, struct batch *to, unsigned d, uint8_t kind,
                          const uint32_t *from, uint32_t count)
{
    if (width_of(l, kind) == 8)
        copy_column(view_of(in, NATURAL, c, LEAT_TYPE_BIGINT), view_of(to, NATURAL, d, LEAT_TYPE_BIGINT), from, count);
    else
        copy_column(view_of(in, COLUMN, c, kind), view_of(to, COLUMN, d, kind), from, count);
}

INLINE void pass_rows(struct run *r)
{
    const struct workload *w = r->w;
    unsigned from[BENCH_COLUMNS], to[BENCH_COLUMNS], count = 0;

    for (unsigned c = 0; c < w->output_count; c++)
        if (w->outputs[c].op == OP_PASS) {
            from[count] = w->outputs[c].a;
            to[count++] = c;
        }
    for (uint32_t i = 0; i < r->kept_count; i++) {
        const uint8_t *in = r->in.memory + r->kept[i] * r->in.row_size;
        uint8_t *out = r->out.memory + i * r->out.row_size;
        for (unsigned k = 0; k < count; k++) {
            memcpy(out + to[k] * 16, in + from[k] * 16, 16);
            out[r->out.state_at + to[k]] = in[r->in.state_at + from[k]];
        }
    }
}

INLINE void pass_column(struct run *r, enum layout l, int all, unsigned c)
{
    const struct output_def *o = &r->w->outputs[c];

    if (all)
        r->out.columns[c] = r->in.columns[o->a];
    else
        gather_column(l, &r->in, o->a, &r->out, c, o->kind, r->kept, r->kept_count);
}

INLINE void project(struct run *r, enum layout l)
{
    const struct workload *w = r->w;
    uint8_t kinds[BENCH_COLUMNS], own[BENCH_COLUMNS];
    int all = r->kept_count == r->in.rows;

    for (unsigned c = 0; c < w->output_count; c++) {
        kinds[c] = w->outputs[c].kind;
        own[c] = !(all && w->outputs[c].op == OP_PASS);
    }
    r->arena_next = r->arena;
    batch_open(&r->out, l, w->output_count, kinds, own, r->kept_count);
    if (l == ROW)
        pass_rows(r);
    for (unsigned c = 0; c < w->output_count; c++) {
        if (w->outputs[c].op != OP_PASS && all)
            compute(r, l, 1, &w->outputs[c], view_of(&r->out, l, c, kinds[c]));
        else if (w->outputs[c].op != OP_PASS)
            compute(r, l, 0, &w->outputs[c], view_of(&r->out, l, c, kinds[c]));
        else if (l != ROW)
            pass_column(r, l, all, c);
    }
    r->out.rows = r->kept_count;
}

INLINE uint8_t *encode_value(uint8_t *to, struct view v, uint32_t row, uint8_t kind)
{
    if (STATE(v, row) != LEAT_VALUE) {
        memcpy(to, "null", 4);
        return to + 4;
    }
    switch (kind) {
    case LEAT_TYPE_VARCHAR:
        return put_string(to, AT(struct leat_bytes, v, row));
    case LEAT_TYPE_DECIMAL:
        return put_decimal(to, AT(leat_i128, v, row));
    case LEAT_TYPE_TIMESTAMP:
        *to = '"';
        to = put_timestamp(to + 1, AT(int64_t, v, row));
        *to = '"';
        return to + 1;
    default:
        return put_number(to, AT(int64_t, v, row));
    }
}

INLINE void encode(struct run *r, enum layout l)
{
    uint8_t *to = r->json;

    for (uint32_t i = 0; i < r->out.rows; i++) {
        for (unsigned c = 0; c < r->w->output_count; c++) {
            uint8_t kind = r->w->outputs[c].kind;
            memcpy(to, r->prefix[c], sizeof r->prefix[c]);
            to = encode_value(to + r->prefix_len[c], view_of(&r->out, l, c, kind), i, kind);
        }
        *to++ = '}';
        *to++ = '\n';
    }
    r->json_next = to;
}

INLINE void partition(struct run *r, enum layout l)
{
    const struct workload *w = r->w;
    struct view key = view_of(&r->out, l, w->part, LEAT_TYPE_BIGINT);
    uint32_t count[PARTS] = {0};
    uint8_t kinds[BENCH_COLUMNS];

    for (unsigned c = 0; c < w->output_count; c++)
        kinds[c] = w->outputs[c].kind;
    for (uint32_t i = 0; i < r->out.rows; i++) {
        uint64_t p = (uint64_t)AT(int64_t, key, i) * 0x9e3779b97f4a7c15u >> 62;
        r->part_rows[p][count[p]++] = i;
    }
    for (unsigned p = 0; p < PARTS; p++) {
        const uint32_t *from = r->part_rows[p];
        struct batch *to = &r->part[p];
        if (count[p] == 0)
            continue;
        batch_open(to, l, w->output_count, kinds, NULL, count[p]);
        to->rows = count[p];
        if (l == ROW)
            for (uint32_t i = 0; i < count[p]; i++)
                memcpy(to->memory + i * to->row_size, r->out.memory + from[i] * r->out.row_size, to->row_size);
        else
            for (unsigned c = 0; c < w->output_count; c++)
                gather_column(l, &r->out, c, to, c, kinds[c], from, count[p]);
    }
}

// The stages of one layout, as functions of their own.
#define DEFINE_OPS(name, layout)                                                                                       \
    static NOINLINE void decode_##name(struct run *r, uint32_t first, uint32_t count)                                  \
    {                                                                                                                  \
        decode(r, layout, first, count);                                                                               \
    }                                                                                                                  \
    static NOINLINE void filter_##name(struct run *r)                                                                  \
    {                                                                                                                  \
        filter(r, layout);                                                                                             \
    }                                                                                                                  \
    static NOINLINE void project_##name(struct run *r)                                                                 \
    {                                                                                                                  \
        project(r, layout);                                                                                            \
    }                                                                                                                  \
    static NOINLINE void encode_##name(struct run *r)                                                                  \
    {                                                                                                                  \
        encode(r, layout);                                                                                             \
    }                                                                                                                  \
    static NOINLINE void partition_##name(struct run *r)                                                               \
    {                                                                                                                  \
        partition(r, layout);                                                                                          \
    }

DEFINE_OPS(row, ROW)
DEFINE_OPS(column, COLUMN)
DEFINE_OPS(stagger, STAGGER)
DEFINE_OPS(natural, NATURAL)

static const struct ops layout_ops[LAYOUTS] = {
    {decode_row, filter_row, project_row, encode_row, partition_row},
    {decode_column, filter_column, project_column, encode_column, partition_column},
    {decode_stagger, filter_stagger, project_stagger, encode_stagger, partition_stagger},
    {decode_natural, filter_natural, project_natural, encode_natural, partition_natural},
};

static void *memory(size_t size)
{
    void *p = aligned_alloc(4096, (size + 4095) & ~(size_t)4095);

    if (p == NULL) {
        fprintf(stderr, "no memory\n");
        exit(1);
    }
    return memset(p, 0, size); // touched now, so that no layout pays for page faults
}

static void run_init(struct run *r, unsigned layout)
{
    const size_t batch_size = (size_t)BATCH_MAX * BENCH_COLUMNS * 18;

    memset(r, 0, sizeof *r);
    r->ops = &layout_ops[layout];
    r->in.memory = memory(batch_size);
    r->out.memory = memory(batch_size);
    r->kept = memory(BATCH_MAX * sizeof *r->kept);
    r->arena = memory(BATCH_MAX * 256);
    r->json = memory((size_t)BATCH_MAX * 8192);
    for (unsigned p = 0; p < PARTS; p++) {
        r->part[p].memory = memory(batch_size);
        r->part_rows[p] = memory(BATCH_MAX * sizeof *r->part_rows[p]);
    }
}

static void run_fini(struct run *r)
{
    free(r->in.memory);
    free(r->out.memory);
    free(r->kept);
    free(r->arena);
    free(r->json);
    for (unsigned p = 0; p < PARTS; p++) {
        free(r->part[p].memory);
        free(r->part_rows[p]);
    }
}

static void run_use(struct run *r, const struct workload *w, unsigned batch_rows)
{
    r->w = w;
    r->batch_rows = batch_rows;
    for (unsigned c = 0; c < w->output_count; c++)
        r->prefix_len[c] =
            (uint8_t)snprintf(r->prefix[c], sizeof r->prefix[c], "%c\"%s\":", c ? ',' : '{', w->outputs[c].name);
}

static double now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

// All rows through decode, filter, projection and encode. Not static: callgrind counts it by name.
uint64_t run_total(struct run *r);
NOINLINE uint64_t run_total(struct run *r)
{
    uint64_t bytes = 0;

    for (uint32_t first = 0; first < r->w->row_count; first += r->batch_rows) {
        uint32_t left = r->w->row_count - first;
        r->ops->decode(r, first, left < r->batch_rows ? left : r->batch_rows);
        r->ops->filter(r);
        r->ops->project(r);
        r->ops->encode(r);
        bytes += (uint64_t)(r->json_next - r->json);
    }
    return bytes;
}

// The same with each stage timed and the output hashed; adds the nanoseconds of each stage to `spent`.
static uint64_t run_stages(struct run *r, double tick, double spent[STAGES])
{
    uint64_t hash = 14695981039346656037u;
    double at[STAGES + 1];

    for (uint32_t first = 0; first < r->w->row_count; first += r->batch_rows) {
        uint32_t left = r->w->row_count - first;
        at[DECODE] = now(CLOCK_MONOTONIC);
        r->ops->decode(r, first, left < r->batch_rows ? left : r->batch_rows);
        at[FILTER] = now(CLOCK_MONOTONIC);
        r->ops->filter(r);
        at[PROJECT] = now(CLOCK_MONOTONIC);
        r->ops->project(r);
        at[ENCODE] = now(CLOCK_MONOTONIC);
        r->ops->encode(r);
        at[PARTITION] = now(CLOCK_MONOTONIC);
        r->ops->partition(r);
        at[STAGES] = now(CLOCK_MONOTONIC);
        for (unsigned s = 0; s < STAGES; s++)
            spent[s] += at[s + 1] - at[s] - tick;
        for (const uint8_t *p = r->json; p < r->json_next; p++)
            hash = (hash ^ *p) * 1099511628211u;
    }
    return hash;
}

static double clock_tick(void)
{
    double start = now(CLOCK_MONOTONIC);

    for (int i = 0; i < 100000; i++)
        (void)now(CLOCK_MONOTONIC);
    return (now(CLOCK_MONOTONIC) - start) / 100001;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *of, unsigned count)
{
    qsort(of, count, sizeof *of, compare);
    return of[count / 2];
}

// All layouts in turn, `rounds` times after one to warm up; prints a line of the table for each.
static void measure(struct run *runs, const struct workload *w, unsigned batch_rows, unsigned rounds)
{
    static double stages[LAYOUTS][STAGES][ROUNDS_MAX], total[LAYOUTS][ROUNDS_MAX];
    const double rows = w->row_count, tick = clock_tick();
    uint64_t want = 0;

    for (unsigned round = 0; round <= rounds; round++)
        for (unsigned l = 0; l < LAYOUTS; l++) {
            struct run *r = &runs[(l + round) % LAYOUTS];
            unsigned k = (unsigned)(r - runs), slot = round > 0 ? round - 1 : 0;
            double spent[STAGES] = {0}, start;
            run_use(r, w, batch_rows);
            start = now(CLOCK_THREAD_CPUTIME_ID);
            run_total(r);
            total[k][slot] = (now(CLOCK_THREAD_CPUTIME_ID) - start) / rows;
            uint64_t hash = run_stages(r, tick, spent);
            want = want == 0 ? hash : want;
            if (hash != want || r->bad) {
                fprintf(stderr, "%s: layout \"%s\" gives other output\n", w->name, layout_names[k]);
                exit(1);
            }
            for (unsigned s = 0; s < STAGES; s++)
                stages[k][s][slot] = spent[s] / rows;
        }
    for (unsigned l = 0; l < LAYOUTS; l++) {
        printf("| %s | %u | %s |", w->name, batch_rows, layout_names[l]);
        for (unsigned s = 0; s < PARTITION; s++)
            printf(" %.1f |", median(stages[l][s], rounds));
        printf(" **%.1f** | %.1f |\n", median(total[l], rounds), median(stages[l][PARTITION], rounds));
    }
}

static void measure_all(struct run *runs, unsigned rounds)
{
    static const char *const names[] = {"orders", "orders-drop", "narrow", "wide"};
    static const unsigned sizes[] = {1, 16, 256, 512, 1024, 4096};
    struct workload w;

    printf("| workload | batch | layout | decode | filter | project | encode | total | partition |\n");
    printf("|---|---|---|---|---|---|---|---|---|\n");
    for (unsigned n = 0; n < COUNT(names); n++) {
        if (workload_init(&w, names[n]) != 0)
            exit(1);
        for (unsigned s = 0; s < COUNT(sizes); s++)
            measure(runs, &w, sizes[s], rounds);
        fprintf(stderr, "%s: %.0f bytes of JSON per row\n", w.name, (double)w.text_len / w.row_count);
        workload_fini(&w);
    }
}

// One pass of one layout, for callgrind.
static int count_one(struct run *runs, const char *name, unsigned batch_rows, const char *layout)
{
    struct workload w;
    unsigned l = 0;

    while (l < LAYOUTS && strcmp(layout_names[l], layout) != 0)
        l++;
    if (l == LAYOUTS || batch_rows == 0 || batch_rows > BATCH_MAX || workload_init(&w, name) != 0)
        return -1;
    w.row_count = 4096;
    run_use(&runs[l], &w, batch_rows);
    printf("%llu bytes\n", (unsigned long long)run_total(&runs[l]));
    workload_fini(&w);
    return 0;
}

int main(int argc, char **argv)
{
    static struct run runs[LAYOUTS];
    unsigned rounds = argc == 2 ? (unsigned)strtoul(argv[1], NULL, 10) : 9;
    int failed = 0;

    if ((argc > 2 && argc != 4) || rounds == 0 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: layout_bench [ROUNDS] | layout_bench WORKLOAD BATCH LAYOUT\n");
        return 2;
    }
    for (unsigned l = 0; l < LAYOUTS; l++)
        run_init(&runs[l], l);
    if (argc == 4)
        failed = count_one(runs, argv[1], (unsigned)strtoul(argv[2], NULL, 10), argv[3]);
    else
        measure_all(runs, rounds);
    for (unsigned l = 0; l < LAYOUTS; l++)
        run_fini(&runs[l]);
    return failed ? 2 : 0;
}
