// SPDX-License-Identifier: Apache-2.0
// Name resolution off the loop: getaddrinfo can block for as long as the resolver's time-outs say, so it runs on a
// detached thread per look-up.
//
// The object is shared by two owners, the home worker and the thread, and freed by the one that lets go last. The
// answer is published by writing to an eventfd, which orders it: the worker reads the result only after reading that.
// The thread never touches the host or a context, so a node may be destroyed while a look-up still hangs.
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pq_int.h"

#define ADDRESSES_MAX 8
#define STACK_SIZE    (256u * 1024)

struct pq_resolver {
    atomic_int owners;
    int fd; // eventfd
    int error;
    unsigned count;
    char addresses[ADDRESSES_MAX * (NI_MAXHOST + 1)];
    char *host;
    char *port;
};

static void let_go(struct pq_resolver *r)
{
    if (atomic_fetch_sub(&r->owners, 1) != 1)
        return;
    if (r->fd >= 0)
        close(r->fd);
    free(r->host);
    free(r->port);
    free(r);
}

static void keep_addresses(struct pq_resolver *r, const struct addrinfo *list)
{
    size_t len = 0;
    for (const struct addrinfo *a = list; a && r->count < ADDRESSES_MAX; a = a->ai_next) {
        char text[NI_MAXHOST];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0)
            continue;
        size_t n = strlen(text);
        if (r->count++)
            r->addresses[len++] = ',';
        memcpy(r->addresses + len, text, n + 1);
        len += n;
    }
    if (!r->count)
        r->error = EAI_NONAME;
}

static void *run(void *arg)
{
    struct pq_resolver *r = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    struct addrinfo *list = NULL;
    r->error = getaddrinfo(r->host, r->port, &hints, &list);
    if (!r->error)
        keep_addresses(r, list);
    if (list)
        freeaddrinfo(list);
    uint64_t one = 1;
    ssize_t n = write(r->fd, &one, sizeof one);
    (void)n; // an eventfd with room for 2^64 always takes 1
    let_go(r);
    return NULL;
}

static int start_detached(struct pq_resolver *r)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;
    if (pthread_attr_init(&attr) != 0)
        return -1;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); // signals are the main thread's
    int error = pthread_create(&thread, &attr, run, r);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return error ? -1 : 0;
}

struct pq_resolver *pq_resolver_start(const char *host, const char *port, int *fd)
{
    struct pq_resolver *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    atomic_init(&r->owners, 2);
    r->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    r->host = strdup(host);
    r->port = strdup(port);
    if (r->fd < 0 || !r->host || !r->port || start_detached(r) < 0) {
        atomic_store(&r->owners, 1);
        let_go(r);
        return NULL;
    }
    *fd = r->fd;
    return r;
}

int pq_resolver_answer(struct pq_resolver *r, const char **addresses, unsigned *count)
{
    uint64_t done;
    if (read(r->fd, &done, sizeof done) != (ssize_t)sizeof done)
        return EAI_INPROGRESS;
    *addresses = r->addresses;
    *count = r->count;
    return r->error;
}

void pq_resolver_drop(struct pq_resolver *r)
{
    if (r)
        let_go(r);
}
