// SPDX-License-Identifier: Apache-2.0
// The browser rules and the token: see guard.h.
#include "http/guard.h"

#include <string.h>

#define HOST_MAX 255 // the longest name DNS knows

static const struct http_verdict pass = {0, NULL};

// "name", "name:port", "1.2.3.4:port" or "[::1]:port" to a name in lower case or a canonical address. The port is only
// checked for form: tunnels and published container ports change it, and rebinding does not live on it.
static bool host_name(struct http_slice host, char out[HOST_MAX + 1])
{
    char ip[HTTP_IP_TEXT];
    const char *end = host.ptr + host.len, *start = host.ptr, *stop;
    bool bracket = host.len > 0 && *start == '[';
    start += bracket;
    stop = memchr(start, bracket ? ']' : ':', (size_t)(end - start));
    const char *port = stop == NULL ? end : stop + bracket;
    stop = stop == NULL ? end : stop;
    if ((bracket && stop == end) || stop == start || (size_t)(stop - start) > HOST_MAX)
        return false;
    if (port < end && (*port != ':' || end - port > 6))
        return false;
    for (const char *digit = port + 1; digit < end; digit++)
        if (*digit < '0' || *digit > '9')
            return false;
    size_t len = (size_t)(stop - start);
    for (size_t i = 0; i < len; i++)
        out[i] = start[i] >= 'A' && start[i] <= 'Z' ? (char)(start[i] - 'A' + 'a') : start[i];
    out[len] = '\0';
    if (http_ip_canonical(out, ip))
        memcpy(out, ip, strlen(ip) + 1);
    else if (bracket)
        return false;
    return true;
}

// Configured hosts are few and short, and canonical forms are made for each request: nothing to keep or free.
static bool is_configured(const struct http_guard *guard, const char *name)
{
    for (size_t i = 0; i < guard->host_count; i++) {
        char ip[HTTP_IP_TEXT];
        if (strcasecmp(guard->hosts[i], name) == 0)
            return true;
        if (http_ip_canonical(guard->hosts[i], ip) && strcmp(ip, name) == 0)
            return true;
    }
    return false;
}

static bool is_ours(const struct http_guard *guard, const char *name, const char *local_ip)
{
    char ip[HTTP_IP_TEXT];
    if (strcmp(name, "localhost") == 0 || strcmp(name, "localhost.") == 0)
        return true;
    // an address is ours if it is loopback or the one the connection came to
    if (http_ip_canonical(name, ip) && (http_ip_is_loopback(ip) || strcmp(ip, local_ip) == 0))
        return true;
    return strcmp(name, guard->listen->ip) == 0 || is_configured(guard, name);
}

// A page of ours sends "http://" or, behind a proxy that ends TLS, "https://" and exactly the Host.
static bool is_own_origin(struct http_slice origin, struct http_slice host)
{
    size_t scheme = 0;
    if (origin.len > 7 && strncasecmp(origin.ptr, "http://", 7) == 0)
        scheme = 7;
    else if (origin.len > 8 && strncasecmp(origin.ptr, "https://", 8) == 0)
        scheme = 8;
    else
        return false;
    return host.ptr != NULL && origin.len - scheme == host.len &&
           strncasecmp(origin.ptr + scheme, host.ptr, host.len) == 0;
}

struct http_verdict http_guard_source(const struct http_guard *guard, const struct http_request *request,
                                      const char *local_ip)
{
    char name[HOST_MAX + 1];
    // only HTTP/1.0 gets here without Host, and no browser speaks it
    if (request->host.ptr != NULL) {
        if (!host_name(request->host, name))
            return (struct http_verdict){400, "Host is not a name or address with an optional port"};
        if (!is_ours(guard, name, local_ip))
            return (struct http_verdict){421, "this Host is not one of this server: use the address it listens on, or "
                                              "add the name to http.allowed-hosts"};
    }
    if (request->origin.ptr != NULL && !is_own_origin(request->origin, request->host))
        return (struct http_verdict){403, "requests from pages of another origin are refused"};
    return pass;
}

// "application/json", perhaps with parameters behind a semicolon.
struct http_verdict http_guard_content(const struct http_request *request)
{
    struct http_slice type = request->content_type;
    if (request->method != HTTP_POST)
        return pass;
    if (type.ptr != NULL) {
        const char *semicolon = memchr(type.ptr, ';', type.len);
        if (semicolon != NULL)
            type.len = (size_t)(semicolon - type.ptr);
        while (type.len > 0 && (type.ptr[type.len - 1] == ' ' || type.ptr[type.len - 1] == '\t'))
            type.len--;
    }
    if (http_slice_is(type, "application/json"))
        return pass;
    return (struct http_verdict){415, "a POST needs \"Content-Type: application/json\""};
}

// Compares in a time that depends on the length of what was sent, not on where it differs.
static bool same_secret(const char *token, struct http_slice sent)
{
    size_t len = strlen(token);
    volatile unsigned char differ = len != sent.len || len == 0;
    for (size_t i = 0; i < sent.len; i++)
        differ = differ | (unsigned char)(sent.ptr[i] ^ token[len > 0 ? i % len : 0]);
    return !differ;
}

struct http_verdict http_guard_token(const struct http_guard *guard, const struct http_request *request)
{
    struct http_slice sent = request->authorization;
    if (guard->token == NULL && guard->listen->loopback)
        return pass;
    if (guard->token == NULL)
        return (struct http_verdict){403,
                                     "other machines can reach this address, so this needs a token: set http.token"};
    if (sent.ptr == NULL || sent.len < 8 || strncasecmp(sent.ptr, "Bearer ", 7) != 0)
        return (struct http_verdict){401, "this needs \"Authorization: Bearer TOKEN\""};
    sent.ptr += 7;
    sent.len -= 7;
    if (!same_secret(guard->token, sent))
        return (struct http_verdict){401, "the token is wrong"};
    return pass;
}
