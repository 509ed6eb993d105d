// SPDX-License-Identifier: Apache-2.0
// The parser of pgoutput.h. Every length is checked against what is left of the message (the cursor's sticky failure),
// and a message must end where its last field ends.
#include "pgoutput.h"

#include "buf.h"

// Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL's time begins.
#define PG_EPOCH 946684800000000LL

static leat_usec read_time(struct cur *c)
{
    int64_t t = (int64_t)cur_u64(c), out;
    return __builtin_add_overflow(t, PG_EPOCH, &out) ? LEAT_TIME_NONE : out;
}

static const char *read_tuple(struct cur *c, struct pgoutput_tuple *tuple)
{
    uint32_t count = cur_u16(c);
    if (count > PGOUTPUT_COLUMNS_MAX)
        return "too many columns in a tuple";
    for (uint32_t i = 0; i < count; i++) {
        struct pgoutput_value *v = &tuple->values[i];
        v->kind = cur_u8(c);
        if (v->kind == PGOUTPUT_TEXT) {
            v->len = cur_u32(c);
            v->ptr = cur_bytes(c, v->len);
        } else if (v->kind == PGOUTPUT_NULL || v->kind == PGOUTPUT_UNCHANGED) {
            v->len = 0;
            v->ptr = NULL;
        } else {
            return cur_ok(c) ? "unknown kind of value in a tuple" : "a tuple is cut short";
        }
    }
    tuple->count = count;
    return cur_ok(c) ? NULL : "a tuple is cut short";
}

static const char *read_begin(struct cur *c, struct pgoutput_message *msg, struct pgoutput_room *room)
{
    (void)room;
    msg->begin.final_lsn = cur_u64(c);
    msg->begin.time = read_time(c);
    msg->begin.xid = cur_u32(c);
    return NULL;
}

static const char *read_commit(struct cur *c, struct pgoutput_message *msg, struct pgoutput_room *room)
{
    (void)room;
    (void)cur_u8(c); // flags, unused by PostgreSQL
    msg->commit.lsn = cur_u64(c);
    msg->commit.end_lsn = cur_u64(c);
    msg->commit.time = read_time(c);
    return NULL;
}

static const char *read_origin(struct cur *c, struct pgoutput_message *msg, struct pgoutput_room *room)
{
    (void)msg, (void)room;
    (void)cur_u64(c);
    (void)cur_cstr(c, NULL);
    return NULL;
}

static const char *read_relation(struct cur *c, struct pgoutput_message *msg, struct pgoutput_room *room)
{
    (void)msg;
    struct pgoutput_relation *r = &room->relation;
    r->id = cur_u32(c);
    r->schema = cur_cstr(c, NULL);
    r->name = cur_cstr(c, NULL);
    r->identity = cur_u8(c);
    uint32_t count = cur_u16(c);
    if (count > PGOUTPUT_COLUMNS_MAX)
        return "too many columns in a relation";
    for (uint32_t i = 0; i < count; i++) {
        struct pgoutput_column *column = &r->columns[i];
        column->is_key = cur_u8(c) & 1;
        column->name = cur_cstr(c, NULL);
        column->type = cur_u32(c);
        column->typmod = (int32_t)cur_u32(c);
    }
    r->count = count;
    return NULL;
}

static const char *read_type(struct cur *c, struct pgoutput_message *msg, struct pgoutput_room *room)
{
    (void)msg, (void)room;
    (void)cur_u32(c);
    (void)cur_cstr(c, NULL);
    (void)cur_cstr(c, NULL);
    return NULL;
}

static const char *read_insert(struct cur *c, struct pgoutput_message *msg, struct pgoutput_room *room)
{
    msg->change.relation = cur_u32(c);
    msg->change.old = 0;
    if (cur_u8(c) != 'N')
        return "an insert without a new tuple";
    return read_tuple(c, &room->after);
}

static const char *read_update(struct cur *c, struct pgoutput_message *msg, struct pgoutput_room *room)
{
    msg->change.relation = cur_u32(c);
    msg->change.old = 0;
    uint8_t kind = cur_u8(c);
    if (kind == 'K' || kind == 'O') {
        msg->change.old = kind;
        const char *wrong = read_tuple(c, &room->before);
        if (wrong)
            return wrong;
        kind = cur_u8(c);
    }
    if (kind != 'N')
        return "an update without a new tuple";
    return read_tuple(c, &room->after);
}

static const char *read_delete(struct cur *c, struct pgoutput_message *msg, struct pgoutput_room *room)
{
    msg->change.relation = cur_u32(c);
    msg->change.old = cur_u8(c);
    if (msg->change.old != 'K' && msg->change.old != 'O')
        return "a delete without an old tuple";
    return read_tuple(c, &room->before);
}

static const char *read_truncate(struct cur *c, struct pgoutput_message *msg, struct pgoutput_room *room)
{
    (void)room;
    msg->truncate.count = cur_u32(c);
    msg->truncate.options = cur_u8(c);
    msg->truncate.relations = cur_bytes(c, (size_t)msg->truncate.count * 4);
    return NULL;
}

static const char *read_logical(struct cur *c, struct pgoutput_message *msg, struct pgoutput_room *room)
{
    (void)msg, (void)room;
    (void)cur_u8(c);
    (void)cur_u64(c);
    (void)cur_cstr(c, NULL);
    (void)cur_bytes(c, cur_u32(c));
    return NULL;
}

typedef const char *(*reader_fn)(struct cur *c, struct pgoutput_message *msg, struct pgoutput_room *room);

static const reader_fn readers[128] = {
    ['B'] = read_begin,  ['C'] = read_commit, ['O'] = read_origin, ['R'] = read_relation, ['Y'] = read_type,
    ['I'] = read_insert, ['U'] = read_update, ['D'] = read_delete, ['T'] = read_truncate, ['M'] = read_logical,
};

const char *pgoutput_parse(const void *bytes, size_t len, struct pgoutput_message *msg, struct pgoutput_room *room)
{
    struct cur c = cur_of(bytes, len);
    msg->kind = cur_u8(&c);
    reader_fn reader = msg->kind < sizeof readers / sizeof *readers ? readers[msg->kind] : NULL;
    if (!reader)
        return len ? "unknown kind of message" : "an empty message";
    const char *wrong = reader(&c, msg, room);
    if (wrong)
        return wrong;
    if (!cur_ok(&c))
        return "the message is cut short";
    return cur_left(&c) ? "bytes behind the end of the message" : NULL;
}

uint32_t pgoutput_truncated(const struct pgoutput_message *msg, uint32_t i)
{
    struct cur c = cur_of(msg->truncate.relations + (size_t)i * 4, 4);
    return cur_u32(&c);
}
