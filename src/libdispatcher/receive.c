/* The receiving thread: takes connections off the channel and gives each to a session; never
 * waits for a session, and never for dispatcherd. */
#include "libdispatcher/debug.h"
#include "libdispatcher/internal.h"
#include "libdispatcher/manager.h"

#include "base/fd.h"
#include "base/time.h"
#include "protocol/channel.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BATCH_MAX = 64,       /* connections acknowledged in one message */
    MESSAGES_AT_ONCE = 32 /* read before signals and limits get their turn */
};

/* All of them may be refused before the first refusal is sent. */
static_assert(MESSAGES_AT_ONCE * MESSAGE_FDS_MAX <= MESSAGE_IDS_MAX, "room in the outbox");

struct receiver {
    dispatcher_worker *worker;
    struct manager manager;
    bool channel_is_open;
    bool channel_is_full; /* nothing more is read until dispatcherd has read */
    bool has_sigterm;
    uint64_t cut_at; /* CLOCK_MONOTONIC; when sessions are cut; USEC_INFINITY: never */
    struct session *batch[BATCH_MAX]; /* received, their acknowledgement not yet sent */
    size_t n_batch;
    alignas(8) uint8_t message[MESSAGE_BYTES_MAX];
};

/* New limits only ever shorten a drain that is under way. */
static void start_draining(struct receiver *receiver, unsigned limit_sec)
{
    uint64_t cut_at = time_add_usec(time_now_usec(CLOCK_MONOTONIC), limit_sec * USEC_PER_SEC);

    if (cut_at < receiver->cut_at)
        receiver->cut_at = cut_at;
    debug_say(receiver->worker, DEBUG_WORKER_EXTRA, NULL, "to drain in %u s", limit_sec);
    if (atomic_exchange(&receiver->worker->is_draining, true))
        return;
    debug_say(receiver->worker, DEBUG_WORKER, NULL, "draining; %u sessions go on",
              sessions_busy(&receiver->worker->sessions));
    manager_say_draining();
}

/* For causes that dispatcherd does not know of. */
static void drain_and_tell(struct receiver *receiver)
{
    dispatcher_worker *worker = receiver->worker;

    if (!atomic_load(&worker->is_draining))
        outbox_add(&worker->outbox, OUTBOX_DRAINING, 0);
    start_draining(receiver, worker->welcome.drain_limit_sec);
}

/* A session starts only when its acknowledgement has been sent: where dispatcherd has given this
 * worker up, another one may already have the connection, and it must not be served twice. */
static void start_batch(struct receiver *receiver)
{
    int r = outbox_flush(&receiver->worker->outbox, receiver->worker->channel);

    receiver->channel_is_full = r == -EAGAIN;
    if (receiver->channel_is_full) {
        debug_say(receiver->worker, DEBUG_WORKER_IO, NULL, "the channel to dispatcherd is full");
        return;
    }
    for (size_t i = 0; i < receiver->n_batch; i++)
        if (r == 0)
            session_start(receiver->batch[i]);
        else
            session_release(receiver->batch[i]);
    receiver->n_batch = 0;
}

/* What dispatcherd can still be told, it is told; then it sees the end of the channel too. */
static void end_channel(struct receiver *receiver)
{
    debug_say(receiver->worker, DEBUG_WORKER_IO, NULL, "the channel to dispatcherd ends");
    start_draining(receiver, receiver->worker->welcome.drain_limit_sec);
    start_batch(receiver);
    (void)shutdown(receiver->worker->channel, SHUT_RDWR);
    start_batch(receiver);
    receiver->channel_is_open = false;
}

static void fill_connection(dispatcher_connection *connection, const struct connection_view *view,
                            int fd)
{
    const struct connection_record *record = view->record;

    connection->fd = fd;
    connection->id = record->id;
    connection->accepted_at_usec = record->accepted_at_usec;
    connection->peer = record->peer;
    connection->local = record->local;
    connection->is_tls = record->flags & CONNECTION_FLAG_TLS;
    connection->peer_host[0] = '\0';
    connection->local_host[0] = '\0';
    snprintf(connection->id_text, sizeof(connection->id_text), "%016" PRIx64, record->id);
    memcpy(connection->access_tag, view->tag, record->tag_length);
    connection->access_tag[record->tag_length] = '\0';
    memcpy(connection->access_note, view->note, record->note_length);
    connection->access_note[record->note_length] = '\0';
}

/* Refused connections are closed here; dispatcherd still has its copy. */
static void take_connection(struct receiver *receiver, const struct connection_view *view, int fd)
{
    dispatcher_worker *worker = receiver->worker;
    struct session *session = NULL;

    if (!atomic_load(&worker->is_draining) && receiver->n_batch < BATCH_MAX)
        session = session_reserve(&worker->sessions);
    if (!session) {
        debug_say(worker, DEBUG_WORKER_HANDOFFS, NULL, "refused connection %016" PRIx64,
                  view->record->id);
        outbox_add(&worker->outbox, OUTBOX_REFUSE, view->record->id);
        fd_close(fd);
        return;
    }
    fill_connection(&session->connection, view, fd);
    debug_say(worker, DEBUG_WORKER_HANDOFFS, &session->connection, "taken off the channel");
    outbox_add(&worker->outbox, OUTBOX_ACKNOWLEDGE, view->record->id);
    receiver->batch[receiver->n_batch++] = session;
}

/* A process that may have no more descriptors gets fewer than were sent. It would do no better
 * with the next connection, so it makes room for a successor. */
static void handle_connections(struct receiver *receiver, const struct message *message,
                               const int fds[], size_t n_fds)
{
    struct connection_view view;
    size_t offset = 0;

    if (n_fds < message->value) {
        fprintf(stderr, "libdispatcher: no descriptor is left for a connection (LimitNOFILE=); "
                        "finishing the sessions\n");
        drain_and_tell(receiver);
    }
    for (size_t i = 0; message_next_connection(message, &offset, &view); i++)
        take_connection(receiver, &view, i < n_fds ? fds[i] : -1);
}

static void handle_message(struct receiver *receiver, size_t length, const int fds[], size_t n_fds)
{
    dispatcher_worker *worker = receiver->worker;
    struct message message;
    bool is_good = message_read(receiver->message, length, &message) == 0;

    if (is_good)
        debug_say(worker, DEBUG_WORKER_IO_EXTRA, NULL, "dispatcherd says %s %u",
                  message_type_to_string(message.type), message.value);
    if (is_good && message.type == MESSAGE_CONNECTION && n_fds <= message.value) {
        handle_connections(receiver, &message, fds, n_fds);
        return;
    }
    for (size_t i = 0; i < n_fds; i++)
        fd_close(fds[i]);
    if (is_good && n_fds == 0 && message.type == MESSAGE_DRAIN) {
        start_draining(receiver, message.value);
    } else if (is_good && n_fds == 0 && message.type == MESSAGE_DEBUG) {
        atomic_store(&worker->debug, message.value);
        debug_say(worker, DEBUG_WORKER, NULL, "DEBUG=16%%%X from now on", message.value);
    } else if (is_good && n_fds == 0 && message.type == MESSAGE_ADOPT) {
        if (held_tell(worker) < 0)
            end_channel(receiver);
    } else {
        fprintf(stderr, "libdispatcher: dispatcherd sent what is no message for a worker; "
                        "finishing the sessions\n");
        end_channel(receiver);
    }
}

static bool has_room(const struct receiver *receiver)
{
    return receiver->channel_is_open && !receiver->channel_is_full &&
           receiver->n_batch + MESSAGE_FDS_MAX <= BATCH_MAX;
}

/* Takes what is there, up to a batch, and starts it together. */
static void receive_batch(struct receiver *receiver)
{
    for (int n = 0; n < MESSAGES_AT_ONCE && has_room(receiver); n++) {
        int fds[MESSAGE_FDS_MAX];
        size_t n_fds;
        pid_t pid;
        ssize_t length = channel_receive(receiver->worker->channel, receiver->message,
                                         sizeof(receiver->message), fds, &n_fds, &pid);

        if (length == -EAGAIN)
            break;
        if (length < 0)
            fprintf(stderr,
                    "libdispatcher: cannot read from dispatcherd: %s; "
                    "finishing the sessions\n",
                    strerror((int)-length));
        if (length <= 0)
            end_channel(receiver);
        else
            handle_message(receiver, (size_t)length, fds, n_fds);
    }
    start_batch(receiver);
}

static void end_at_once(struct receiver *receiver)
{
    sigset_t term;

    fprintf(stderr, "libdispatcher: a second SIGTERM; %u sessions are cut\n",
            sessions_busy(&receiver->worker->sessions));
    signal(SIGTERM, SIG_DFL);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    raise(SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &term, NULL);
}

static void handle_signal(struct receiver *receiver)
{
    struct signalfd_siginfo info;

    if (read(receiver->worker->signal_fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (receiver->has_sigterm)
        end_at_once(receiver);
    receiver->has_sigterm = true;
    drain_and_tell(receiver);
}

static int poll_timeout_msec(const struct receiver *receiver, uint64_t now)
{
    uint64_t next = receiver->cut_at;

    if (receiver->manager.next_at < next)
        next = receiver->manager.next_at;
    if (next == USEC_INFINITY)
        return -1;
    if (next <= now)
        return 0;
    uint64_t msec = (next - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
    return msec > 3600 * 1000 ? 3600 * 1000 : (int)msec;
}

static short channel_events(const struct receiver *receiver)
{
    bool has_mail = receiver->n_batch > 0 || !outbox_is_empty(&receiver->worker->outbox);

    return (short)((has_room(receiver) ? POLLIN : 0) | (has_mail ? POLLOUT : 0));
}

static void wait_and_handle(struct receiver *receiver, uint64_t now)
{
    dispatcher_worker *worker = receiver->worker;
    struct pollfd fds[] = {
        {.fd = receiver->channel_is_open ? worker->channel : -1,
         .events = channel_events(receiver)},
        {.fd = worker->signal_fd, .events = POLLIN},
        {.fd = worker->wake_fd, .events = POLLIN},
    };
    uint64_t count;

    if (poll(fds, ELEMENTSOF(fds), poll_timeout_msec(receiver, now)) <= 0)
        return;
    if (fds[2].revents)
        (void)!read(worker->wake_fd, &count, sizeof(count));
    if (fds[1].revents)
        handle_signal(receiver);
    if (fds[0].revents) {
        /* First what waits to be sent, since only then there may be room. */
        if (fds[0].revents & ~POLLIN)
            start_batch(receiver);
        receive_batch(receiver);
    }
}

static bool is_done(struct receiver *receiver)
{
    dispatcher_worker *worker = receiver->worker;

    return atomic_load(&worker->is_draining) && sessions_busy(&worker->sessions) == 0 &&
           (!receiver->channel_is_open || outbox_is_empty(&worker->outbox));
}

uint64_t receive_loop(dispatcher_worker *worker)
{
    static struct receiver receiver; /* too large for the stack that a limit may leave us */

    receiver.worker = worker;
    receiver.manager = manager_start();
    receiver.channel_is_open = true;
    receiver.cut_at = USEC_INFINITY;
    while (!is_done(&receiver)) {
        uint64_t now = time_now_usec(CLOCK_MONOTONIC);

        if (now >= receiver.cut_at) {
            fprintf(stderr, "libdispatcher: the time for finishing is over; %u sessions are cut\n",
                    sessions_busy(&worker->sessions));
            _exit(EXIT_FAILURE);
        }
        manager_attend(&receiver.manager, now);
        wait_and_handle(&receiver, now);
    }
    return receiver.cut_at;
}
