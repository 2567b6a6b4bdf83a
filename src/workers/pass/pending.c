/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/pass/pending.h"

#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"
#include "workers/common/line_limit.h"
#include "workers/common/send_away.h"
#include "workers/pass/handover.h"
#include "workers/pass/target.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <syslog.h>

/* How often a connection that came back is sent again. */
#define RETRY_MSEC 100

/* How often those that were sent, and are not taken, are looked through for the oldest. */
#define LOOK_MSEC 500

enum {
    EVENTS_AT_ONCE = 64
};

/* One line for each client that is sent away, if they are few. */
static struct line_limit sent_away = LINE_LIMIT_INIT("clients sent away", LOG_WARNING, 100, 10);

/* One in the hands of the worker. */
struct item {
    TAILQ_ENTRY(item) link;
    dispatcher_connection *connection;
    uint64_t expires_at; /* CLOCK_MONOTONIC */
    int target; /* owned; -1: not sent, or it came back, and dispatcherd does not take it */
};

struct pending {
    const struct pass_settings *settings;
    struct target target; /* of the thread that offers and takes */
    int epoll_fd;         /* owned */
    int wake_fd;          /* owned: eventfd */
    int stop_fd;          /* the worker's */
    int offered;          /* owned: connected for the next one to be taken; or a negative errno */
    pthread_t thread;
    pthread_mutex_t lock; /* of the list, and of is_asleep */
    bool is_asleep;       /* the thread has no time limit: it is to be woken */
    TAILQ_HEAD(item_list, item) items;
    atomic_uint n_returned; /* of those, without a target */
    atomic_bool is_ending;
};

static uint64_t now_usec(void)
{
    return time_now_usec(CLOCK_MONOTONIC);
}

static uint64_t expiry(const struct pending *pending, const dispatcher_connection *connection)
{
    return time_add_usec(dispatcher_connection_accepted_at(connection),
                         pending->settings->timeout_usec);
}

static void wake(const struct pending *pending)
{
    (void)eventfd_write(pending->wake_fd, 1);
}

static enum come_back_protocol protocol_of(const dispatcher_connection *connection)
{
    return dispatcher_connection_is_tls(connection)
               ? COME_BACK_UNKNOWN
               : come_back_protocol_of_port(dispatcher_connection_local_port(connection));
}

/* Whoever may still find its descriptor in a queue finds a connection that is over. */
static void turn_away(struct pending *pending, dispatcher_connection *connection, const char *why)
{
    int fd = dispatcher_connection_fd(connection);

    if (line_limit_take(&sent_away, connection, why))
        dispatcher_connection_log(
            connection, LOG_WARNING, "sent away after %llu s: %s has not taken the connection (%s)",
            (unsigned long long)(pending->settings->timeout_usec / USEC_PER_SEC),
            pending->settings->to, why);
    send_away(fd, protocol_of(connection));
    (void)shutdown(fd, SHUT_RDWR);
    dispatcher_connection_set_outcome(connection, DISPATCHER_SENT_AWAY);
    dispatcher_connection_end(connection);
}

static void forget(struct pending *pending, struct item *item)
{
    pthread_mutex_lock(&pending->lock);
    TAILQ_REMOVE(&pending->items, item, link);
    pthread_mutex_unlock(&pending->lock);
    if (item->target < 0)
        pending->n_returned--;
    fd_close(item->target);
    free(item);
}

/* In dispatcherd's hands it outlives us. */
static bool put_back(struct pending *pending, struct item *item)
{
    if (!dispatcher_connection_put_back(item->connection))
        return false;
    forget(pending, item);
    return true;
}

static int send_to(const struct pending *pending, int target,
                   const dispatcher_connection *connection)
{
    const struct handover_client client = {
        .peer_host = dispatcher_connection_peer_host(connection),
        .local_host = dispatcher_connection_local_host(connection),
        .peer_port = dispatcher_connection_peer_port(connection),
        .local_port = dispatcher_connection_local_port(connection),
    };
    char bytes[HANDOVER_BYTES_MAX];
    size_t length = handover_write(pending->settings->format, &client, bytes);

    return handover_send(target, dispatcher_connection_fd(connection), bytes, length);
}

static int watch(const struct pending *pending, struct item *item)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = item};

    return epoll_ctl(pending->epoll_fd, EPOLL_CTL_ADD, item->target, &event) < 0 ? -errno : 0;
}

static void send_again(struct pending *pending, struct item *item)
{
    _cleanup_fd_ int target = handover_connect(pending->settings->to);

    if (target < 0 || send_to(pending, target, item->connection) < 0)
        return;
    item->target = take_fd(&target);
    pending->n_returned--;
    if (watch(pending, item) < 0) {
        item->target = fd_close(item->target);
        pending->n_returned++;
    }
}

static void answered(struct pending *pending, struct item *item)
{
    dispatcher_connection *connection = item->connection;

    switch (handover_look(item->target)) {
    case HANDOVER_OPEN:
        break;
    case HANDOVER_TAKEN:
        forget(pending, item);
        dispatcher_connection_passed_on(connection);
        break;
    case HANDOVER_RETURNED:
        item->target = fd_close(item->target);
        pending->n_returned++;
        (void)put_back(pending, item);
        break;
    }
}

/* All of them, while there is one that may be late: they are as many as the other program has in
 * its queue. */
static void look_through(struct pending *pending)
{
    bool is_stopping = dispatcher_worker_drain(pending->target.worker) == DISPATCHER_DRAIN_STOP;
    struct item *item, *next;
    uint64_t now = now_usec();

    pthread_mutex_lock(&pending->lock);
    item = TAILQ_FIRST(&pending->items);
    pthread_mutex_unlock(&pending->lock);
    for (; item; item = next) {
        pthread_mutex_lock(&pending->lock);
        next = TAILQ_NEXT(item, link);
        pthread_mutex_unlock(&pending->lock);
        bool is_over = is_stopping || now >= item->expires_at;

        if (is_over && item->target >= 0 && handover_look(item->target) == HANDOVER_TAKEN) {
            answered(pending, item);
        } else if (is_over) {
            dispatcher_connection *connection = item->connection;
            bool was_sent = item->target >= 0;

            forget(pending, item);
            turn_away(pending, connection,
                      is_stopping ? "the service stops"
                      : was_sent  ? "it is full: the connection was in its queue"
                                  : "it is away");
        } else if (item->target < 0 && !put_back(pending, item)) {
            send_again(pending, item);
        }
    }
}

/* The thread sleeps without a limit only after a pause in which nothing has come: to wake it for
 * each connection takes a seventh of this worker's processor time (measured with short sessions).
 */
static int pause_msec(struct pending *pending, bool was_quiet)
{
    pthread_mutex_lock(&pending->lock);
    pending->is_asleep = was_quiet && TAILQ_EMPTY(&pending->items);
    pthread_mutex_unlock(&pending->lock);
    if (pending->is_asleep)
        return -1;
    return pending->n_returned > 0 ? RETRY_MSEC : LOOK_MSEC;
}

static void *pending_thread(void *argument)
{
    struct pending *pending = argument;
    struct epoll_event events[EVENTS_AT_ONCE];
    uint64_t look_at = 0;
    eventfd_t count;
    int n = 0;

    while (!atomic_load(&pending->is_ending)) {
        n = epoll_wait(pending->epoll_fd, events, EVENTS_AT_ONCE, pause_msec(pending, n == 0));
        for (int i = 0; i < n; i++)
            if (events[i].data.ptr)
                answered(pending, events[i].data.ptr);
            else
                (void)eventfd_read(pending->wake_fd, &count);
        uint64_t now = now_usec();
        if (now < look_at)
            continue;
        look_through(pending);
        look_at = now + RETRY_MSEC * USEC_PER_MSEC;
    }
    return NULL;
}

bool pending_offer(struct pending *pending, const dispatcher_connection *connection)
{
    fd_close(pending->offered);
    pending->offered = handover_connect(pending->settings->to);
    uint64_t now = now_usec();
    target_note(&pending->target, pending->offered < 0 ? pending->offered : 0, now);
    return pending->offered >= 0 || now >= expiry(pending, connection);
}

/* From now on the item is the thread's, which waits for the lock before it frees one. */
static void keep(struct pending *pending, struct item *item)
{
    pthread_mutex_lock(&pending->lock);
    bool is_asleep = pending->is_asleep;
    TAILQ_INSERT_TAIL(&pending->items, item, link);
    bool is_returned = item->target < 0;
    pending->n_returned += is_returned;
    int r = is_returned ? 0 : watch(pending, item);
    pthread_mutex_unlock(&pending->lock);
    if (r < 0 || is_asleep || is_returned)
        wake(pending);
}

/* The descriptor is sent before anything else is done: a death of the worker between the
 * acknowledgement and this costs the client its connection. */
void pending_take(struct pending *pending, dispatcher_connection *connection)
{
    _cleanup_fd_ int target = take_fd(&pending->offered);
    int r = target < 0 ? target : send_to(pending, target, connection);
    /* If its time is over, or nobody could send it again, nothing is left to wait for. */
    struct item *item = target < 0 ? NULL : calloc(1, sizeof(*item));

    if (!item && r < 0) {
        turn_away(pending, connection, target_text(r));
        return;
    }
    /* Without memory we rely on the other program. */
    if (!item) {
        dispatcher_connection_passed_on(connection);
        return;
    }
    if (r < 0)
        target = fd_close(target);
    item->connection = connection;
    item->expires_at = expiry(pending, connection);
    item->target = take_fd(&target);
    keep(pending, item);
}

static int start(struct pending *pending)
{
    struct epoll_event wake_event = {.events = EPOLLIN};
    struct epoll_event stop_event = {.events = EPOLLIN | EPOLLET};

    pending->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    pending->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pending->epoll_fd < 0 || pending->wake_fd < 0 ||
        epoll_ctl(pending->epoll_fd, EPOLL_CTL_ADD, pending->wake_fd, &wake_event) < 0 ||
        epoll_ctl(pending->epoll_fd, EPOLL_CTL_ADD, pending->stop_fd, &stop_event) < 0)
        return -errno;
    return -pthread_create(&pending->thread, NULL, pending_thread, pending);
}

int pending_new(const struct pass_settings *settings, dispatcher_worker *worker,
                struct pending **ret)
{
    struct pending *pending = calloc(1, sizeof(*pending));

    if (!pending)
        return -ENOMEM;
    pending->settings = settings;
    pending->target = (struct target){.worker = worker, .path = settings->to};
    pending->epoll_fd = pending->wake_fd = pending->offered = -1;
    pending->stop_fd = dispatcher_worker_drain_fd(worker, DISPATCHER_DRAIN_STOP);
    pthread_mutex_init(&pending->lock, NULL);
    TAILQ_INIT(&pending->items);
    int r = start(pending);
    if (r < 0) {
        fd_close(pending->epoll_fd);
        fd_close(pending->wake_fd);
        free(pending);
        return r;
    }
    *ret = pending;
    return 0;
}

void pending_free(struct pending *pending)
{
    atomic_store(&pending->is_ending, true);
    wake(pending);
    pthread_join(pending->thread, NULL);
    line_limits_end();
    target_end(&pending->target);
    fd_close(pending->offered);
    fd_close(pending->epoll_fd);
    fd_close(pending->wake_fd);
    pthread_mutex_destroy(&pending->lock);
    free(pending);
}
