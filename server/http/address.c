// SPDX-License-Identifier: Apache-2.0
// Listen addresses: parsing, canonical text, binding. See address.h.
#include "http/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

#define BACKLOG 128

static const char forms[] =
    "Write \"127.0.0.1:8080\" for this machine only, \"0.0.0.0:8080\" or \"[::]:8080\" for every "
    "interface, \"unix:/path\" for a socket file; port 0 picks a free one.";

bool http_ip_canonical(const char *text, char out[HTTP_IP_TEXT])
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, text, &v4) == 1)
        return inet_ntop(AF_INET, &v4, out, HTTP_IP_TEXT) != NULL;
    if (inet_pton(AF_INET6, text, &v6) != 1)
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&v6))
        return inet_ntop(AF_INET, &v6.s6_addr[12], out, HTTP_IP_TEXT) != NULL;
    return inet_ntop(AF_INET6, &v6, out, HTTP_IP_TEXT) != NULL;
}

bool http_ip_is_loopback(const char *canonical)
{
    return strncmp(canonical, "127.", 4) == 0 || strcmp(canonical, "::1") == 0;
}

// Derives ip, loopback and text from addr.
static bool describe(struct http_address *a)
{
    char raw[HTTP_IP_TEXT];
    a->ip[0] = '\0';
    if (a->addr.ss_family == AF_UNIX) {
        const struct sockaddr_un *un = (const struct sockaddr_un *)&a->addr;
        (void)snprintf(a->text, sizeof a->text, "unix:%.*s", (int)sizeof un->sun_path, un->sun_path);
        a->loopback = true;
        return true;
    }
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a->addr;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a->addr;
    bool six = a->addr.ss_family == AF_INET6;
    const void *bytes = six ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr;
    if (inet_ntop(a->addr.ss_family, bytes, raw, sizeof raw) == NULL || !http_ip_canonical(raw, a->ip))
        return false;
    a->loopback = http_ip_is_loopback(a->ip);
    unsigned port = ntohs(six ? v6->sin6_port : v4->sin_port);
    (void)snprintf(a->text, sizeof a->text, six ? "[%s]:%u" : "%s:%u", raw, port);
    return true;
}

static bool parse_unix(const char *path, struct http_address *out, struct base_error *err)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&out->addr;
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof un->sun_path) {
        (void)base_fail(err, LEAT_CONFIG, "LEAT-H0101",
                        "the path of listen address \"unix:%s\" must have 1 to %zu bytes", path,
                        sizeof un->sun_path - 1);
        base_error_hint(err, "%s", forms);
        return false;
    }
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, len + 1);
    out->addr_len = (socklen_t)sizeof *un;
    return describe(out);
}

static bool parse_port(const char *text, uint16_t *out)
{
    unsigned long port = 0;
    size_t len = strlen(text);
    if (len == 0 || len > 5)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        port = port * 10 + (unsigned long)(text[i] - '0');
    }
    *out = (uint16_t)port;
    return port <= 65535;
}

static bool fill(struct http_address *out, const char *host, uint16_t port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->addr;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->addr;
    if (inet_pton(AF_INET, strcasecmp(host, "localhost") == 0 ? "127.0.0.1" : host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        out->addr_len = (socklen_t)sizeof *v4;
    } else if (host[0] == '[' && host[strlen(host) - 1] == ']') {
        char inner[HTTP_IP_TEXT];
        int n = snprintf(inner, sizeof inner, "%.*s", (int)strlen(host) - 2, host + 1);
        if (n < 0 || (size_t)n >= sizeof inner || inet_pton(AF_INET6, inner, &v6->sin6_addr) != 1)
            return false;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        out->addr_len = (socklen_t)sizeof *v6;
    } else {
        return false;
    }
    return describe(out);
}

bool http_address_parse(const char *text, struct http_address *out, struct base_error *err)
{
    char host[HTTP_ADDRESS_TEXT];
    uint16_t port = 0;
    memset(out, 0, sizeof *out);
    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(text + 5, out, err);
    const char *colon = strrchr(text, ':');
    size_t len = colon != NULL ? (size_t)(colon - text) : 0;
    if (len > 0 && len < sizeof host && parse_port(colon + 1, &port)) {
        memcpy(host, text, len);
        host[len] = '\0';
        if (fill(out, host, port))
            return true;
    }
    (void)base_fail(err, LEAT_CONFIG, "LEAT-H0101", "\"%s\" is not a listen address", text);
    base_error_hint(err, "%s", forms);
    return false;
}

bool http_address_of_socket(int fd, struct http_address *out)
{
    memset(out, 0, sizeof *out);
    out->addr_len = (socklen_t)sizeof out->addr;
    return getsockname(fd, (struct sockaddr *)&out->addr, &out->addr_len) == 0 && describe(out);
}

// Whether a server answers behind a socket file; a file nobody listens on is a leftover.
static bool is_alive(const struct http_address *a)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true;
    bool refused = connect(fd, (const struct sockaddr *)&a->addr, a->addr_len) < 0 && errno == ECONNREFUSED;
    close(fd);
    return !refused;
}

static void remove_leftover(const struct http_address *a)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&a->addr;
    struct stat st;
    if (lstat(un->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) && !is_alive(a))
        (void)unlink(un->sun_path);
}

static bool set_options(int fd, int family)
{
    int on = 1, off = 0;
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0)
        return false;
    return family == AF_UNIX || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
}

static const char *unix_hint(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "There is a file of that name: either another program listens on it (\"ss -lxp\" shows which), or it is "
               "no socket and is left alone. Stop the program, remove the file, or choose another path.";
    case ENOENT:
    case ENOTDIR:
        return "Make the folder first, or choose a path in one that exists.";
    case EACCES:
    case EPERM:
    case EROFS:
        return "This user may not make files in that folder. Choose another one, or change its rights.";
    default:
        return "Choose another path for the socket file.";
    }
}

static const char *bind_hint(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "Another program listens there (\"ss -ltnp\" shows which). Stop it, or choose another http.listen; port "
               "0 "
               "picks a free one.";
    case EADDRNOTAVAIL:
        return "No interface of this machine has that address (\"ip addr\" lists them). Use \"0.0.0.0\" for every "
               "interface.";
    case EACCES:
        return "Ports below 1024 and foreign folders need rights this user does not have. Choose another http.listen.";
    default:
        return "Choose another http.listen.";
    }
}

// A socket file is for its owner only, from before the first connection on.
static int bind_and_listen(int fd, const struct http_address *want)
{
    if (!set_options(fd, want->addr.ss_family) || bind(fd, (const struct sockaddr *)&want->addr, want->addr_len) < 0)
        return errno;
    if (want->addr.ss_family == AF_UNIX && chmod(((const struct sockaddr_un *)&want->addr)->sun_path, 0600) < 0)
        return errno;
    return listen(fd, BACKLOG) < 0 ? errno : 0;
}

int http_address_listen(const struct http_address *want, struct http_address *out, struct base_error *err)
{
    if (want->addr.ss_family == AF_UNIX)
        remove_leftover(want);
    int fd = socket(want->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = fd < 0 ? errno : bind_and_listen(fd, want);
    if (error == 0 && http_address_of_socket(fd, out))
        return fd;
    error = error != 0 ? error : errno;
    if (fd >= 0)
        close(fd);
    (void)base_fail(err, LEAT_CONFIG, "LEAT-H0102", "could not listen on \"%s\"", want->text);
    base_error_hint(err, "%s", want->addr.ss_family == AF_UNIX ? unix_hint(error) : bind_hint(error));
    base_error_native(err, strerrorname_np(error), strerrordesc_np(error));
    return -1;
}
