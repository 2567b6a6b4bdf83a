/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/proxy/relay.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/time.h"
#include "workers/common/line_limit.h"
#include "workers/proxy/links.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    EVENTS_AT_ONCE = 64,

    /* How long until the next look at those that have a time limit. A session that waits for a back
     * end costs its client so much. */
    TICK_WAITING_MSEC = 20,
    TICK_WATCHED_MSEC = 250,

    /* The thread's. Its frames are small: the buffer is in struct relay. */
    STACK_BYTES = 256 * 1024
};

static struct line_limit closed = LINE_LIMIT_INIT("closed connections", LOG_ERR, 20, 1);

/* What the descriptors that belong to no session are known by. */
static struct end wake_end, stop_end;

void relay_take(struct relay *relay, dispatcher_connection *connection)
{
    struct session *session = malloc(sizeof(*session));
    const uint64_t one = 1;

    if (!session) {
        if (line_limit_take(&closed, connection, "out of memory"))
            dispatcher_connection_log(connection, LOG_ERR, "closed: out of memory");
        dispatcher_connection_end(connection);
        return;
    }
    *session = (struct session){
        .connection = connection,
        .ends = {{.fd = dispatcher_connection_fd(connection), .is_client = true}, {.fd = -1}},
        .ways = {WAY_INIT, WAY_INIT},
    };
    pthread_mutex_lock(&relay->lock);
    bool wakes = !relay->arrived;
    session->next_arrived = relay->arrived;
    relay->arrived = session;
    pthread_mutex_unlock(&relay->lock);
    if (wakes)
        (void)!write(relay->wake_fd, &one, sizeof(one));
}

static struct session *in_order(struct session *last)
{
    struct session *first = NULL;

    while (last) {
        struct session *next = last->next_arrived;

        last->next_arrived = first;
        first = last;
        last = next;
    }
    return first;
}

/* Returns false if the thread is to end. */
static bool take_arrived(struct relay *relay)
{
    uint64_t count;

    (void)!read(relay->wake_fd, &count, sizeof(count));
    pthread_mutex_lock(&relay->lock);
    struct session *next, *session = in_order(STEAL(relay->arrived));
    bool is_ending = relay->is_ending;
    pthread_mutex_unlock(&relay->lock);
    for (; session; session = next) {
        next = session->next_arrived;
        session_begin(session, relay);
    }
    return !is_ending;
}

/* The descriptor stays readable. */
static void begin_to_stop(struct relay *relay)
{
    int fd = dispatcher_worker_drain_fd(relay->worker, DISPATCHER_DRAIN_STOP);

    relay->is_stopping = true;
    (void)epoll_ctl(relay->epoll, EPOLL_CTL_DEL, fd, NULL);
}

static void handle_event(struct relay *relay, struct end *end, uint32_t events)
{
    struct session *session =
        CONTAINER_OF(end - (end->is_client ? END_CLIENT : END_SERVER), struct session, ends[0]);

    session_event(session, relay, end, events);
}

/* Each has one turn, and a further one if it has more to move then. */
static void give_turns(struct relay *relay)
{
    struct session_link *last = relay->turns.prev, *link = relay->turns.next;

    for (bool is_over = link == &relay->turns; !is_over;) {
        struct session *session = CONTAINER_OF(link, struct session, turn);

        is_over = link == last;
        link_remove(link);
        session->has_turn = false;
        session_move(session, relay);
        link = relay->turns.next;
    }
}

static void tick(struct relay *relay)
{
    struct session_link *next;

    for (struct session_link *link = relay->watched.next; link != &relay->watched; link = next) {
        next = link->next;
        session_tick(CONTAINER_OF(link, struct session, watched), relay);
    }
    for (struct session_link *link = relay->sessions.next;
         relay->is_stopping && link != &relay->sessions; link = next) {
        next = link->next;
        session_stop_if_idle(CONTAINER_OF(link, struct session, of_all), relay);
    }
    trouble_tick(&relay->trouble, &relay->backends, relay->now);
}

static int wait_msec(const struct relay *relay)
{
    if (relay->turns.next != &relay->turns)
        return 0;
    if (relay->n_waiting > 0)
        return TICK_WAITING_MSEC;
    if (relay->watched.next != &relay->watched || relay->is_stopping ||
        trouble_has_work(&relay->trouble))
        return TICK_WATCHED_MSEC;
    return -1;
}

static void free_over(struct relay *relay)
{
    while (relay->over.next != &relay->over) {
        struct session *session = CONTAINER_OF(relay->over.next, struct session, of_all);

        link_remove(&session->of_all);
        free(session);
    }
}

static bool handle_events(struct relay *relay, const struct epoll_event events[], int n)
{
    bool goes_on = true;

    for (int i = 0; i < n; i++)
        if (events[i].data.ptr == &wake_end)
            goes_on = take_arrived(relay);
        else if (events[i].data.ptr == &stop_end)
            begin_to_stop(relay);
        else
            handle_event(relay, events[i].data.ptr, events[i].events);
    return goes_on;
}

static void *run(void *argument)
{
    struct relay *relay = argument;
    struct epoll_event events[EVENTS_AT_ONCE];
    uint64_t next_tick = 0;
    bool goes_on = true;

    while (goes_on) {
        int timeout_msec = wait_msec(relay);
        int n = epoll_wait(relay->epoll, events, EVENTS_AT_ONCE, timeout_msec);

        relay->now = time_now_usec(CLOCK_MONOTONIC);
        goes_on = handle_events(relay, events, n);
        give_turns(relay);
        timeout_msec = wait_msec(relay);
        if (timeout_msec >= 0 && relay->now >= next_tick) {
            tick(relay);
            next_tick = relay->now + TICK_WAITING_MSEC * USEC_PER_MSEC;
        }
        free_over(relay);
    }
    return NULL;
}

static int watch(const struct relay *relay, int fd, struct end *end)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = end};

    return epoll_ctl(relay->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int make_thread(struct relay *relay)
{
    pthread_attr_t attributes;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int r = -pthread_create(&relay->thread, &attributes, run, relay);
    pthread_attr_destroy(&attributes);
    return r;
}

int relay_start(struct relay *relay, dispatcher_worker *worker, const struct settings *settings)
{
    relay->worker = worker;
    relay->settings = settings;
    trouble_init(&relay->trouble, worker, settings);
    pthread_mutex_init(&relay->lock, NULL);
    link_init(&relay->sessions);
    link_init(&relay->watched);
    link_init(&relay->turns);
    link_init(&relay->over);
    relay->epoll = epoll_create1(EPOLL_CLOEXEC);
    relay->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (relay->epoll < 0 || relay->wake_fd < 0)
        return -errno;
    int r = watch(relay, relay->wake_fd, &wake_end);
    if (r == 0)
        r = watch(relay, dispatcher_worker_drain_fd(worker, DISPATCHER_DRAIN_STOP), &stop_end);
    return r < 0 ? r : make_thread(relay);
}

void relay_stop(struct relay *relay)
{
    const uint64_t one = 1;

    pthread_mutex_lock(&relay->lock);
    relay->is_ending = true;
    pthread_mutex_unlock(&relay->lock);
    (void)!write(relay->wake_fd, &one, sizeof(one));
    pthread_join(relay->thread, NULL);
    line_limits_end();
    trouble_clear(&relay->trouble);
    pipes_clear(&relay->tools.pipes);
    backends_clear(&relay->backends);
    tls_context_free(relay->tls);
    relay->tls = NULL;
    relay->wake_fd = fd_close(relay->wake_fd);
    relay->epoll = fd_close(relay->epoll);
}
