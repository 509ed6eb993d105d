// SPDX-License-Identifier: Apache-2.0
// The mailbox: a lock-free stack of mail and an eventfd. See loop_int.h.
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "loop/loop_int.h"

bool mailbox_init(struct mailbox *box)
{
    box->head = NULL;
    box->wakes = 0;
    box->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return box->fd >= 0;
}

void mailbox_fini(struct mailbox *box)
{
    if (box->fd >= 0)
        close(box->fd);
    box->fd = -1;
}

void mailbox_wake(struct mailbox *box)
{
    uint64_t one = 1;
    __atomic_fetch_add(&box->wakes, 1, __ATOMIC_RELAXED);
    // EAGAIN means that the counter is full, so the reader is awake already
    while (write(box->fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

bool mailbox_push(struct mailbox *box, struct loop_mail *mail)
{
    struct loop_mail *head = __atomic_load_n(&box->head, __ATOMIC_RELAXED);
    do
        mail->next = head;
    while (!__atomic_compare_exchange_n(&box->head, &head, mail, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    return !head; // the mail may be delivered, and freed, from the exchange on
}

void mailbox_hush(struct mailbox *box)
{
    uint64_t count;
    while (read(box->fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
}

struct loop_mail *mailbox_take(struct mailbox *box)
{
    struct loop_mail *mail = __atomic_exchange_n(&box->head, NULL, __ATOMIC_ACQUIRE), *first = NULL;
    while (mail) {
        struct loop_mail *next = mail->next;
        mail->next = first;
        first = mail;
        mail = next;
    }
    return first;
}
