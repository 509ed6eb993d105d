// SPDX-License-Identifier: Apache-2.0
// Reads a Java login line ("org.apache.kafka.common.security.plain.PlainLoginModule required username="u"
// password="p";") as far as librdkafka can do what it asks for.
#ifndef KAFKA_JAAS_H
#define KAFKA_JAAS_H

#include <stddef.h>

struct kafka_jaas {
    char module[128]; // the class's last name: "PlainLoginModule"
    char username[256];
    char password[1024];
    char other[64]; // the last of the options with other names
    int token;      // tokenauth=true
    int more;       // something follows, another login module
};

// 1 = read; username and password are "" where the line has none. 0 = not such a line, or too long.
int kafka_jaas_parse(const char *line, struct kafka_jaas *out);

#endif
