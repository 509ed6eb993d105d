// SPDX-License-Identifier: Apache-2.0
// PostgreSQL's logical replication messages, protocol version 1: bytes to messages, no I/O, no state.
//
// A parsed message borrows the bytes it came from and the value arrays of its caller. Layout of a message, all numbers
// big-endian (PostgreSQL manual, "Logical Replication Message Formats"):
//
//     B  int64 final LSN, int64 commit time, int32 xid
//     C  int8 flags, int64 commit LSN, int64 end LSN, int64 commit time
//     O  int64 LSN, string name
//     R  int32 id, string schema, string name, int8 replica identity, int16 n, n × (int8 flags, string, int32, int32)
//     Y  int32 id, string schema, string name
//     I  int32 id, 'N' tuple
//     U  int32 id, ['K' tuple | 'O' tuple], 'N' tuple
//     D  int32 id, 'K' tuple | 'O' tuple
//     T  int32 n, int8 options, n × int32 id
//     M  int8 flags, int64 LSN, string prefix, int32 n, n bytes
//     tuple: int16 n, n × ('n' | 'u' | 't' int32 length, bytes | 'b' int32 length, bytes)
//
// Thread: any.
#ifndef PGCDC_PGOUTPUT_H
#define PGCDC_PGOUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include <leat/types.h>

#define PGOUTPUT_COLUMNS_MAX 1664 // the most that PostgreSQL lets a target list have

// Kinds of values in a tuple.
#define PGOUTPUT_NULL      'n'
#define PGOUTPUT_UNCHANGED 'u' // TOAST value that an update did not touch
#define PGOUTPUT_TEXT      't'

struct pgoutput_value {
    const uint8_t *ptr;
    uint32_t len;
    uint8_t kind; // PGOUTPUT_*
};

struct pgoutput_tuple {
    uint32_t count;
    struct pgoutput_value values[PGOUTPUT_COLUMNS_MAX];
};

struct pgoutput_column {
    const char *name; // terminated, in the message
    uint32_t type;    // OID
    int32_t typmod;
    uint8_t is_key; // part of the replica identity
};

struct pgoutput_relation {
    uint32_t id;
    const char *schema; // "" is pg_catalog
    const char *name;
    uint8_t identity; // 'd' default, 'n' nothing, 'f' full, 'i' index
    uint32_t count;
    struct pgoutput_column columns[PGOUTPUT_COLUMNS_MAX];
};

struct pgoutput_message {
    uint8_t kind; // 'B' 'C' 'O' 'R' 'Y' 'I' 'U' 'D' 'T' 'M'
    union {
        struct {
            uint64_t final_lsn; // where the commit record starts
            leat_usec time;     // of the commit
            uint32_t xid;
        } begin;
        struct {
            uint64_t lsn, end_lsn;
            leat_usec time;
        } commit;
        struct {
            uint32_t relation;
            uint8_t old; // 0 = no old tuple, 'K' its key only, 'O' the whole row
        } change;
        struct {
            uint32_t count;
            uint8_t options;          // 1 = cascade, 2 = restart identity
            const uint8_t *relations; // count big-endian numbers; pgoutput_truncated reads them
        } truncate;
    };
};

// Where tuples and the relation of a message are put: some hundred kilobytes, so allocated once by the caller.
struct pgoutput_room {
    struct pgoutput_tuple before; // of U and D
    struct pgoutput_tuple after;  // of I and U
    struct pgoutput_relation relation;
};

// NULL = parsed; otherwise what is wrong with the bytes, a phrase for "malformed pgoutput message: …".
const char *pgoutput_parse(const void *bytes, size_t len, struct pgoutput_message *msg, struct pgoutput_room *room);

// Relation number i of a truncate message.
uint32_t pgoutput_truncated(const struct pgoutput_message *msg, uint32_t i);

#endif
