/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/rejection.h"

#include "base/event_source.h"
#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"
#include "base/timer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>

/* How much is read at a time; between two reads the loop serves others. */
#define READ_BYTES 1024

/* The timer may fire this much late. */
#define ACCURACY_USEC (10 * USEC_PER_MSEC)

/* Room for one connection: free, or open and in the queue. */
struct slot {
    struct rejections *owner;
    TAILQ_ENTRY(slot) link; /* of owner->free or owner->open */
    int fd;                 /* owned; -1: free */
    sd_event_source *io;    /* made at the first use, and kept; off while the slot is free */
    uint64_t until_usec;
    size_t n_read;
};

TAILQ_HEAD(slots, slot);

struct rejections {
    sd_event *event;
    struct timer timer; /* fires at the limit of the first of `open`; all have the same limit */
    struct slots free;
    struct slots open; /* in the order of their limits */
    unsigned n_open;
    struct rejection_counts counts;
    struct slot slots[REJECTIONS_MAX];
};

enum drained {
    DRAINED_BUSY,  /* there may be more to read */
    DRAINED_EMPTY, /* nothing more to read now */
    DRAINED_ENDED, /* end of file, or the connection failed */
};

/* Reads once, and discards what was read. */
static enum drained drain(int fd, size_t *n_read)
{
    char bytes[READ_BYTES];
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n < 0 && errno == EINTR)
        return DRAINED_BUSY;
    if (n < 0 && errno == EAGAIN)
        return DRAINED_EMPTY;
    if (n <= 0)
        return DRAINED_ENDED;
    *n_read += (size_t)n;
    return DRAINED_BUSY;
}

/* Reads until nothing is left, or until the limit of bytes is reached. */
static enum drained drain_all(int fd, size_t *n_read)
{
    enum drained drained;

    do
        drained = drain(fd, n_read);
    while (drained == DRAINED_BUSY && *n_read < REJECTION_READ_MAX_BYTES);
    return drained;
}

/* Sends at most REJECTION_TEXT_MAX_BYTES of the text. Returns true if the kernel took all of it. */
static bool send_text(int fd, const char *text, size_t length)
{
    bool is_cut = length > REJECTION_TEXT_MAX_BYTES;
    struct iovec parts[] = {
        {.iov_base = (char *)text, .iov_len = is_cut ? REJECTION_TEXT_MAX_BYTES - 2 : length},
        {.iov_base = (char *)"\r\n", .iov_len = 2},
    };
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = is_cut ? 2 : 1};
    size_t size = is_cut ? REJECTION_TEXT_MAX_BYTES : length;

    return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size;
}

/* Closes so that a client which has sent something still sees an end of file, and no reset. */
static void close_now(int *fd)
{
    size_t n_read = 0;

    (void)shutdown(*fd, SHUT_WR);
    (void)drain_all(*fd, &n_read);
    *fd = fd_close(*fd);
}

static void set_timer(struct rejections *rejections)
{
    const struct slot *first = TAILQ_FIRST(&rejections->open);

    timer_set_at(&rejections->timer, first ? first->until_usec : USEC_INFINITY);
}

/* Moves a slot from open to free. The timer stays as it is: if it fires early, that costs less than
 * to move it each time. */
static void slot_close(struct slot *slot, uint64_t *counter)
{
    struct rejections *owner = slot->owner;

    event_source_off(slot->io);
    slot->fd = fd_close(slot->fd);
    TAILQ_REMOVE(&owner->open, slot, link);
    TAILQ_INSERT_HEAD(&owner->free, slot, link);
    owner->n_open--;
    (*counter)++;
}

static int on_io(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events, void *userdata)
{
    struct slot *slot = userdata;
    struct rejection_counts *counts = &slot->owner->counts;

    if (drain(fd, &slot->n_read) == DRAINED_ENDED)
        slot_close(slot, &counts->n_ended);
    else if (slot->n_read >= REJECTION_READ_MAX_BYTES)
        slot_close(slot, &counts->n_talkative);
    return 0;
}

static void on_timer(void *userdata)
{
    struct rejections *rejections = userdata;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    struct slot *slot;

    while ((slot = TAILQ_FIRST(&rejections->open)) && slot->until_usec <= now)
        slot_close(slot, &rejections->counts.n_timed_out);
    set_timer(rejections);
}

/* Watches the descriptor with the slot's event source. Returns 0 or a negative errno. */
static int watch(struct slot *slot, int fd)
{
    if (!slot->io)
        return sd_event_add_io(slot->owner->event, &slot->io, fd, EPOLLIN, on_io, slot);
    int r = sd_event_source_set_io_fd(slot->io, fd);
    return r < 0 ? r : sd_event_source_set_enabled(slot->io, SD_EVENT_ON);
}

/* Moves a slot from free to open. Returns false if the connection stays the caller's. */
static bool slot_open(struct rejections *rejections, int *fd, size_t n_read)
{
    struct slot *slot = TAILQ_FIRST(&rejections->free);

    if (!slot || watch(slot, *fd) < 0)
        return false;
    slot->fd = take_fd(fd);
    slot->n_read = n_read;
    slot->until_usec = time_now_usec(CLOCK_MONOTONIC) + REJECTION_LIMIT_USEC;
    TAILQ_REMOVE(&rejections->free, slot, link);
    TAILQ_INSERT_TAIL(&rejections->open, slot, link);
    rejections->n_open++;
    if (TAILQ_FIRST(&rejections->open) == slot)
        set_timer(rejections);
    return true;
}

int rejections_new(sd_event *event, struct rejections **ret)
{
    struct rejections *rejections = calloc(1, sizeof(*rejections));

    if (!rejections)
        return -ENOMEM;
    TAILQ_INIT(&rejections->free);
    TAILQ_INIT(&rejections->open);
    for (size_t i = 0; i < REJECTIONS_MAX; i++) {
        rejections->slots[i] = (struct slot){.owner = rejections, .fd = -1};
        TAILQ_INSERT_TAIL(&rejections->free, &rejections->slots[i], link);
    }
    rejections->event = sd_event_ref(event);
    int r = timer_init(&rejections->timer, event, ACCURACY_USEC, on_timer, rejections);
    if (r < 0) {
        rejections_free(rejections);
        return r;
    }
    *ret = rejections;
    return 0;
}

void rejections_free(struct rejections *rejections)
{
    if (!rejections)
        return;
    for (size_t i = 0; i < REJECTIONS_MAX; i++) {
        sd_event_source_disable_unref(rejections->slots[i].io);
        if (rejections->slots[i].fd >= 0)
            close_now(&rejections->slots[i].fd);
    }
    timer_clear(&rejections->timer);
    sd_event_unref(rejections->event);
    free(rejections);
}

void rejection_send(struct rejections *rejections, int *fd, const char *text, size_t length)
{
    struct rejection_counts *counts = &rejections->counts;
    size_t n_read = 0;

    if (length == 0 || !send_text(*fd, text, length)) {
        *(length == 0 ? &counts->n_silent : &counts->n_failed) += 1;
        close_now(fd);
        return;
    }
    (void)shutdown(*fd, SHUT_WR);
    if (drain_all(*fd, &n_read) == DRAINED_ENDED)
        counts->n_ended++;
    else if (n_read >= REJECTION_READ_MAX_BYTES)
        counts->n_talkative++;
    else if (slot_open(rejections, fd, n_read))
        return;
    else
        counts->n_hurried++;
    *fd = fd_close(*fd);
}

unsigned rejections_n_open(const struct rejections *rejections)
{
    return rejections->n_open;
}

const struct rejection_counts *rejections_counts(const struct rejections *rejections)
{
    return &rejections->counts;
}
