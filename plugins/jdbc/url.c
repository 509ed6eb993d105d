// SPDX-License-Identifier: Apache-2.0
// See url.h. The grammar is pgjdbc's, strictly: what it does not have is refused with a reason.
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"

static const char prefix[] = "jdbc:postgresql:";

// Dialects that Flink's connector knows.
static const char *const others[] = {"mysql", "oceanbase", "oracle",  "sqlserver", "derby", "db2",    "cratedb",
                                     "crate", "trino",     "mariadb", "dameng",    "dm",    "sqlite", "clickhouse"};

#define FAULT_MAX 160 // of one parameter: two names, and the words around them

#define SAY(...) (snprintf(why, size, __VA_ARGS__), -1)

static int wrong_dialect(const char *text, char *why, size_t size)
{
    if (strncmp(text, "jdbc:", 5) != 0)
        return SAY("the URL does not begin with \"jdbc:postgresql://\"");
    const char *name = text + 5;
    size_t len = strcspn(name, ":");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strlen(others[i]) == len && strncmp(others[i], name, len) == 0)
            return SAY("the dialect \"%s\" is known in Flink, but not supported yet; PostgreSQL is", others[i]);
    return SAY("unknown dialect \"%.*s\"", (int)(len < 40 ? len : 40), name);
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// Copies text[0..len) with %XX replaced. -1 = malformed, empty bytes in it, or too long.
static int decode(const char *text, size_t len, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        int c = (unsigned char)text[i];
        if (c == '%') {
            if (i + 2 >= len || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
                return -1;
            c = hex(text[i + 1]) << 4 | hex(text[i + 2]);
            i += 2;
        }
        if (!c || n + 1 >= size)
            return -1;
        out[n++] = (char)c;
    }
    out[n] = 0;
    return 0;
}

static int parse_port(const char *text, size_t len, char *out)
{
    unsigned port = 0;
    if (!len || len > 5)
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    if (!port || port > 65535)
        return -1;
    memcpy(out, text, len);
    out[len] = 0;
    return 0;
}

// "host", "host:port", "[::1]:port" or nothing.
static int parse_authority(const char *text, size_t len, struct jdbc_url *out, char *why, size_t size)
{
    if (memchr(text, ',', len))
        return SAY("several hosts in one URL are not supported; name the primary");
    const char *port = memchr(text, ':', len);
    // a '/' in a password ends the authority too early
    if (memchr(text, '@', len) || (port && strchr(text, '@') && port[1 + strspn(port + 1, "0123456789")] != '/'))
        return SAY("a user in front of the host is not part of a PostgreSQL JDBC URL; use the option username");
    size_t host = 0, at = 0;
    if (len && text[0] == '[') {
        const char *end = memchr(text, ']', len);
        if (!end)
            return SAY("the address has no closing \"]\"");
        text++, len--;
        host = (size_t)(end - text);
        at = host + 1;
    } else {
        const char *colon = memchr(text, ':', len);
        host = at = colon ? (size_t)(colon - text) : len;
    }
    if (host >= sizeof out->host)
        return SAY("the host name is too long");
    if (host)
        snprintf(out->host, sizeof out->host, "%.*s", (int)host, text);
    if (at == len)
        return 0;
    if (text[at] != ':' || parse_port(text + at + 1, len - at - 1, out->port) < 0)
        return SAY("\"%.*s\" is not a port", (int)(len - at > 20 ? 20 : len - at), text + at);
    return 0;
}

// --- parameters

enum what { TO_LIBPQ, IGNORED, SPECIAL };

struct known {
    const char *name;
    enum what what;
    const char *libpq;
};

static const struct known known[] = {
    {"ApplicationName", TO_LIBPQ, "application_name"},
    {"options", TO_LIBPQ, "options"},
    {"sslcert", TO_LIBPQ, "sslcert"},
    {"sslkey", TO_LIBPQ, "sslkey"},
    {"sslmode", SPECIAL, NULL},
    {"sslpassword", TO_LIBPQ, "sslpassword"},
    {"sslrootcert", TO_LIBPQ, "sslrootcert"},
    {"channelBinding", TO_LIBPQ, "channel_binding"},
    {"connectTimeout", SPECIAL, NULL},
    {"currentSchema", SPECIAL, NULL},
    {"loginTimeout", SPECIAL, NULL},
    {"password", SPECIAL, NULL},
    {"ssl", SPECIAL, NULL},
    {"stringtype", SPECIAL, NULL},
    {"targetServerType", SPECIAL, NULL},
    {"tcpKeepAlive", SPECIAL, NULL},
    {"user", SPECIAL, NULL},
    // these tune the Java driver's own work
    {"adaptiveFetch", IGNORED, NULL},
    {"autosave", IGNORED, NULL},
    {"binaryTransfer", IGNORED, NULL},
    {"cleanupSavepoints", IGNORED, NULL},
    {"databaseMetadataCacheFields", IGNORED, NULL},
    {"defaultRowFetchSize", IGNORED, NULL},
    {"gssEncMode", IGNORED, NULL},
    {"logUnclosedConnections", IGNORED, NULL},
    {"loggerFile", IGNORED, NULL},
    {"loggerLevel", IGNORED, NULL},
    {"logServerErrorDetail", IGNORED, NULL},
    {"preferQueryMode", IGNORED, NULL},
    {"prepareThreshold", IGNORED, NULL},
    {"preparedStatementCacheQueries", IGNORED, NULL},
    {"preparedStatementCacheSizeMiB", IGNORED, NULL},
    {"reWriteBatchedInserts", IGNORED, NULL},
    {"receiveBufferSize", IGNORED, NULL},
    {"sendBufferSize", IGNORED, NULL},
    {"socketTimeout", IGNORED, NULL},
    {"tcpNoDelay", IGNORED, NULL},
};

static int one_of(const char *word, const char *words)
{
    size_t n = strlen(word);
    for (const char *at = words; *at; at += strcspn(at, "|"), at += *at == '|')
        if (n && strcspn(at, "|") == n && strncmp(at, word, n) == 0)
            return 1;
    return 0;
}

static int add_param(struct jdbc_url *out, const char *key, const char *value)
{
    if (out->count == JDBC_PARAMS)
        return -1;
    out->params[out->count].key = key;
    snprintf(out->params[out->count++].value, JDBC_VALUE_MAX, "%s", value);
    return 0;
}

static int seconds(struct jdbc_url *out, const char *value)
{
    char *end = NULL;
    long n = strtol(value, &end, 10);
    if (!*value || *end || n < 0 || n > 86400)
        return -1;
    if (n)
        out->connect_timeout = n * 1000000;
    return 0;
}

// -1 = the value is not one that the parameter takes.
static int special(struct jdbc_url *out, const char *name, const char *value)
{
    if (strcmp(name, "currentSchema") == 0) {
        // the driver takes a search path; one schema is what a table can be in
        if (!*value || strchr(value, ',') || strlen(value) >= sizeof out->schema)
            return -1;
        snprintf(out->schema, sizeof out->schema, "%.*s", JDBC_NAME_MAX - 1, value);
        return 0;
    }
    if (strcmp(name, "user") == 0) {
        snprintf(out->user, sizeof out->user, "%.*s", JDBC_NAME_MAX - 1, value);
        return 0;
    }
    if (strcmp(name, "password") == 0) {
        snprintf(out->password, sizeof out->password, "%s", value);
        return 0;
    }
    if (strcmp(name, "connectTimeout") == 0 || strcmp(name, "loginTimeout") == 0)
        return seconds(out, value);
    if (strcmp(name, "stringtype") == 0) {
        out->strict_strings = strcmp(value, "varchar") == 0;
        return one_of(value, "varchar|unspecified") ? 0 : -1;
    }
    if (strcmp(name, "sslmode") == 0)
        return one_of(value, "disable|allow|prefer|require|verify-ca|verify-full") ? add_param(out, "sslmode", value)
                                                                                   : -1;
    if (strcmp(name, "ssl") == 0)
        return !one_of(value, "true|false") ? -1
               : strcmp(value, "true") == 0 ? add_param(out, "sslmode", "verify-full")
                                            : 0;
    if (strcmp(name, "tcpKeepAlive") == 0)
        return one_of(value, "true|false") ? add_param(out, "keepalives", strcmp(value, "true") == 0 ? "1" : "0") : -1;
    // targetServerType
    if (!one_of(value, "any|primary|master"))
        return -1;
    return strcmp(value, "any") == 0 ? 0 : add_param(out, "target_session_attrs", "read-write");
}

// The known name that was most likely meant, or NULL; case does not matter.
static const char *near_name(const char *name)
{
    const char *found = NULL;
    size_t len = strlen(name);
    uint32_t nearest = len < 4 ? 1 : len < 8 ? 2 : 3;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t d = nearest_distance(known[i].name, strlen(known[i].name), name, len);
        if (d > nearest || (found && d == nearest))
            continue;
        nearest = d;
        found = known[i].name;
    }
    return found;
}

static int unknown(const char *name, char *why, size_t size)
{
    const char *near = near_name(name);
    return near ? SAY("unknown parameter \"%s\" (did you mean \"%s\"?)", name, near)
                : SAY("unknown parameter \"%s\"", name);
}

static int parse_param(const char *text, size_t len, struct jdbc_url *out, char *why, size_t size)
{
    char name[64], value[JDBC_VALUE_MAX];
    const char *eq = memchr(text, '=', len);
    size_t n = eq ? (size_t)(eq - text) : len;
    if (decode(text, n, name, sizeof name) < 0 || !*name)
        return SAY("malformed parameter \"%.*s\"", (int)(n > 60 ? 60 : n), text);
    if (!eq)
        return SAY("the parameter \"%s\" has no value", name);
    if (decode(eq + 1, len - n - 1, value, sizeof value) < 0)
        return SAY("the value of the parameter \"%s\" is malformed or too long", name);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct known *k = &known[i];
        if (strcmp(k->name, name) != 0)
            continue;
        if (k->what == IGNORED)
            return 0;
        int st = k->what == TO_LIBPQ ? add_param(out, k->libpq, value) : special(out, name, value);
        return st == 0 ? 0 : SAY("the parameter \"%s\" does not take this value", name);
    }
    return unknown(name, why, size);
}

// What is wrong with the parameters, one behind the other in `why`.
struct faults {
    char *why;
    size_t size, len;
    unsigned more; // that found no room
};

static void add_fault(struct faults *f, const char *fault)
{
    static const char last[] = "; and 999 more";
    size_t need = strlen(fault) + (f->len ? 2 : 0);
    if (f->len && (f->more || f->len + need + sizeof last > f->size)) {
        f->more++;
        return;
    }
    snprintf(f->why + f->len, f->size - f->len, "%s%s", f->len ? "; " : "", fault);
    f->len += strlen(f->why + f->len);
}

// `at` is behind the database's name. All faults are told, since each would else hide the next.
static int parse_params(const char *at, struct jdbc_url *out, char *why, size_t size)
{
    char fault[FAULT_MAX];
    struct faults faults = {.why = why, .size = size};
    while (*at) {
        at++; // '?' or '&'
        size_t n = strcspn(at, "&");
        if (n && parse_param(at, n, out, fault, sizeof fault) < 0)
            add_fault(&faults, fault);
        at += n;
    }
    if (faults.more)
        snprintf(why + faults.len, size - faults.len, "; and %u more", faults.more);
    return faults.len ? -1 : 0;
}

int jdbc_url_parse(const char *text, struct jdbc_url *out, char *why, size_t size)
{
    *out = (struct jdbc_url){.host = "localhost", .port = "5432"};
    if (strncmp(text, prefix, sizeof prefix - 1) != 0)
        return wrong_dialect(text, why, size);
    const char *at = text + sizeof prefix - 1;
    size_t path = strcspn(at, "?");
    if (strncmp(at, "//", 2) == 0) {
        at += 2;
        size_t n = strcspn(at, "/?");
        if (parse_authority(at, n, out, why, size) < 0)
            return -1;
        at += n;
        if (*at == '/')
            at++;
        path = strcspn(at, "?");
    }
    if (!path)
        return SAY("the URL names no database");
    if (memchr(at, '/', path) || decode(at, path, out->database, sizeof out->database) < 0)
        return SAY("\"%.*s\" is not the name of a database", (int)(path > 60 ? 60 : path), at);
    return parse_params(at + path, out, why, size);
}

// One part; returns what follows it, NULL = malformed.
static const char *name_part(const char *text, char *out)
{
    size_t n = 0;
    int closed = 1;
    if (*text != '"') {
        while (*text && *text != '.' && *text != '"' && n + 1 < JDBC_NAME_MAX)
            out[n++] = *text++;
    } else {
        closed = 0;
        for (text++; *text && n + 1 < JDBC_NAME_MAX; text++) {
            closed = *text == '"' && *++text != '"';
            if (closed)
                break;
            out[n++] = *text;
        }
    }
    out[n] = 0;
    return n && closed && (!*text || *text == '.') ? text : NULL;
}

int jdbc_name_parse(const char *text, struct jdbc_name *out, char *why, size_t size)
{
    char parts[2][JDBC_NAME_MAX];
    unsigned n = 0;
    const char *at = text;
    for (;;) {
        if (n == 2)
            return SAY("\"%.100s\" has more than two parts; write schema.table, the database stands in the URL", text);
        at = name_part(at, parts[n]);
        if (!at)
            return SAY("\"%.100s\" is not the name of a table; write table or schema.table", text);
        n++;
        if (!*at)
            break;
        at++;
    }
    *out = (struct jdbc_name){0};
    memcpy(out->table, parts[n - 1], JDBC_NAME_MAX);
    if (n == 2)
        memcpy(out->schema, parts[0], JDBC_NAME_MAX);
    return 0;
}
