/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The receiver: takes packets off the channel and handles each, one at a time and in order.
 *
 * It is a role, not a thread. An idle thread that is woken by a packet receives what is there,
 * acknowledges it, and then serves one of the connections itself: no other thread has to be woken.
 * The channel is edge-triggered (EPOLLET), so a thread that stops reading before it is empty must
 * watch it anew. */
#include "libdispatcher/internal.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/time.h"
#include "libdispatcher/debug.h"
#include "protocol/channel.h"
#include "protocol/connection_id.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MESSAGES_AT_ONCE = 32 /* how many are read before they are acknowledged */
};

static void complain(const char *what, const char *why)
{
    log_err("libdispatcher: %s%s", what, why);
}

/* Of what makes this worker drain. */
static void complain_of_end(const char *what, const char *why)
{
    log_err("libdispatcher: %s%s; this worker takes no more connections, and exits after its "
            "sessions",
            what, why);
}

/* Further orders can only shorten a drain that is under way, or make it more urgent. */
static void start_draining(dispatcher_worker *worker, enum dispatcher_drain kind,
                           unsigned limit_sec)
{
    struct receiver *receiver = &worker->receiver;
    uint64_t cut_at = time_add_usec(time_now_usec(CLOCK_MONOTONIC), limit_sec * USEC_PER_SEC);

    if (cut_at < receiver->cut_at)
        receiver->cut_at = cut_at;
    debug_say(worker, DEBUG_WORKER_EXTRA, NULL, "ordered to %s within %u s",
              kind == DISPATCHER_DRAIN_STOP ? "stop" : "drain", limit_sec);
    if (!drain_raise(&worker->drain, kind))
        return;
    debug_say(worker, DEBUG_WORKER, NULL, "%s; %u sessions continue",
              kind == DISPATCHER_DRAIN_STOP ? "stopping" : "draining",
              sessions_busy(&worker->sessions));
    manager_say_draining();
}

static void tell(dispatcher_worker *worker, enum message_type type, uint64_t id)
{
    if (news_tell(&worker->news, type, id) == NEWS_SEND)
        (void)news_send(&worker->news, worker->channel);
}

/* For causes that dispatcherd does not know. */
static void drain_and_tell(dispatcher_worker *worker, enum dispatcher_drain kind)
{
    bool is_known = dispatcher_worker_is_draining(worker);

    start_draining(worker, kind, worker->welcome.drain_limit_sec);
    if (!is_known)
        tell(worker, MESSAGE_DRAINING, 0);
}

static void start_batch(dispatcher_worker *worker);

/* Who ends the channel, for the log. */
static const char closed_by_dispatcherd[] = "dispatcherd has closed the channel";
static const char closed_by_us[] = "this worker closes the channel to dispatcherd";

/* Connections that were received are acknowledged before dispatcherd sees the end. Sessions are not
 * asked to hurry: dispatcherd may have crashed, and if the service stopped, the order came before.
 */
static void end_channel(dispatcher_worker *worker, const char *by_whom)
{
    debug_say(worker, DEBUG_WORKER_IO, NULL, "%s", by_whom);
    start_draining(worker, DISPATCHER_DRAIN_RECYCLE, worker->welcome.drain_limit_sec);
    start_batch(worker);
    (void)shutdown(worker->channel, SHUT_RDWR);
    worker->receiver.channel_is_open = false;
}

static int acknowledge(dispatcher_worker *worker)
{
    struct receiver *receiver = &worker->receiver;
    uint64_t ids[BATCH_MAX], at;
    enum news_next next;

    for (size_t i = 0; i < receiver->n_batch; i++)
        ids[i] = receiver->batch[i]->connection.id;
    int r = news_acknowledge(&worker->news, ids, receiver->n_batch, &at, &next);
    if (r < 0)
        return r;
    for (size_t i = 0; i < receiver->n_batch; i++)
        receiver->batch[i]->acknowledged_at = at;
    if (next == NEWS_SEND)
        (void)news_send(&worker->news, worker->channel);
    return 0;
}

static void start_session(struct session *session)
{
    if (session->connection.worker->callbacks->take)
        event_mode_start_session(session);
    else
        session_start(session);
}

/* A session starts only if its acknowledgement counts: if dispatcherd has given this worker up,
 * another worker may have the connection, and it must not be served twice. */
static void start_batch(dispatcher_worker *worker)
{
    struct receiver *receiver = &worker->receiver;

    if (receiver->n_batch == 0)
        return;
    int r = acknowledge(worker);
    if (r == 0 && worker->callbacks->take)
        event_mode_remind(worker);
    for (size_t i = 0; i < receiver->n_batch; i++)
        if (r == 0)
            start_session(receiver->batch[i]);
        else
            session_release(receiver->batch[i]);
    receiver->n_batch = 0;
    if (r == -ENOSPC) {
        complain_of_end("dispatcherd has sent more connections than this worker has places", "");
        end_channel(worker, closed_by_us);
    }
}

/* Texts are rare, so a place has no room for them. */
static int copy_texts(dispatcher_connection *connection, const struct connection_view *view)
{
    const struct connection_record *record = view->record;

    free(connection->access_texts);
    connection->access_texts = NULL;
    if (record->tag_length == 0 && record->note_length == 0)
        return 0;
    char *texts = calloc(1, (size_t)record->tag_length + record->note_length + 2);
    if (!texts)
        return -ENOMEM;
    memcpy(texts, view->tag, record->tag_length);
    memcpy(texts + record->tag_length + 1, view->note, record->note_length);
    connection->access_texts = texts;
    return 0;
}

static int fill_connection(dispatcher_connection *connection, const struct connection_view *view,
                           int fd)
{
    const struct connection_record *record = view->record;

    connection->fd = fd;
    connection->id = record->id;
    connection->accepted_at_usec = record->accepted_at_usec;
    connection->peer = record->peer;
    connection->local = record->local;
    connection->is_tls = record->flags & CONNECTION_FLAG_TLS;
    connection->outcome = DISPATCHER_SERVED;
    free(connection->tls);
    connection->tls = NULL;
    free(connection->identity);
    connection->identity = NULL;
    connection->awaits_identity = record->flags & CONNECTION_FLAG_IDENTITY;
    connection->id_text[0] = '\0';
    connection->peer_host[0] = '\0';
    connection->local_host[0] = '\0';
    return copy_texts(connection, view);
}

/* Asks a program that may be unable to take the connection now. */
static bool is_wanted(const dispatcher_worker *worker, struct session *session)
{
    bool (*offer)(dispatcher_connection *, void *) = worker->callbacks->offer;

    if (!offer || offer(&session->connection, worker->userdata))
        return true;
    debug_say(worker, DEBUG_WORKER_HANDOFFS, &session->connection, "put off");
    return false;
}

/* A refused connection is closed here; dispatcherd still has its copy. */
static void take_connection(dispatcher_worker *worker, const struct connection_view *view, int fd)
{
    struct receiver *receiver = &worker->receiver;
    struct session *session = NULL;
    char id[CONNECTION_ID_BYTES];

    if (!dispatcher_worker_is_draining(worker) && receiver->n_batch < BATCH_MAX)
        session = session_reserve(worker);
    if (session && fill_connection(&session->connection, view, fd) < 0) {
        session_release(session);
        session = NULL;
        fd = -1;
    }
    if (session && !is_wanted(worker, session)) {
        session_release(session);
        tell(worker, MESSAGE_PUT_OFF, view->record->id);
        return;
    }
    if (!session) {
        debug_say(worker, DEBUG_WORKER_HANDOFFS, NULL, "refused connection %s",
                  connection_id_format(view->record->id, id));
        fd_close(fd);
        tell(worker, MESSAGE_REFUSE, view->record->id);
        return;
    }
    debug_say(worker, DEBUG_WORKER_HANDOFFS, &session->connection, "received from the channel");
    receiver->batch[receiver->n_batch++] = session;
    /* The program's answer may not be true for long. */
    if (worker->callbacks->offer)
        start_batch(worker);
}

/* A process that has reached its limit of descriptors gets fewer than were sent. The next
 * connection would fail as well, so the worker drains. */
static void handle_connections(dispatcher_worker *worker, const struct message *message,
                               const int fds[], size_t n_fds)
{
    struct connection_view view;
    size_t offset = 0;

    if (n_fds < message->value) {
        complain("no file descriptor left for a connection: this worker has reached its limit of "
                 "open files, takes no more connections, and exits after its sessions; raise "
                 "LimitNOFILE= of its unit",
                 "");
        drain_and_tell(worker, DISPATCHER_DRAIN_RECYCLE);
    }
    for (size_t i = 0; message_next_connection(message, &offset, &view); i++)
        take_connection(worker, &view, i < n_fds ? fds[i] : -1);
}

/* Connections that were received before the question are acknowledged before it, in the old ring;
 * the answer contains them. */
static int handle_adopt(dispatcher_worker *worker, const struct message *message, const int fds[],
                        size_t n_fds)
{
    if (n_fds > 1)
        return -EBADMSG;
    start_batch(worker);
    return held_tell(worker, message, n_fds > 0 ? fds[0] : -1);
}

/* The descriptor is missing if the process has reached its limit: the old file is used a while
 * longer. */
static int handle_log(const int fds[], size_t n_fds)
{
    if (n_fds > 1)
        return -EBADMSG;
    if (n_fds == 1)
        return worker_use_log_file(fds[0]);
    complain("no file descriptor left for the new log file (LimitNOFILE=); writing to the old one",
             "");
    return 0;
}

static void handle_message(dispatcher_worker *worker, size_t length, const int fds[], size_t n_fds)
{
    struct message message;
    bool is_good =
        message_read(worker->receiver.message, length, &message) == 0 && message.length == length;

    if (is_good)
        debug_say(worker, DEBUG_WORKER_IO_EXTRA, NULL, "received %s %u from dispatcherd",
                  message_type_to_string(message.type), message.value);
    if (is_good && message.type == MESSAGE_CONNECTION && n_fds <= message.value) {
        handle_connections(worker, &message, fds, n_fds);
        return;
    }
    int r = -EBADMSG;
    if (is_good && message.type == MESSAGE_IDENTITY && n_fds == 0) {
        identity_take(worker, &message);
        return;
    }
    if (is_good && message.type == MESSAGE_ADOPT)
        r = handle_adopt(worker, &message, fds, n_fds);
    else if (is_good && message.type == MESSAGE_LOG)
        r = handle_log(fds, n_fds);
    for (size_t i = 0; i < n_fds; i++)
        fd_close(fds[i]);
    if (is_good && n_fds == 0 && message.type == MESSAGE_DRAIN) {
        start_draining(worker, DISPATCHER_DRAIN_RECYCLE, message.value);
    } else if (is_good && n_fds == 0 && message.type == MESSAGE_STOP) {
        start_draining(worker, DISPATCHER_DRAIN_STOP, message.value);
    } else if (is_good && n_fds == 0 && message.type == MESSAGE_STRESS) {
        debug_say(worker, DEBUG_WORKER, NULL, "the service is %sunder stress",
                  message.value != 0 ? "" : "no longer ");
        stress_set(&worker->stress, message.value != 0);
    } else if (is_good && n_fds == 0 && message.type == MESSAGE_DEBUG) {
        atomic_store(&worker->debug, message.value);
        debug_say(worker, DEBUG_WORKER, NULL, "DEBUG=16%%%X from now on", message.value);
    } else if (r < 0) {
        /* -EPIPE: nobody has the other end any more, which needs no error. */
        if (r == -EBADMSG)
            complain_of_end("dispatcherd has sent an invalid message", "");
        else if (r != -EPIPE)
            complain_of_end("cannot carry out an order of dispatcherd: ", strerrordesc_np(-r));
        end_channel(worker, r == -EPIPE ? closed_by_dispatcherd : closed_by_us);
    }
}

static bool has_room(const struct receiver *receiver)
{
    return receiver->channel_is_open && receiver->n_batch + MESSAGE_FDS_MAX <= BATCH_MAX;
}

/* Receives one packet and handles it. Returns false if there was none. */
static bool receive_packet(dispatcher_worker *worker)
{
    struct receiver *receiver = &worker->receiver;
    int fds[MESSAGE_FDS_MAX];
    size_t n_fds;
    pid_t pid;
    ssize_t length = channel_receive(worker->channel, receiver->message, sizeof(receiver->message),
                                     fds, &n_fds, &pid);

    if (length == -EAGAIN)
        return false;
    if (length < 0)
        complain_of_end("cannot read from dispatcherd: ", strerrordesc_np((int)-length));
    if (length <= 0)
        end_channel(worker, length == 0 ? closed_by_dispatcherd : closed_by_us);
    else
        handle_message(worker, (size_t)length, fds, n_fds);
    return true;
}

/* Receives what is there, up to a batch, and starts it together. Returns true if the channel was
 * read until it was empty. */
static bool receive_batch(dispatcher_worker *worker)
{
    struct receiver *receiver = &worker->receiver;
    bool is_empty = false;

    for (int n = 0; n < MESSAGES_AT_ONCE && !is_empty && has_room(receiver); n++)
        is_empty = !receive_packet(worker);
    start_batch(worker);
    return is_empty;
}

/* Has an idle thread woken for packets that are left. */
static int watch_channel(dispatcher_worker *worker, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = worker->channel};

    return epoll_ctl(worker->idle_epoll, operation, worker->channel, &event) < 0 ? -errno : 0;
}

int receiver_start(dispatcher_worker *worker)
{
    struct receiver *receiver = &worker->receiver;

    pthread_mutex_lock(&receiver->lock);
    receiver->channel_is_open = true;
    receiver->cut_at = USEC_INFINITY;
    int r = watch_channel(worker, EPOLL_CTL_ADD);
    pthread_mutex_unlock(&receiver->lock);
    return r;
}

void receiver_attend(dispatcher_worker *worker)
{
    struct receiver *receiver = &worker->receiver;

    pthread_mutex_lock(&receiver->lock);
    if (receiver->channel_is_open) {
        bool is_empty = receive_batch(worker);

        if (!receiver->channel_is_open)
            (void)watch_channel(worker, EPOLL_CTL_DEL);
        else if (!is_empty)
            (void)watch_channel(worker, EPOLL_CTL_MOD);
    }
    pthread_mutex_unlock(&receiver->lock);
    if (dispatcher_worker_is_draining(worker))
        worker_wake(worker);
}

void receiver_drain(dispatcher_worker *worker, enum dispatcher_drain kind)
{
    struct receiver *receiver = &worker->receiver;

    pthread_mutex_lock(&receiver->lock);
    drain_and_tell(worker, kind);
    pthread_mutex_unlock(&receiver->lock);
}

/* The ring need not be empty: dispatcherd reads it even after this process has ended. */
bool receiver_is_done(dispatcher_worker *worker, uint64_t *ret_cut_at)
{
    struct receiver *receiver = &worker->receiver;

    pthread_mutex_lock(&receiver->lock);
    bool is_done = dispatcher_worker_is_draining(worker) && sessions_busy(&worker->sessions) == 0;
    *ret_cut_at = receiver->cut_at;
    pthread_mutex_unlock(&receiver->lock);
    return is_done;
}
