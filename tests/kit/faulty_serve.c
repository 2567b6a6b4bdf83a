/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "kit/faulty.h"

#include "base/fd.h"
#include "base/time.h"
#include "protocol/channel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LATE_USEC = 200000,       /* what is late here is so late */
    CLOSE_LATE_USEC = 4000000 /* but for a close, with which the kit is patient */
};

static void tell_end(uint64_t id)
{
    if (has(FAULT_NO_END))
        return;
    (void)tell(has(FAULT_PASSES_UNASKED) ? MESSAGE_PASSED_ON : MESSAGE_ENDED, id);
    if (has(FAULT_ENDS_TWICE))
        (void)tell(MESSAGE_ENDED, id);
    if (has(FAULT_STRANGER))
        (void)tell(MESSAGE_ENDED, 12345);
}

void end_session(struct faulty_session *session)
{
    if (has(FAULT_CLOSES_LATE)) {
        tell_end(session->record.id);
        usleep(CLOSE_LATE_USEC);
    }
    fd_close(session->fd);
    session->is_busy = false;
    w->n_busy--;
    if (has(FAULT_FREES_LATE)) {
        w->n_lost++;
        w->free_at = time_now_usec(CLOCK_MONOTONIC) + LATE_USEC;
    }
    if (!has(FAULT_CLOSES_LATE))
        tell_end(session->record.id);
}

void serve(int fd)
{
    char bytes[4096];

    for (unsigned i = 0; i < PLACES_MAX; i++) {
        struct faulty_session *session = &w->sessions[i];

        if (!session->is_busy || session->fd != fd)
            continue;
        ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (n > 0)
            (void)send(fd, bytes, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
        else if (n == 0 || errno != EAGAIN)
            end_session(session);
        return;
    }
}

/* To the end of the session, while nobody reads the channel. */
static void serve_alone(struct faulty_session *session)
{
    while (session->is_busy) {
        (void)poll(&(struct pollfd){.fd = session->fd, .events = POLLIN}, 1, -1);
        serve(session->fd);
    }
}

static struct faulty_session *free_session(const struct connection_record *record)
{
    bool is_closed_to_all = w->is_draining && !(has(FAULT_TAKES_AT_DRAIN) && w->has_orders) &&
                            !(has(FAULT_TAKES_AT_TERM) && w->has_term);

    if (is_closed_to_all || (w->n_busy + w->n_lost >= w->max_conns && !has(FAULT_OVERFULL)))
        return NULL;
    if (has(FAULT_ONE_FAMILY) && record->peer.family != AF_INET)
        return NULL;
    if (has(FAULT_NO_FLAGS) && record->flags != 0)
        return NULL;
    for (unsigned i = 0; i < PLACES_MAX; i++)
        if (!w->sessions[i].is_busy)
            return &w->sessions[i];
    return NULL;
}

static void refuse(uint64_t id, int fd)
{
    if (has(FAULT_SPEAKS_TO_REFUSED) && fd >= 0)
        (void)send(fd, "sorry\r\n", 7, MSG_NOSIGNAL);
    fd_close(fd);
    (void)tell(MESSAGE_REFUSE, id);
}

static void take(const struct connection_view *view, int fd)
{
    struct faulty_session *session = free_session(view->record);
    uint64_t id = view->record->id;

    if (has(FAULT_SILENT) || !session || (fd < 0 && !has(FAULT_TAKES_NOTHING))) {
        if (!has(FAULT_SILENT))
            refuse(id, fd);
        return;
    }
    *session = (struct faulty_session){.is_busy = true, .fd = fd, .record = *view->record};
    memcpy(session->tag, view->tag, view->record->tag_length);
    memcpy(session->note, view->note, view->record->note_length);
    w->n_busy++;
    if (has(FAULT_SERVES_EARLY)) {
        (void)send(fd, "early\r\n", 7, MSG_NOSIGNAL);
        usleep(LATE_USEC);
    }
    if (has(FAULT_ENDS_EARLY))
        (void)tell(MESSAGE_ENDED, id);
    bool is_mine = tell(MESSAGE_ACKNOWLEDGE, id);
    session->acknowledged_at = w->acknowledged_at;
    if (has(FAULT_ACKNOWLEDGES_TWICE))
        (void)tell(MESSAGE_ACKNOWLEDGE, id);
    if (!is_mine && !has(FAULT_SERVES_ANYWAY)) {
        fd_close(fd);
        session->is_busy = false;
        w->n_busy--;
    } else if (has(FAULT_ONE_AT_A_TIME)) {
        serve_alone(session);
    }
}

static void take_connections(const struct message *message, const int fds[], size_t n_fds)
{
    struct connection_view view;
    size_t offset = 0;

    for (size_t i = 0; message_next_connection(message, &offset, &view); i++) {
        int fd = i < n_fds ? fds[i] : -1;

        if (has(FAULT_ONE_DESCRIPTOR) && i > 0)
            fd = fd_close(fd);
        take(&view, fd);
        if (has(FAULT_NO_PADDING))
            offset -= (8 - (view.record->tag_length + view.record->note_length) % 8) % 8;
    }
}

static void drain(uint64_t limit_sec, bool has_limit)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC), at = now + limit_sec * USEC_PER_SEC;
    bool is_first = !w->is_draining;

    w->is_draining = true;
    if (has(FAULT_NO_LIMIT) || !has_limit)
        return;
    if (has(FAULT_LAST_LIMIT) || (at < w->cut_at && (is_first || !has(FAULT_FIRST_LIMIT))))
        w->cut_at = at;
}

void take_signal(int signals)
{
    struct signalfd_siginfo info;

    if (read(signals, &info, sizeof(info)) != sizeof(info) || has(FAULT_NO_TERM))
        return;
    if (w->has_term && !has(FAULT_NO_SECOND_TERM)) {
        sigset_t term;

        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        raise(SIGTERM);
        sigprocmask(SIG_UNBLOCK, &term, NULL);
    }
    if (w->has_term)
        return;
    w->has_term = true;
    bool is_told = w->is_draining && !has(FAULT_DRAINING_TWICE);
    drain(w->drain_limit_sec, !has(FAULT_NO_TERM_LIMIT));
    if (!is_told)
        (void)tell(MESSAGE_DRAINING, 0);
    if (has(FAULT_CUTS_AT_TERM))
        _exit(0);
}

static void end_channel(void)
{
    if (has(FAULT_CUTS_AT_EOF))
        _exit(0);
    w->channel_is_open = false;
    (void)shutdown(PROTOCOL_CHANNEL_FD, SHUT_RDWR);
    drain(w->drain_limit_sec, !has(FAULT_NO_EOF_LIMIT));
}

static void tell_held(const struct faulty_session *session)
{
    _Alignas(8) static uint8_t bytes[MESSAGE_BYTES_MAX];
    size_t length =
        message_write_connection(bytes, sizeof(bytes), MESSAGE_HELD, &session->record, session->tag,
                                 has(FAULT_HOLDS_TOO_MUCH) ? "something else" : session->note);

    tell_bytes(bytes, length);
}

static void tell_answer(const struct message *adopt)
{
    const char *number = message_find_text(adopt, "NUMBER");
    char bytes[64];
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_ANSWER);

    if (!number || has(FAULT_NO_ANSWER))
        return;
    if (!has(FAULT_ONE_ANSWER) || w->number[0] == '\0')
        snprintf(w->number, sizeof(w->number), "%s", number);
    message_text_add(&text, "NUMBER", w->number);
    tell_bytes(bytes, text.length);
}

static void adopt(const struct message *message, int fd)
{
    if (has(FAULT_NO_ADOPT))
        return;
    use_ring(message, fd);
    tell_answer(message);
    for (unsigned i = 0; i < PLACES_MAX; i++)
        if (w->sessions[i].is_busy) {
            w->sessions[i].acknowledged_at = 0;
            tell_held(&w->sessions[i]);
            if (has(FAULT_HOLDS_ONE))
                break;
        }
    tell_value(MESSAGE_READY, has(FAULT_READY_FIRST) ? 1 : w->max_conns);
    if (w->is_draining && !has(FAULT_ADOPTED_QUIETLY))
        (void)tell(MESSAGE_DRAINING, 0);
}

/* DRAIN or STOP. */
static void take_order(const struct message *message)
{
    bool is_stop = message->type == MESSAGE_STOP;

    if (has(FAULT_ONE_ORDER) && w->is_stopping && !is_stop)
        _exit(1);
    if (has(is_stop ? FAULT_NO_STOP : FAULT_NO_DRAIN))
        return;
    w->has_orders = true;
    w->is_stopping = w->is_stopping || is_stop;
    drain(message->value, !(is_stop && has(FAULT_NO_STOP_LIMIT)));
    if (has(is_stop ? FAULT_CUTS_AT_STOP : FAULT_CUTS_AT_DRAIN))
        _exit(0);
}

static void take_log_file(int fd)
{
    if (has(FAULT_NO_NEW_LOG) || fd < 0)
        return;
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
}

static void take_message(const struct message *message, int fds[], size_t n_fds)
{
    switch (message->type) {
    case MESSAGE_CONNECTION:
        take_connections(message, fds, n_fds);
        return; /* their descriptors are not closed */
    case MESSAGE_DRAIN:
    case MESSAGE_STOP:
        take_order(message);
        break;
    case MESSAGE_ADOPT:
        adopt(message, n_fds > 0 ? fds[0] : -1);
        return;
    case MESSAGE_LOG:
        take_log_file(n_fds > 0 ? fds[0] : -1);
        break;
    case MESSAGE_DEBUG:
        if (has(FAULT_NO_DEBUG))
            _exit(1);
        break;
    case MESSAGE_STRESS:
        if (has(FAULT_NO_STRESS))
            _exit(1);
        break;
    default:
        if (!has(FAULT_IGNORES_OWN))
            end_channel();
    }
    for (size_t i = 0; i < n_fds; i++)
        fd_close(fds[i]);
}

/* What is no message. */
static void take_nonsense(ssize_t length)
{
    struct message_header header = {0};

    if (length >= (ssize_t)sizeof(header))
        memcpy(&header, w->bytes, sizeof(header));
    bool is_ignored =
        (has(FAULT_IGNORES_TYPES) && header.type == 200) ||
        (has(FAULT_IGNORES_CUT) && length == 3) || (has(FAULT_IGNORES_LONG) && length < 0) ||
        (has(FAULT_IGNORES_COUNT) && header.value == 2) ||
        (has(FAULT_IGNORES_TEXT) && header.type == MESSAGE_CONNECTION && header.value == 1);
    if (is_ignored)
        return;
    end_channel();
    if (has(FAULT_FAILS_AT_FAULT))
        _exit(1);
}

void take_packet(void)
{
    int fds[MESSAGE_FDS_MAX], error = 0;
    struct message message;
    socklen_t size = sizeof(error);
    size_t n_fds;
    pid_t pid;

    /* channel_receive() reads on after ECONNRESET. */
    if (has(FAULT_STOPS_AT_RESET) &&
        getsockopt(PROTOCOL_CHANNEL_FD, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0)
        pause();
    ssize_t length =
        channel_receive(PROTOCOL_CHANNEL_FD, w->bytes, sizeof(w->bytes), fds, &n_fds, &pid);
    if (length == -EAGAIN)
        return;
    if (length == 0)
        end_channel();
    else if (length < 0 || message_read(w->bytes, (size_t)length, &message) < 0)
        take_nonsense(length);
    else
        take_message(&message, fds, n_fds);
}
