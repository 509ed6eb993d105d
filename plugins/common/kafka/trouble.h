// SPDX-License-Identifier: Apache-2.0
// What an error of the client's connections means to a user: which of our codes it is, in a sentence, and what to do.
// The client's own words name threads and states, and hide the one thing to mend among them.
//
// Thread: any.
#ifndef KAFKA_TROUBLE_H
#define KAFKA_TROUBLE_H

#include <stdint.h>

struct kafka_trouble {
    const char *code;
    uint8_t severity;   // LEAT_DIAG_ERROR: nothing gets better by waiting; 0 = nothing for a log
    const char *option; // to look at
    const char *hint;
    char text[320];  // names the broker; cut at the end of a word
    char about[160]; // the kind of trouble and the broker: the same for all words of one trouble
};

// `err` and `reason` are those of librdkafka's error callback. `met`: brokers of the cluster have answered this client, so
// its protocol is right.
void kafka_trouble_explain(int err, const char *reason, int met, struct kafka_trouble *out);

#endif
