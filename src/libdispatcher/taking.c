/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Programs that serve their connections by events, not by threads: one thread of the library reads
 * the channel and gives them what has come. A session is then no more than its place. */
#include "libdispatcher/internal.h"

#include "base/macro.h"
#include "base/time.h"
#include "libdispatcher/debug.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

int taking_init(dispatcher_worker *worker)
{
    struct epoll_event event = {.events = EPOLLIN};

    worker->teller_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    event.data.fd = worker->teller_fd;
    if (worker->teller_fd < 0 ||
        epoll_ctl(worker->idle_epoll, EPOLL_CTL_ADD, worker->teller_fd, &event) < 0)
        return -errno;
    return 0;
}

/* Whichever thread has ended a session goes on at once; the library's own reminds dispatcherd. */
static void remind_later(dispatcher_worker *worker)
{
    static const struct itimerspec delay = {
        .it_value.tv_nsec = (long)(ENDED_DELAY_MSEC * USEC_PER_MSEC * NSEC_PER_USEC)};

    (void)timerfd_settime(worker->teller_fd, 0, &delay, NULL);
}

void taking_look(dispatcher_worker *worker)
{
    if (atomic_load(&worker->sessions.has_teller) && sessions_remind(worker))
        remind_later(worker);
}

void taking_start_session(struct session *session)
{
    dispatcher_worker *worker = session->connection.worker;

    debug_say(worker, DEBUG_WORKER_EXTRA, &session->connection, "a session begins");
    worker->callbacks->take(&session->connection, worker->userdata);
}

void dispatcher_connection_end(dispatcher_connection *connection)
{
    struct session *session = CONTAINER_OF(connection, struct session, connection);
    dispatcher_worker *worker = connection->worker;

    debug_say(worker, DEBUG_WORKER_EXTRA, connection, "the session is over");
    if (session_finish(session))
        remind_later(worker);
}

void *taking_thread(void *argument)
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
