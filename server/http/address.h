// SPDX-License-Identifier: Apache-2.0
// Where the server listens: "127.0.0.1:8080", "[::1]:0", "0.0.0.0:8080", "unix:/run/leat.sock".
//
// Only numeric addresses (and the word "localhost", which is 127.0.0.1) are taken: a name that has to be looked up
// could block the start, or bind somewhere else tomorrow. Port 0 lets the kernel choose; http_address_of_socket tells
// which.
//
// Thread: any. Nothing here allocates.
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct base_error;

#define HTTP_ADDRESS_TEXT 128
#define HTTP_IP_TEXT      46

struct http_address {
    struct sockaddr_storage addr;
    socklen_t addr_len;
    bool loopback;                // only this machine can reach it (a unix socket too)
    char text[HTTP_ADDRESS_TEXT]; // as users write it
    char ip[HTTP_IP_TEXT];        // canonical numeric address, "" for a unix socket
};

// Returns false and describes the error when text is no address.
bool http_address_parse(const char *text, struct http_address *out, struct base_error *err);

// The local address of a bound or connected socket.
bool http_address_of_socket(int fd, struct http_address *out);

// Writes the canonical text of a numeric address, without brackets; IPv4 mapped into IPv6 becomes IPv4. Returns false
// when `text` is no numeric address.
bool http_ip_canonical(const char *text, char out[HTTP_IP_TEXT]);

// Whether canonical text is an address of the loopback interface.
bool http_ip_is_loopback(const char *canonical);

// Opens, binds and listens, non-blocking. Returns the descriptor or -1 with the error. *out gets the real port. A
// socket file that a dead server left behind is replaced; a living one is not.
int http_address_listen(const struct http_address *want, struct http_address *out, struct base_error *err);

#endif
