// SPDX-License-Identifier: Apache-2.0
// A librdkafka handle on the node's loop. librdkafka runs threads of its own; what they have to say (delivery reports,
// errors, log lines) waits in its main queue, and an eventfd tells the loop that something is there. Nothing of
// librdkafka is ever called back on a foreign thread.
//
// A consumer's records are passed on without copying, so batches anywhere downstream may hold them longer than the node
// lives; a handle must not be destroyed before its last record. So the handle is counted: the node has one reference
// and so has every batch with records. The last one out destroys it, on a thread of its own where it would block a
// loop.
//
// Thread: home worker, but kafka_client_ref and kafka_client_unref: any.
#ifndef KAFKA_CLIENT_H
#define KAFKA_CLIENT_H

#include <stdatomic.h>

#include "conf.h"

#define KAFKA_TOLD 32 // kinds of trouble with a broker that are remembered as logged

struct kafka_client {
    rd_kafka_t *rk;
    atomic_int refs;
    int event_fd;
    struct leat_ctx *ctx; // of the node while it is open; callbacks run only then
    struct leat_event *watch;
    char trouble[512]; // the last connection error with its code, "" after a success
    struct kafka_told {
        uint32_t hash; // of the kind and the broker
        int64_t when;  // it was logged; 0 = never
    } told[KAFKA_TOLD];
    uint8_t has_credentials;
    rd_kafka_resp_err_t gone; // the error that said that a topic being read is not there any more; 0 = none did
    uint8_t fatal;            // the client itself is beyond use; `trouble` says why
    char sasl_user[256], sasl_password[1024]; // for kafka_client_nudge
    // Of the node. on_ready: something happened, called after the main queue was served.
    leat_status (*on_ready)(struct leat_ctx *ctx, void *arg);
    void (*on_delivery)(void *arg, const rd_kafka_message_t *message);
    void (*on_commit)(void *arg, rd_kafka_resp_err_t err);
    void *arg;
};

// Creates the handle and has its events watched. `arg` goes to the callbacks, which are set right after.
leat_status kafka_client_create(struct leat_ctx *ctx, const struct kafka_options *o, uint8_t role, void *arg,
                                struct kafka_client **out);
// Has `queue` ring the loop as well.
void kafka_client_add_queue(struct kafka_client *c, rd_kafka_queue_t *queue);
// Ends the events; afterwards no callback reaches the node.
void kafka_client_detach(struct kafka_client *c);
void kafka_client_ref(struct kafka_client *c);
// `may_block`: the caller is a helper thread. NULL is fine.
void kafka_client_unref(struct kafka_client *c, int may_block);
// librdkafka 2.0 stops fetching when its queue is full and looks again only a second later. This makes it look now.
void kafka_client_nudge(struct kafka_client *c);

#endif
