/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* For programs that serve connections by events rather than threads: one thread of the library
 * reads the channel and gives them the connections. A session then needs nothing but its place. */
#include "libdispatcher/internal.h"

#include "base/macro.h"
#include "base/time.h"
#include "libdispatcher/debug.h"
#include "protocol/channel.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

int event_mode_init(dispatcher_worker *worker)
{
    struct epoll_event event = {.events = EPOLLIN};

    worker->teller_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    event.data.fd = worker->teller_fd;
    if (worker->teller_fd < 0 ||
        epoll_ctl(worker->idle_epoll, EPOLL_CTL_ADD, worker->teller_fd, &event) < 0)
        return -errno;
    return 0;
}

/* A thread of the program that has ended a session goes on at once; the library's own thread
 * reminds dispatcherd. */
static void remind_later(dispatcher_worker *worker)
{
    static const struct itimerspec delay = {
        .it_value.tv_nsec = (long)(ENDED_DELAY_MSEC * USEC_PER_MSEC * NSEC_PER_USEC)};

    (void)timerfd_settime(worker->teller_fd, 0, &delay, NULL);
}

void event_mode_remind(dispatcher_worker *worker)
{
    if (atomic_load(&worker->sessions.has_teller) && sessions_remind(worker))
        remind_later(worker);
}

void event_mode_start_session(struct session *session)
{
    dispatcher_worker *worker = session->connection.worker;

    debug_say(worker, DEBUG_WORKER_EXTRA, &session->connection, "a session begins");
    worker->callbacks->take(&session->connection, worker->userdata);
}

static void event_mode_finish(dispatcher_connection *connection, enum message_type how)
{
    struct session *session = CONTAINER_OF(connection, struct session, connection);
    dispatcher_worker *worker = connection->worker;

    if (session_finish(session, how))
        remind_later(worker);
}

void dispatcher_connection_end(dispatcher_connection *connection)
{
    debug_say(connection->worker, DEBUG_WORKER_EXTRA, connection, "the session is over");
    event_mode_finish(connection, MESSAGE_ENDED);
}

void dispatcher_connection_passed_on(dispatcher_connection *connection)
{
    debug_say(connection->worker, DEBUG_WORKER_EXTRA, connection,
              "another program has the session");
    event_mode_finish(connection, MESSAGE_PASSED_ON);
}

/* A new dispatcherd must not be told that we have it after it was given back; so this waits for
 * whoever receives. */
static bool event_mode_put_back(struct session *session)
{
    alignas(8) uint8_t bytes[HELD_BYTES_MAX];
    dispatcher_connection *connection = &session->connection;
    dispatcher_worker *worker = connection->worker;

    pthread_mutex_lock(&worker->receiver.lock);
    bool is_put_back =
        worker->welcome.knows_put_back &&
        channel_send(worker->channel, bytes, held_write(bytes, MESSAGE_PUT_BACK, connection),
                     &connection->fd, 1) == 0;
    if (is_put_back)
        session_release(session);
    pthread_mutex_unlock(&worker->receiver.lock);
    return is_put_back;
}

bool dispatcher_connection_put_back(dispatcher_connection *connection)
{
    dispatcher_worker *worker = connection->worker;

    debug_say(worker, DEBUG_WORKER_EXTRA, connection, "puts the session back");
    if (!event_mode_put_back(CONTAINER_OF(connection, struct session, connection)))
        return false;
    if (dispatcher_worker_is_draining(worker))
        worker_wake(worker);
    return true;
}

void *event_mode_thread(void *argument)
{
    dispatcher_worker *worker = argument;
    uint64_t count;

    while (!atomic_load(&worker->sessions.is_stopping)) {
        struct epoll_event event = {0};
        int n = epoll_wait(worker->idle_epoll, &event, 1, -1);

        if (n > 0 && event.data.fd == worker->channel)
            receiver_attend(worker);
        else if (n > 0 && event.data.fd == worker->teller_fd &&
                 read(worker->teller_fd, &count, sizeof(count)) == sizeof(count) &&
                 sessions_remind(worker))
            remind_later(worker);
    }
    return NULL;
}
