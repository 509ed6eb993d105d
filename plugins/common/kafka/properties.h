// SPDX-License-Identifier: Apache-2.0
// What becomes of each client property that does not simply go to librdkafka: one table, of the Java client's names above
// all. What has no rule goes to librdkafka as it is, which knows its own names and says which it does not know.
//
// Thread: any.
#ifndef KAFKA_PROPERTIES_H
#define KAFKA_PROPERTIES_H

#include <stdint.h>

enum kafka_what {
    KAFKA_PASS,    // goes through; the rule says which clients it means something to
    KAFKA_OURS,    // read elsewhere
    KAFKA_RENAME,  // librdkafka calls it `to`
    KAFKA_KBYTES,  // bytes there, kibibytes here: `to`
    KAFKA_FIXED,   // only the value `to` is allowed; `why` otherwise
    KAFKA_REFUSE,  // `why`
    KAFKA_EXPLAIN, // goes through to a librdkafka that knows it; `why` otherwise
};

struct kafka_rule {
    const char *name;
    uint8_t roles; // KAFKA_CONSUMER, KAFKA_PRODUCER: to others it means nothing
    enum kafka_what what;
    const char *to;
    const char *why; // a hint
};

// The rule for the property `name`, or NULL.
const struct kafka_rule *kafka_rule_find(const char *name);

#endif
