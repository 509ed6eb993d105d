// SPDX-License-Identifier: Apache-2.0
// Batches as the core makes them: the functions behind the batch entries of struct leat_host.
//
// A batch is one block of recycled memory: the public struct, its columns, and an arena that grows by further blocks.
// Blocks come from a process-wide pool of size classes, because a batch is usually made on one worker and dropped on
// another. Thread: any. The reference count is atomic; a batch with more than one reference is immutable.
#ifndef LEAT_DATA_BATCH_H
#define LEAT_DATA_BATCH_H

#include <stdbool.h>

#include <leat/host.h>

// A new batch with one reference, or NULL without memory. `bare`: columns have no memory yet.
struct leat_batch *data_batch_create(const struct leat_host *host, const struct leat_schema *schema, uint32_t capacity,
                                     uint8_t bare, leat_usec now);

// See struct leat_host.
leat_status data_batch_keep(struct leat_batch *b, const struct leat_batch *other);
leat_status data_batch_attach(struct leat_batch *b, void (*release)(void *arg), void *arg);
void *data_batch_grow(struct leat_batch *b, size_t size, size_t align);
void data_batch_ref(const struct leat_batch *b);
void data_batch_unref(const struct leat_batch *b);

// The plugin that built it has given it away: from here on it never changes, and whoever changes it or gives it away once
// more is told (debug builds: at once where a function is called, else when it dies).
void data_batch_seal(struct leat_batch *b);
bool data_batch_is_sealed(const struct leat_batch *b);

// Memory that the batch holds, in bytes: what a channel counts against its bound.
size_t data_batch_bytes(const struct leat_batch *b);

#endif
