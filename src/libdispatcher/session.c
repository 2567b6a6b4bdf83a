/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "libdispatcher/internal.h"

#include "base/fd.h"
#include "libdispatcher/debug.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>

/* Wakes one idle thread, or all of them for good. */
static void watch_work(dispatcher_worker *worker, bool for_ever)
{
    struct epoll_event event = {.events = EPOLLIN | (for_ever ? 0 : EPOLLONESHOT),
                                .data.fd = worker->work_fd};

    (void)epoll_ctl(worker->idle_epoll, EPOLL_CTL_MOD, worker->work_fd, &event);
}

/* The message for the outcome, if dispatcherd knows outcomes. */
static enum message_type with_outcome(const struct session *session, enum message_type how)
{
    if (how != MESSAGE_ENDED || !session->connection.worker->sessions.knows_outcomes)
        return how;
    switch (session->connection.outcome) {
    case DISPATCHER_FAILED:
        return MESSAGE_FAILED;
    case DISPATCHER_SENT_AWAY:
        return MESSAGE_SENT_AWAY;
    case DISPATCHER_SERVED:
        break;
    }
    return how;
}

/* Frees the place and publishes the end in one step: the next connection may come as soon as
 * dispatcherd knows of it, and the main thread must not find all done before it is published. */
bool session_finish(struct session *session, enum message_type how)
{
    dispatcher_worker *worker = session->connection.worker;
    struct sessions *sessions = &worker->sessions;
    uint64_t id = session->connection.id;

    session->connection.fd = fd_close(session->connection.fd);
    pthread_mutex_lock(&sessions->lock);
    how = with_outcome(session, how);
    session->is_reserved = false;
    session->next = sessions->free;
    sessions->free = session;
    bool is_last = --sessions->n_busy == 0;
    enum news_next next = news_end(&worker->news, how, id, session->acknowledged_at,
                                   dispatcher_worker_is_draining(worker));
    pthread_mutex_unlock(&sessions->lock);
    if (next == NEWS_SEND && !news_send(&worker->news, worker->channel))
        next = NEWS_LATER;
    if (is_last && dispatcher_worker_is_draining(worker))
        worker_wake(worker);
    /* The thread stops being the teller before it reminds, so its reminder covers everything
     * published until then. */
    return next == NEWS_LATER && !atomic_exchange(&sessions->has_teller, true);
}

/* A session that has started and has no thread. If there are more, another thread is woken, which
 * does the same, unless one is on its way already. */
static struct session *take_started(dispatcher_worker *worker, bool *is_woken)
{
    struct sessions *sessions = &worker->sessions;

    pthread_mutex_lock(&sessions->lock);
    struct session *session = sessions->started;
    if (session && !(sessions->started = session->next))
        sessions->last_one = &sessions->started;
    if (*is_woken)
        sessions->is_waking = false;
    *is_woken = false;
    bool wakes = sessions->started && !sessions->is_waking;
    sessions->is_waking |= wakes;
    pthread_mutex_unlock(&sessions->lock);
    if (wakes)
        watch_work(worker, false);
    return session;
}

bool sessions_remind(dispatcher_worker *worker)
{
    atomic_store(&worker->sessions.has_teller, false);
    return news_remind(&worker->news) == NEWS_SEND && !news_send(&worker->news, worker->channel) &&
           !atomic_exchange(&worker->sessions.has_teller, true);
}

/* Waits until there is something to do, and does it, except for serving. Returns true if it was
 * woken for a session. */
static bool wait_for_work(dispatcher_worker *worker, bool *is_teller)
{
    struct epoll_event event = {0};
    int n = epoll_wait(worker->idle_epoll, &event, 1, *is_teller ? ENDED_DELAY_MSEC : -1);

    if (n > 0 && event.data.fd == worker->channel)
        receiver_attend(worker);
    if (*is_teller)
        *is_teller = sessions_remind(worker);
    return n > 0 && event.data.fd == worker->work_fd;
}

/* Returns NULL when there will be no more. */
static struct session *wait_for_session(dispatcher_worker *worker, bool is_teller)
{
    bool is_woken = false;

    while (!atomic_load(&worker->sessions.is_stopping)) {
        struct session *session = take_started(worker, &is_woken);

        /* With ends still untold: whoever ends a session next may become the teller. */
        if (session && is_teller && sessions_remind(worker))
            atomic_store(&worker->sessions.has_teller, false);
        if (session)
            return session;
        is_woken = wait_for_work(worker, &is_teller);
    }
    return NULL;
}

static void *session_thread(void *argument)
{
    dispatcher_worker *worker = argument;
    struct session *session;
    bool is_teller = false;

    while ((session = wait_for_session(worker, is_teller))) {
        debug_say(worker, DEBUG_WORKER_EXTRA, &session->connection, "a session begins");
        worker->callbacks->serve(&session->connection, worker->userdata);
        debug_say(worker, DEBUG_WORKER_EXTRA, &session->connection, "the session is over");
        is_teller = session_finish(session, MESSAGE_ENDED);
    }
    return NULL;
}

static int make_threads(dispatcher_worker *worker, void *(*function)(void *), unsigned wanted,
                        size_t stack_size)
{
    struct sessions *sessions = &worker->sessions;
    pthread_attr_t attributes;
    int r = 0;

    pthread_attr_init(&attributes);
    if (stack_size > 0)
        pthread_attr_setstacksize(&attributes, stack_size < (size_t)PTHREAD_STACK_MIN
                                                   ? (size_t)PTHREAD_STACK_MIN
                                                   : stack_size);
    while (sessions->n_threads < wanted && r == 0) {
        r = pthread_create(&sessions->threads[sessions->n_threads], &attributes, function, worker);
        if (r == 0)
            sessions->n_threads++;
    }
    pthread_attr_destroy(&attributes);
    return -r;
}

static int start_serving(dispatcher_worker *worker, size_t stack_size, unsigned wanted)
{
    struct sessions *sessions = &worker->sessions;
    int r = make_threads(worker, session_thread, wanted + 1, stack_size);

    sessions->n_items = sessions->n_threads < 2 ? 0 : sessions->n_threads - 1;
    return r;
}

static int start_event_mode(dispatcher_worker *worker, size_t stack_size, unsigned wanted)
{
    int r = event_mode_init(worker);

    if (r == 0)
        r = make_threads(worker, event_mode_thread, 1, stack_size);
    if (r == 0)
        worker->sessions.n_items = wanted;
    return r;
}

int sessions_start(dispatcher_worker *worker, unsigned wanted, size_t stack_size)
{
    struct sessions *sessions = &worker->sessions;

    pthread_mutex_init(&sessions->lock, NULL);
    identity_init(sessions);
    sessions->last_one = &sessions->started;
    sessions->knows_outcomes = worker->welcome.knows_outcomes != 0;
    /* Not cleared: untouched memory costs nothing, and most places of an idle worker are never
     * used. A place is filled when it is first used. */
    sessions->items = reallocarray(NULL, wanted, sizeof(*sessions->items));
    sessions->threads = calloc(wanted + 1, sizeof(*sessions->threads));
    if (!sessions->items || !sessions->threads)
        return -ENOMEM;
    int r = worker->callbacks->take ? start_event_mode(worker, stack_size, wanted)
                                    : start_serving(worker, stack_size, wanted);
    return sessions->n_items > 0 ? (int)sessions->n_items : r;
}

/* It has never been used: the memory may be of any content. */
static void session_begin_place(struct session *session)
{
    session->connection.access_texts = NULL;
    session->connection.tls = NULL;
    session->connection.identity = NULL;
}

struct session *session_reserve(dispatcher_worker *worker)
{
    struct sessions *sessions = &worker->sessions;

    pthread_mutex_lock(&sessions->lock);
    struct session *session = sessions->free;
    if (session)
        sessions->free = session->next;
    else if (sessions->n_used < sessions->n_items)
        session_begin_place(session = &sessions->items[sessions->n_used++]);
    if (session) {
        session->connection.worker = worker;
        session->is_reserved = true;
        sessions->n_busy++;
    }
    pthread_mutex_unlock(&sessions->lock);
    return session;
}

void session_start(struct session *session)
{
    struct sessions *sessions = &session->connection.worker->sessions;

    pthread_mutex_lock(&sessions->lock);
    session->next = NULL;
    *sessions->last_one = session;
    sessions->last_one = &session->next;
    pthread_mutex_unlock(&sessions->lock);
}

void session_release(struct session *session)
{
    struct sessions *sessions = &session->connection.worker->sessions;

    session->connection.fd = fd_close(session->connection.fd);
    pthread_mutex_lock(&sessions->lock);
    session->is_reserved = false;
    session->next = sessions->free;
    sessions->free = session;
    sessions->n_busy--;
    pthread_mutex_unlock(&sessions->lock);
}

unsigned sessions_busy(struct sessions *sessions)
{
    pthread_mutex_lock(&sessions->lock);
    unsigned n_busy = sessions->n_busy;
    pthread_mutex_unlock(&sessions->lock);
    return n_busy;
}

void sessions_stop(dispatcher_worker *worker)
{
    struct sessions *sessions = &worker->sessions;

    atomic_store(&sessions->is_stopping, true);
    watch_work(worker, true);
    for (unsigned i = 0; i < sessions->n_threads; i++)
        pthread_join(sessions->threads[i], NULL);
    sessions->n_threads = 0;
}

void sessions_free(dispatcher_worker *worker)
{
    struct sessions *sessions = &worker->sessions;

    for (unsigned i = 0; i < sessions->n_used; i++) {
        free(sessions->items[i].connection.access_texts);
        free(sessions->items[i].connection.tls);
        free(sessions->items[i].connection.identity);
    }
    free(sessions->items);
    free(sessions->threads);
    *sessions = (struct sessions){0};
}
