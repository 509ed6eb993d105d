// SPDX-License-Identifier: Apache-2.0
// The rules of the interface that every call and every batch has to keep, whoever drives the component. The first breach
// is kept as a sentence in the host, for tests that ask for it (tests/contract).
#include <string.h>
#include <time.h>

#include "testhost_int.h"

#define STALL_MS 5000 // far more than any callback may take, for machines under load

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void thost_offence(struct testhost *h, const char *fmt, ...)
{
    va_list ap;
    pthread_mutex_lock(&h->impl->lock);
    if (!h->offence[0]) {
        va_start(ap, fmt);
        vsnprintf(h->offence, sizeof h->offence, fmt, ap);
        va_end(ap);
    }
    pthread_mutex_unlock(&h->impl->lock);
}

const char *testhost_class(leat_status st)
{
    static const char *const words[] = {"", "config", "transient", "data", "resource", "fatal", "bug"};
    return st < 0 && st >= LEAT_BUG ? words[-st] : st == LEAT_OK ? "ok" : st == LEAT_AGAIN ? "again" : "end";
}

// --- calls

static int is_in(const char *call, const char *const *calls)
{
    for (; *calls; calls++)
        if (strcmp(call, *calls) == 0)
            return 1;
    return 0;
}

static int is_static(const char *call)
{
    return is_in(call, (const char *const[]){"check", "describe", "inputs", "bind", NULL});
}

void thost_enter(struct testhost_node *node, const char *call)
{
    struct testhost *h = node->host;
    snprintf(h->doing, TESTHOST_DOING, "%s", call);
    node->impl->entered = now_ms();
}

static int code_is_right(const char *code)
{
    return strlen(code) == 10 && strncmp(code, "LEAT-", 5) == 0 && code[5] >= 'A' && code[5] <= 'Z' &&
           strspn(code + 6, "0123456789") == 4;
}

static void check_failure(struct testhost_node *node, const char *call, leat_status st)
{
    struct testhost *h = node->host;
    const struct testhost_error *e = &node->error;
    int told = 0;
    for (const struct testhost_diag *d = node->diags; d; d = d->next)
        told |= d->severity == LEAT_DIAG_ERROR;
    if (is_static(call) && st != LEAT_CONFIG && st != LEAT_RESOURCE)
        thost_offence(h,
                      "%s failed with class %s; before anything runs only config (and resource, out of memory) make "
                      "sense",
                      call, testhost_class(st));
    else if (!e->message[0] && !(is_static(call) && told))
        thost_offence(h, "%s failed with class %s and did not say why (leat_fail)", call, testhost_class(st));
    else if (e->message[0] && e->failure != st && !(is_static(call) && told))
        thost_offence(h, "%s returned class %s, but described a failure of class %s: \"%s\"", call, testhost_class(st),
                      testhost_class(e->failure), e->message);
    else if (e->message[0] && !code_is_right(e->code))
        thost_offence(h, "the failure \"%s\" has the code \"%s\"; a code is LEAT-, a letter and four digits",
                      e->message, e->code);
}

leat_status thost_leave(struct testhost_node *node, const char *call, leat_status st)
{
    static const char *const waiting[] = {"discover", "open", "poll",  "write", "flush",
                                          "process",  "ask",  "close", NULL};
    struct testhost *h = node->host;
    int64_t took = now_ms() - node->impl->entered;
    if (st > LEAT_END || st < LEAT_BUG)
        thost_offence(h, "%s returned %d, which is no status", call, (int)st);
    else if (st == LEAT_END && strcmp(call, "poll") != 0)
        thost_offence(h, "%s returned LEAT_END; only poll may", call);
    else if (st == LEAT_AGAIN && !is_in(call, waiting))
        thost_offence(h, "%s returned LEAT_AGAIN; it is not called again", call);
    else if (st < 0)
        check_failure(node, call, st);
    if (took > STALL_MS)
        thost_offence(h, "%s took %lld ms: it blocks the thread of everybody else; return LEAT_AGAIN and wake the node",
                      call, (long long)took);
    h->doing[0] = 0;
    return st;
}

void thost_check_home(struct testhost_node *node, const char *function)
{
    if (!pthread_equal(node->impl->home, pthread_self()))
        thost_offence(node->host, "host->%s was called on another thread than the node's own", function);
}

// --- batches

static int text_is_utf8(const uint8_t *p, size_t n)
{
    while (n) {
        size_t more = *p < 0x80                 ? 0
                      : *p >= 0xc2 && *p < 0xe0 ? 1
                      : *p >= 0xe0 && *p < 0xf0 ? 2
                      : *p >= 0xf0 && *p < 0xf5 ? 3
                                                : 9;
        if (more >= n)
            return 0;
        for (size_t i = 1; i <= more; i++)
            if ((p[i] & 0xc0) != 0x80)
                return 0;
        p += more + 1;
        n -= more + 1;
    }
    return 1;
}

static leat_i128 power_of_ten(uint32_t n)
{
    leat_i128 v = 1;
    while (n--)
        v *= 10;
    return v;
}

// What is wrong with a value, or NULL.
static const char *value_fault(const struct leat_type *type, const union leat_cell *cell)
{
    static const int bits[] = {[LEAT_TYPE_TINYINT] = 8, [LEAT_TYPE_SMALLINT] = 16, [LEAT_TYPE_INT] = 32};
    if (type->kind == LEAT_TYPE_BOOLEAN && cell->i64 != 0 && cell->i64 != 1)
        return "is neither 0 nor 1";
    if (type->kind >= LEAT_TYPE_TINYINT && type->kind <= LEAT_TYPE_INT &&
        (cell->i64 >> (bits[type->kind] - 1)) != (cell->i64 < 0 ? -1 : 0))
        return "does not fit the type";
    if (type->kind == LEAT_TYPE_DECIMAL &&
        (cell->i128 >= power_of_ten(type->precision) || cell->i128 <= -power_of_ten(type->precision)))
        return "has more digits than the type";
    if (leat_type_is_bytes(type->kind) && cell->bytes.len && !cell->bytes.ptr)
        return "has a length and no bytes";
    if (leat_type_is_string(type->kind) && !text_is_utf8(cell->bytes.ptr, cell->bytes.len))
        return "is not UTF-8";
    return NULL;
}

static int is_key(const struct leat_schema *schema, uint32_t col)
{
    for (uint32_t i = 0; i < schema->key_count; i++)
        if (schema->key[i] == col)
            return 1;
    return 0;
}

static void check_cell(struct testhost *h, const struct leat_batch *b, uint32_t row, uint32_t col)
{
    const struct leat_field *f = &b->schema->columns[col];
    uint8_t state = leat_batch_state(b, col, row);
    const char *fault = NULL;
    if (state > LEAT_UNCHANGED)
        fault = "was never set";
    else if (state == LEAT_NULL && !f->type.nullable && b->kinds[row] != LEAT_DELETE)
        fault = "is NULL, and the column is NOT NULL";
    else if (state != LEAT_VALUE && state != LEAT_NULL && is_key(b->schema, col))
        fault = "is missing, and the column is part of the key";
    else if (state == LEAT_ABSENT && b->kinds[row] != LEAT_DELETE)
        fault = "is absent, which only a deletion by key may say";
    else if (state == LEAT_VALUE)
        fault = value_fault(&f->type, leat_batch_cell(b, col, row));
    if (fault)
        thost_offence(h, "the value in column \"%.*s\" of row %u of a batch %s", (int)f->name.len,
                      (const char *)f->name.ptr, row, fault);
}

static void check_kind(struct testhost *h, const struct leat_batch *b, uint32_t row, uint8_t mode)
{
    uint8_t kind = b->kinds[row];
    static const char *const words[] = {"+I", "-U", "+U", "-D"};
    if (kind > LEAT_DELETE)
        thost_offence(h, "row %u of a batch has no kind (%u)", row, kind);
    else if ((mode == LEAT_MODE_INSERT_ONLY && kind != LEAT_INSERT) ||
             (mode == LEAT_MODE_UPSERT && kind == LEAT_UPDATE_BEFORE))
        thost_offence(h, "row %u of a batch is a %s, which the mode of its port does not have", row, words[kind]);
    else if (mode == LEAT_MODE_ALL && kind == LEAT_UPDATE_BEFORE &&
             (row + 1 == b->rows || b->kinds[row + 1] != LEAT_UPDATE_AFTER))
        thost_offence(h, "row %u of a batch is a -U without its +U right behind it", row);
}

static int same_columns(const struct leat_schema *a, const struct leat_schema *b)
{
    if (a == b)
        return 1;
    if (a->column_count != b->column_count)
        return 0;
    for (uint32_t i = 0; i < a->column_count; i++)
        if (a->columns[i].type.kind != b->columns[i].type.kind)
            return 0;
    return 1;
}

void thost_check_batch(struct testhost_node *node, uint32_t port, const struct leat_batch *b)
{
    struct testhost *h = node->host;
    const struct leat_ports *ports = node->component && node->component->op ? &node->operator_plan.ports : &node->ports;
    thost_check_home(node, "emit");
    if (is_in(h->doing, (const char *const[]){"a callback", "a posted call", NULL}))
        thost_offence(h, "a batch was emitted in %s; only poll, process, process_answer and input_end may", h->doing);
    if (!ports->count)
        return; // a part of a component, driven without describe
    if (port >= ports->count) {
        thost_offence(h, "a batch was emitted from port %u, and there are %u", port, ports->count);
        return;
    }
    struct leat_port p = leat_ports_get(ports, port);
    if (p.schema && !same_columns(p.schema, b->schema)) {
        thost_offence(h, "a batch emitted from port %u has other columns than the port", port);
        return;
    }
    for (uint32_t row = 0; row < b->rows; row++) {
        check_kind(h, b, row, p.mode);
        for (uint32_t col = 0; col < b->column_count; col++)
            check_cell(h, b, row, col);
    }
}
