/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/passed_on.h"

#include "base/fd.h"
#include "dispatcherd/core/completion.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/core/worker.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The kernel is asked about a few sockets at a time, so that nothing else waits for more than half
 * a millisecond. */
#define TICK_USEC (20 * USEC_PER_MSEC)
#define LOT_MAX   (PASSED_ON_QUESTIONS_SEC * TICK_USEC / USEC_PER_SEC)

/* If the kernel does not find one of our sockets, its client may have reset it. If this many in a
 * row are not found, and none was before, sockets are in another network namespace. */
#define DOUBTS_MAX 3

struct passed_on_watch {
    struct state *state;
    int question_fd;   /* owned; or a negative errno */
    bool is_proven;    /* the kernel has found a socket of ours */
    bool is_unable;    /* it finds none, and that was reported */
    unsigned n_doubts; /* sockets in a row that it did not find */
    struct connection_queue
        queue; /* passed on; the one that was asked about least recently comes first */
    unsigned n_queued;
    struct timer timer; /* set to when the first of the queue is to be asked about again */
    struct connection *by_number[STATE_RECORDS_MAX]; /* by the number of their record */
    uint64_t ids[STATE_RECORDS_MAX]; /* theirs: a search reads no other memory; 0: none */
};

static void on_time(void *userdata);

int passed_on_start(struct context *context, struct state *state)
{
    struct passed_on_watch *watch = calloc(1, sizeof(*watch));

    if (!watch)
        return -ENOMEM;
    int r = timer_init(&watch->timer, context->event, TICK_USEC / 4, on_time, watch);
    if (r < 0) {
        free(watch);
        return r;
    }
    watch->state = state;
    watch->question_fd = -EBADF;
    TAILQ_INIT(&watch->queue);
    context->passed_on = watch;
    return 0;
}

void passed_on_end(struct context *context)
{
    struct passed_on_watch *watch = context->passed_on;

    if (!watch)
        return;
    context->passed_on = NULL;
    timer_clear(&watch->timer);
    if (watch->question_fd >= 0)
        fd_close(watch->question_fd);
    free(watch);
}

static struct passed_on_watch *watch_of(const struct connection *connection)
{
    return connection->service->context->passed_on;
}

static int ask(struct passed_on_watch *watch, const struct socket_key *key)
{
    if (watch->question_fd < 0)
        watch->question_fd = socket_question_open();
    if (watch->question_fd < 0)
        return watch->question_fd;
    int r = socket_is_open(watch->question_fd, key);
    /* An answer that was not read must not be taken for the answer to the next question. */
    if (r < 0)
        watch->question_fd = fd_close(watch->question_fd);
    return r;
}

static void report_unable(const struct connection *connection, int error)
{
    const struct subject subject = {.service = connection->service->options->name,
                                    .message_id = MESSAGE_ID_NOT_WATCHED};

    report(LOG_WARNING, &subject,
           "connections that are passed on count as ended at once, and not for MAX_CONNS: the "
           "kernel does not report whether their sockets are open (%s)",
           error < 0 ? strerror(-error) : "they are not in dispatcherd's network namespace");
}

/* Finds out whether the kernel can be asked, by sockets that we still have open. */
static bool is_able(struct connection *connection, const struct socket_key *key)
{
    struct passed_on_watch *watch = watch_of(connection);

    if (watch->is_proven || watch->is_unable)
        return watch->is_proven;
    int r = ask(watch, key);
    watch->is_proven = r == 1;
    if (r == 1)
        return true;
    watch->is_unable = ++watch->n_doubts == DOUBTS_MAX;
    if (watch->is_unable)
        report_unable(connection, r);
    return !watch->is_unable;
}

static void attach(struct connection *connection, struct passed_record *record)
{
    struct passed_on_watch *watch = watch_of(connection);
    unsigned number = state_record_number(watch->state, record);

    connection->record = record;
    watch->by_number[number] = connection;
    watch->ids[number] = connection->id;
}

void passed_on_record(struct connection *connection)
{
    struct passed_on_watch *watch = watch_of(connection);
    struct socket_key key;

    if (!watch || connection->record || socket_key_read(connection->fd, &key) < 0 ||
        !is_able(connection, &key))
        return;
    struct passed_record *record = state_claim_record(watch->state);
    if (!record)
        return;
    *record = (struct passed_record){.key = key,
                                     .peer = connection->peer,
                                     .local = connection->local,
                                     .accepted_at = connection->accepted_at,
                                     .handed_at = connection->handed_at,
                                     .worker_pid = connection->worker->pid,
                                     .is_tls = connection->is_tls,
                                     .slot = (uint16_t)connection->worker->slot};
    snprintf(record->unit_name, sizeof(record->unit_name), "%s",
             connection->service->options->unit_name);
    state_keep_record(record, connection->id);
    attach(connection, record);
}

static void leave_queue(struct passed_on_watch *watch, struct connection *connection)
{
    if (!connection->is_watched)
        return;
    TAILQ_REMOVE(&watch->queue, connection, queue_link);
    connection->is_watched = false;
    watch->n_queued--;
}

void passed_on_forget(struct connection *connection)
{
    struct passed_on_watch *watch = watch_of(connection);

    if (!connection->record)
        return;
    unsigned number = state_record_number(watch->state, connection->record);

    leave_queue(watch, connection);
    watch->by_number[number] = NULL;
    watch->ids[number] = 0;
    state_release_record(watch->state, connection->record);
    connection->record = NULL;
}

static uint64_t interval(const struct passed_on_watch *watch)
{
    uint64_t usec = watch->n_queued * USEC_PER_SEC / PASSED_ON_QUESTIONS_SEC;

    return usec > PASSED_ON_INTERVAL_USEC ? usec : PASSED_ON_INTERVAL_USEC;
}

static bool awaits_answers(const struct service *service)
{
    for (unsigned slot = 0; slot < service->pool->n_slots; slot++)
        if (service->workers[slot] && service->workers[slot]->state == WORKER_ADOPTED)
            return true;
    return false;
}

/* As long as we have a copy ourselves, the kernel is not asked. */
static void look_at_copy(struct connection *connection, uint64_t now)
{
    if (!awaits_answers(connection->service))
        connection_drop_copy(connection, now);
}

static void ask_again_later(struct passed_on_watch *watch, struct connection *connection,
                            uint64_t now)
{
    TAILQ_REMOVE(&watch->queue, connection, queue_link);
    TAILQ_INSERT_TAIL(&watch->queue, connection, queue_link);
    connection->asked_at = now;
}

/* Returns the connection's service if the connection is over. */
static struct service *look(struct passed_on_watch *watch, struct connection *connection,
                            uint64_t now)
{
    struct service *service = connection->service;

    if (connection->fd >= 0) {
        look_at_copy(connection, now);
        ask_again_later(watch, connection, now);
        return NULL;
    }
    int r = ask(watch, &connection->record->key);
    if (r == 0) {
        if (connection->record->is_passed_on)
            completion_end(connection, HISTORY_ENDED, now);
        else
            completion_end(connection, HISTORY_BROKEN, now);
        return service;
    }
    if (r > 0)
        connection->record->is_passed_on = true;
    ask_again_later(watch, connection, now);
    return NULL;
}

/* Services are notified at the end, or when the next one is of another service, because what they
 * do then takes longer. */
static void look_at_lot(struct passed_on_watch *watch, uint64_t now)
{
    struct service *changed = NULL;
    struct connection *connection;

    for (unsigned i = 0; i < LOT_MAX && (connection = TAILQ_FIRST(&watch->queue)); i++) {
        if (connection->asked_at + interval(watch) > now)
            break;
        struct service *service = look(watch, connection, now);
        if (changed && service && service != changed)
            service_touch(changed);
        if (service)
            changed = service;
    }
    if (changed)
        service_touch(changed);
}

static void set_timer(struct passed_on_watch *watch, uint64_t now);

static void on_time(void *userdata)
{
    struct passed_on_watch *watch = userdata;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    look_at_lot(watch, now);
    set_timer(watch, now);
}

static void set_timer(struct passed_on_watch *watch, uint64_t now)
{
    const struct connection *first = TAILQ_FIRST(&watch->queue);

    if (!first)
        return;
    uint64_t at = first->asked_at + interval(watch);
    timer_set_at(&watch->timer, at < now + TICK_USEC ? now + TICK_USEC : at);
}

/* If the timer is set, it fires early enough: new connections are asked about last. */
static void enter_queue(struct connection *connection, uint64_t asked_at, uint64_t now)
{
    struct passed_on_watch *watch = watch_of(connection);

    connection->asked_at = asked_at;
    connection->is_watched = true;
    TAILQ_INSERT_TAIL(&watch->queue, connection, queue_link);
    if (watch->n_queued++ == 0)
        set_timer(watch, now);
}

void passed_on_begin(struct connection *connection, uint64_t now)
{
    if (!connection->record) {
        completion_end(connection, HISTORY_ENDED, now);
        return;
    }
    connection->record->worker_pid = connection->worker->pid;
    connection->record->is_passed_on = true;
    connection_pass_on(connection, now);
    enter_queue(connection, now, now);
}

void passed_on_or_broken(struct connection *connection, uint64_t now)
{
    if (!connection->record || connection->state != CONNECTION_ACTIVE) {
        completion_end(connection, HISTORY_BROKEN, now);
        return;
    }
    connection->record->worker_pid = connection->worker->pid;
    connection_pass_on(connection, now);
    enter_queue(connection, now, now);
}

static bool take_over(struct service *service, const struct passed_record *old, uint64_t now)
{
    struct passed_record *record = state_claim_record(service->context->passed_on->state);

    if (!record)
        return false;
    *record = *old;
    struct connection *connection = connection_adopt_passed_on(service, record);
    if (!connection) {
        state_release_record(service->context->passed_on->state, record);
        return false;
    }
    attach(connection, record);
    enter_queue(connection, 0, now);
    return true;
}

unsigned passed_on_take_over(struct context *context, struct service *const services[],
                             size_t n_services, const struct state *old)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    unsigned n = 0;

    for (unsigned i = 0; context->passed_on && i < state_n_records(old); i++) {
        struct passed_record record = *state_record((struct state *)old, i);

        record.unit_name[sizeof(record.unit_name) - 1] = '\0';
        struct service *service =
            record.id > 0 ? services_find(services, n_services, record.unit_name) : NULL;
        if (service)
            n += take_over(service, &record, now);
    }
    return n;
}

static struct connection *find(const struct service *service, uint64_t id)
{
    const struct passed_on_watch *watch = service->context->passed_on;
    unsigned n = watch ? state_n_records(watch->state) : 0;

    for (unsigned i = 0; i < n; i++) {
        struct connection *connection = watch->ids[i] == id ? watch->by_number[i] : NULL;

        if (connection && connection->service == service &&
            connection->state == CONNECTION_PASSED_ON)
            return connection;
    }
    return NULL;
}

/* A worker speaks of those that it was given, and of no other's. It has kept its slot; by which
 * process it speaks is its own business. */
static struct connection *find_of(const struct worker *worker, uint64_t id)
{
    struct connection *connection = find(worker->service, id);

    return connection && connection->record->slot == worker->slot ? connection : NULL;
}

struct connection *passed_on_take_up(struct worker *worker, uint64_t id)
{
    struct connection *connection = find_of(worker, id);

    if (!connection)
        return NULL;
    leave_queue(watch_of(connection), connection);
    connection->record->is_passed_on = false;
    connection_take_up(connection, worker);
    return connection;
}

bool passed_on_keep_copy(struct service *service, uint64_t id, int *fd, enum stored_kind kind)
{
    struct connection *connection = find(service, id);

    if (!connection || connection->fd >= 0)
        return false;
    connection_keep_copy(connection, fd, kind);
    return true;
}

bool passed_on_put_back(struct worker *worker, uint64_t id, int *fd, uint64_t now)
{
    struct connection *connection = find_of(worker, id);

    if (!connection || (!fd && connection->fd < 0) ||
        (fd && !passed_on_is_socket_of(connection, *fd)))
        return false;
    connection_put_back(connection, fd, now);
    return true;
}

/* Without a record at least nothing that is no connection gets into other hands. */
bool passed_on_is_socket_of(const struct connection *connection, int fd)
{
    const struct passed_record *record = connection->record;
    struct sockaddr_storage peer;
    socklen_t length = sizeof(peer);
    struct socket_key key;

    if (!record)
        return getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
    return socket_key_read(fd, &key) == 0 && key.cookie == record->key.cookie;
}

void passed_on_leave(struct service *service)
{
    struct passed_on_watch *watch = service->context->passed_on;

    for (unsigned i = 0; watch && service->pool->n_passed_on > 0; i++) {
        struct connection *connection = watch->by_number[i];

        if (connection && connection->service == service &&
            connection->state == CONNECTION_PASSED_ON)
            connection_close(connection, 0);
    }
}

const struct connection *passed_on_connection(const struct service *service, unsigned number)
{
    const struct connection *connection = service->context->passed_on->by_number[number];

    return connection && connection->service == service && connection->state == CONNECTION_PASSED_ON
               ? connection
               : NULL;
}

unsigned passed_on_n_numbers(const struct context *context)
{
    return context->passed_on ? state_n_records(context->passed_on->state) : 0;
}

uint64_t passed_on_exactness(const struct context *context)
{
    return context->passed_on ? interval(context->passed_on) + TICK_USEC : 0;
}
