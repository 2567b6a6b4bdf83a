/* The receiving thread: takes connections off the channel and gives each to a session; never
 * waits for a session, and never for dispatcherd. */
#include "libdispatcher/internal.h"

#include "base/fd.h"
#include "base/notify_socket.h"
#include "base/time.h"
#include "protocol/channel.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    BATCH_MAX = 64, /* connections acknowledged in one message */
};

struct receiver {
    dispatcher_worker *worker;
    bool channel_is_open;
    uint64_t cut_at;           /* CLOCK_MONOTONIC; when sessions are cut; USEC_INFINITY: never */
    uint64_t watchdog_usec;    /* half of what the service manager allows; 0: no watchdog */
    uint64_t watchdog_next_at; /* CLOCK_MONOTONIC */
    struct session *batch[BATCH_MAX]; /* received, not yet acknowledged */
    size_t n_batch;
    alignas(8) uint8_t message[MESSAGE_BYTES_MAX];
};

/* New limits only ever shorten a drain that is under way. */
static void start_draining(struct receiver *receiver, unsigned limit_sec)
{
    uint64_t cut_at = time_add_usec(time_now_usec(CLOCK_MONOTONIC), limit_sec * USEC_PER_SEC);

    if (cut_at < receiver->cut_at)
        receiver->cut_at = cut_at;
    if (!atomic_exchange(&receiver->worker->is_draining, true))
        (void)notify_socket_send("STOPPING=1\nSTATUS=Finishing the sessions", -1);
}

static void drain_unordered(struct receiver *receiver)
{
    start_draining(receiver, receiver->worker->welcome.drain_limit_sec);
}

static void end_channel(struct receiver *receiver)
{
    receiver->channel_is_open = false;
    drain_unordered(receiver);
}

static void fill_connection(dispatcher_connection *connection, const struct connection_view *view,
                            int fd)
{
    const struct connection_record *record = view->record;

    connection->fd = fd;
    connection->id = record->id;
    connection->peer = record->peer;
    connection->local = record->local;
    connection->is_tls = record->flags & CONNECTION_FLAG_TLS;
    connection->peer_host[0] = '\0';
    connection->local_host[0] = '\0';
    snprintf(connection->id_text, sizeof(connection->id_text), "%016" PRIx64, record->id);
    memcpy(connection->access_tag, view->tag, record->tag_length);
    connection->access_tag[record->tag_length] = '\0';
}

/* Refused connections are closed here; dispatcherd still has its copy. */
static void take_connection(struct receiver *receiver, const struct connection_view *view, int fd)
{
    dispatcher_worker *worker = receiver->worker;
    struct session *session = NULL;

    if (!atomic_load(&worker->is_draining) && receiver->n_batch < BATCH_MAX)
        session = session_reserve(&worker->sessions);
    if (!session) {
        outbox_add(&worker->outbox, OUTBOX_REFUSE, view->record->id);
        fd_close(fd);
        return;
    }
    fill_connection(&session->connection, view, fd);
    outbox_add(&worker->outbox, OUTBOX_ACKNOWLEDGE, view->record->id);
    receiver->batch[receiver->n_batch++] = session;
}

/* Acknowledges first: where dispatcherd has given this worker up, another one may already have
 * the connections, and they must not be served twice. */
static void start_batch(struct receiver *receiver)
{
    int r = outbox_flush(&receiver->worker->outbox, receiver->worker->channel);
    bool is_given_up = r < 0 && r != -EAGAIN;

    for (size_t i = 0; i < receiver->n_batch; i++)
        if (is_given_up)
            session_release(receiver->batch[i]);
        else
            session_start(receiver->batch[i]);
    receiver->n_batch = 0;
}

static void handle_connections(struct receiver *receiver, const struct message *message,
                               const int fds[], size_t n_fds)
{
    struct connection_view view;
    size_t offset = 0;

    for (size_t i = 0; i < n_fds && message_next_connection(message, &offset, &view); i++)
        take_connection(receiver, &view, fds[i]);
}

static void handle_message(struct receiver *receiver, size_t length, const int fds[], size_t n_fds)
{
    dispatcher_worker *worker = receiver->worker;
    struct message message;
    bool is_good = message_read(receiver->message, length, &message) == 0;

    if (is_good && message.type == MESSAGE_CONNECTION && message.value == n_fds) {
        handle_connections(receiver, &message, fds, n_fds);
        return;
    }
    for (size_t i = 0; i < n_fds; i++)
        fd_close(fds[i]);
    if (is_good && n_fds == 0 && message.type == MESSAGE_DRAIN) {
        start_draining(receiver, message.value);
    } else if (is_good && n_fds == 0 && message.type == MESSAGE_DEBUG) {
        atomic_store(&worker->debug, message.value);
    } else {
        fprintf(stderr, "libdispatcher: dispatcherd sent what is no message for a worker; "
                        "finishing the sessions\n");
        end_channel(receiver);
    }
}

/* Takes what is there, up to a batch, and starts it together. */
static void receive_batch(struct receiver *receiver)
{
    while (receiver->channel_is_open && receiver->n_batch + MESSAGE_FDS_MAX <= BATCH_MAX) {
        int fds[MESSAGE_FDS_MAX];
        size_t n_fds;
        pid_t pid;
        ssize_t length = channel_receive(receiver->worker->channel, receiver->message,
                                         sizeof(receiver->message), fds, &n_fds, &pid);

        if (length == -EAGAIN)
            break;
        if (length <= 0)
            end_channel(receiver);
        else
            handle_message(receiver, (size_t)length, fds, n_fds);
    }
    start_batch(receiver);
}

static void handle_signal(struct receiver *receiver)
{
    dispatcher_worker *worker = receiver->worker;
    struct signalfd_siginfo info;
    uint8_t message[sizeof(struct message_header)];

    if (read(worker->signal_fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (atomic_load(&worker->is_draining)) {
        sigset_t term;

        fprintf(stderr, "libdispatcher: a second SIGTERM; %u sessions are cut\n",
                sessions_busy(&worker->sessions));
        signal(SIGTERM, SIG_DFL);
        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        raise(SIGTERM);
        pthread_sigmask(SIG_UNBLOCK, &term, NULL);
    }
    drain_unordered(receiver);
    size_t length = message_write_value(message, sizeof(message), MESSAGE_DRAINING, 0);
    /* Where the channel is full, a refusal of the next connection says the same. */
    (void)channel_send(worker->channel, message, length, NULL, 0);
}

static void feed_watchdog(struct receiver *receiver, uint64_t now)
{
    if (receiver->watchdog_usec == 0 || now < receiver->watchdog_next_at)
        return;
    (void)notify_socket_send("WATCHDOG=1", -1);
    receiver->watchdog_next_at = now + receiver->watchdog_usec;
}

static uint64_t watchdog_interval(void)
{
    const char *usec = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");

    if (!usec || (pid && strtoll(pid, NULL, 10) != (long long)getpid()))
        return 0;
    return strtoull(usec, NULL, 10) / 2;
}

static int poll_timeout_msec(const struct receiver *receiver, uint64_t now)
{
    uint64_t next = receiver->cut_at;

    if (receiver->watchdog_usec > 0 && receiver->watchdog_next_at < next)
        next = receiver->watchdog_next_at;
    if (next == USEC_INFINITY)
        return -1;
    if (next <= now)
        return 0;
    uint64_t msec = (next - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
    return msec > 3600 * 1000 ? 3600 * 1000 : (int)msec;
}

static void wait_and_handle(struct receiver *receiver, uint64_t now)
{
    dispatcher_worker *worker = receiver->worker;
    bool has_mail = !outbox_is_empty(&worker->outbox);
    struct pollfd fds[] = {
        {.fd = receiver->channel_is_open ? worker->channel : -1,
         .events = (short)(POLLIN | (has_mail ? POLLOUT : 0))},
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
    if (fds[0].revents)
        receive_batch(receiver);
}

static bool is_done(struct receiver *receiver)
{
    dispatcher_worker *worker = receiver->worker;

    return atomic_load(&worker->is_draining) && sessions_busy(&worker->sessions) == 0 &&
           (!receiver->channel_is_open || outbox_is_empty(&worker->outbox));
}

void receive_loop(dispatcher_worker *worker)
{
    static struct receiver receiver; /* too large for the stack that a limit may leave us */

    receiver.worker = worker;
    receiver.channel_is_open = true;
    receiver.cut_at = USEC_INFINITY;
    receiver.watchdog_usec = watchdog_interval();
    while (!is_done(&receiver)) {
        uint64_t now = time_now_usec(CLOCK_MONOTONIC);

        if (now >= receiver.cut_at) {
            fprintf(stderr, "libdispatcher: the time for finishing is over; %u sessions are cut\n",
                    sessions_busy(&worker->sessions));
            _exit(EXIT_FAILURE);
        }
        feed_watchdog(&receiver, now);
        wait_and_handle(&receiver, now);
    }
}
