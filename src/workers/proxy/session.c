/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/proxy/session.h"

#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"
#include "workers/proxy/connect.h"
#include "workers/proxy/header.h"
#include "workers/proxy/links.h"
#include "workers/proxy/relay.h"
#include "workers/tls/tls_end.h"
#include "workers/tls/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* A session that was silent for so long when the service stops is not in the middle of anything. */
#define IDLE_USEC (5 * USEC_PER_SEC)

static int watch_end(const struct relay *relay, struct end *end)
{
    struct epoll_event event = {.events = WAY_EVENTS, .data.ptr = end};

    return epoll_ctl(relay->epoll, EPOLL_CTL_ADD, end->fd, &event) < 0 ? -errno : 0;
}

/* Time limits hold for sessions that wait, connect, hold bytes back, or are open on one side. They
 * begin then: what was at rest before may have rested for long. */
static void watch_session(struct session *session, struct relay *relay, bool on)
{
    if (session->is_watched == on)
        return;
    session->is_watched = on;
    if (!on) {
        link_remove(&session->watched);
        return;
    }
    link_add(&relay->watched, &session->watched);
    session->moved_at = relay->now;
}

static void set_state(struct session *session, struct relay *relay, enum session_state state)
{
    relay->n_waiting -= session->state == SESSION_WAITS;
    relay->n_waiting += state == SESSION_WAITS;
    session->state = state;
}

static void close_server(struct session *session)
{
    session->ends[END_SERVER].fd = fd_close(session->ends[END_SERVER].fd);
}

static void drop_tls(struct session *session)
{
    if (session->tls)
        tls_session_clear(session->tls);
    free(session->tls);
    session->tls = NULL;
}

/* dispatcherd may still have its copy of the client's socket: closing ours would leave that in the
 * set. */
static void end_session(struct session *session, struct relay *relay)
{
    set_state(session, relay, SESSION_IS_OVER);
    watch_session(session, relay, false);
    if (session->has_turn)
        link_remove(&session->turn);
    session->has_turn = false;
    for (size_t i = 0; i < N_ENDS; i++)
        way_clear(&session->ways[i], &relay->tools);
    drop_tls(session);
    (void)epoll_ctl(relay->epoll, EPOLL_CTL_DEL, session->ends[END_CLIENT].fd, NULL);
    close_server(session);
    dispatcher_connection_end(STEAL(session->connection));
    link_remove(&session->of_all);
    link_add(&relay->over, &session->of_all);
}

/* Neither side shall take what it got for the whole. */
static void break_session(struct session *session, struct relay *relay)
{
    for (size_t i = 0; i < N_ENDS; i++)
        if (session->ends[i].fd >= 0)
            connect_reset(session->ends[i].fd);
    end_session(session, relay);
}

/* What others are told in plain text. */
static void say_over_tls(const struct session *session, const struct relay *relay)
{
    uint16_t port = dispatcher_connection_local_port(session->connection);
    const char *text = come_back_text(settings_protocol(relay->settings, port), COME_BACK_BUSY);
    bool wants_input;

    if (*text)
        (void)tls_session_write(session->tls, text, strlen(text), &wants_input);
    tls_session_close(session->tls);
}

static void turn_away(struct session *session, struct relay *relay)
{
    size_t n = relay->backends.n_items;
    size_t i = session->backend < n ? session->backend : n - 1;

    close_server(session);
    if (session->tls)
        say_over_tls(session, relay);
    trouble_turn_away(&relay->trouble, &relay->backends, i, session->connection, relay->now);
    dispatcher_connection_set_outcome(session->connection, DISPATCHER_SENT_AWAY);
    end_session(session, relay);
}

static size_t write_header(const struct session *session, const struct relay *relay,
                           char header[HEADER_MAX_BYTES])
{
    struct sockaddr_storage peer = {0}, local = {0};
    socklen_t peer_length = sizeof(peer), local_length = sizeof(local);

    dispatcher_connection_peer(session->connection, (struct sockaddr *)&peer, &peer_length);
    dispatcher_connection_local(session->connection, (struct sockaddr *)&local, &local_length);
    return header_write(header, relay->settings->version, (const struct sockaddr *)&peer,
                        (const struct sockaddr *)&local,
                        dispatcher_connection_id(session->connection),
                        session->tls ? &session->tls->facts : NULL);
}

/* The first bytes on a connection always fit. Returns 0 or a negative errno. */
static int send_header(const struct session *session, const struct relay *relay)
{
    char header[HEADER_MAX_BYTES];
    size_t length = write_header(session, relay, header);

    if (length == 0)
        return 0;
    ssize_t n = send(session->ends[END_SERVER].fd, header, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n < 0 ? -errno : n < (ssize_t)length ? -EMSGSIZE : 0;
}

/* Returns 0 or a negative errno: then it is no back end for this session. */
static int begin_relaying(struct session *session, struct relay *relay)
{
    int r = send_header(session, relay);

    if (r < 0)
        return r;
    trouble_answered(&relay->trouble, &relay->backends, session->backend, relay->now);
    session->moved_at = relay->now;
    connect_set_nodelay(session->ends[END_CLIENT].fd);
    set_state(session, relay, SESSION_RELAYS);
    session_move(session, relay);
    return 0;
}

/* Each back end has its share of the time that the client waits. */
static uint64_t attempt_limit(const struct relay *relay)
{
    return relay->settings->connect_timeout_usec / relay->backends.n_items;
}

/* Returns 0: it is connected or connecting; or a negative errno. */
static int try_backend(struct session *session, struct relay *relay)
{
    struct end *end = &session->ends[END_SERVER];
    bool is_connected;
    int fd = connect_begin(&relay->backends.items[session->backend], &is_connected);

    if (fd < 0)
        return fd;
    *end = (struct end){.fd = fd, .can_write = is_connected};
    session->attempt_at = relay->now;
    set_state(session, relay, SESSION_CONNECTS);
    int r = watch_end(relay, end);
    if (r == 0 && is_connected)
        r = begin_relaying(session, relay);
    if (r < 0)
        close_server(session);
    return r;
}

/* From the back end number `from` on; a client waits if none can be tried. A full backlog is no
 * failure of the back end: it is tried again soon. */
static void find_backend(struct session *session, struct relay *relay, size_t from)
{
    struct backends *backends = &relay->backends;

    for (size_t i = backends_choose(backends, from, relay->now); i < backends->n_items;
         i = backends_choose(backends, i + 1, relay->now)) {
        session->backend = i;
        session->attempt_at = relay->now;
        int r = try_backend(session, relay);
        if (r == 0)
            return;
        if (r != -EAGAIN)
            trouble_failed(&relay->trouble, backends, i, -r, session->attempt_at, relay->now);
    }
    set_state(session, relay, SESSION_WAITS);
}

static void attempt_failed(struct session *session, struct relay *relay, int error)
{
    close_server(session);
    trouble_failed(&relay->trouble, &relay->backends, session->backend, error, session->attempt_at,
                   relay->now);
    find_backend(session, relay, session->backend + 1);
}

static bool has_tls_here(const struct session *session, const struct relay *relay)
{
    return dispatcher_connection_is_tls(session->connection) && !relay->settings->tls.is_passed;
}

/* Failures are counted, and not logged: anybody can cause them. */
static void handshake_failed(struct session *session, struct relay *relay, enum tls_failure failure)
{
    tls_worker_report(session->connection, NULL, failure);
    end_session(session, relay);
}

/* Without waiting, until the client has to say more. */
static void shake_hands(struct session *session, struct relay *relay)
{
    short events;
    enum tls_failure failure = tls_session_shake_hands(session->tls, &events);

    if (failure != TLS_NO_FAILURE) {
        handshake_failed(session, relay, failure);
    } else if (events == 0) {
        tls_worker_report(session->connection, &session->tls->facts, TLS_NO_FAILURE);
        session->ends[END_CLIENT] = tls_end(session->tls);
        session->began_at = session->moved_at = relay->now;
        find_backend(session, relay, 0);
    }
}

static void begin_handshake(struct session *session, struct relay *relay)
{
    int fd = session->ends[END_CLIENT].fd;

    set_state(session, relay, SESSION_SHAKES_HANDS);
    if (!relay->tls) {
        handshake_failed(session, relay, TLS_FAILED_NO_CERTIFICATE);
        return;
    }
    session->tls = malloc(sizeof(*session->tls));
    if (session->tls && tls_session_begin(session->tls, relay->tls, fd, -1) == 0) {
        shake_hands(session, relay);
        return;
    }
    free(session->tls);
    session->tls = NULL;
    handshake_failed(session, relay, TLS_FAILED_ERROR);
}

void session_begin(struct session *session, struct relay *relay)
{
    session->began_at = session->moved_at = relay->now;
    session->state = SESSION_WAITS;
    relay->n_waiting++;
    link_add(&relay->sessions, &session->of_all);
    watch_session(session, relay, true);
    if (watch_end(relay, &session->ends[END_CLIENT]) < 0 || relay->is_stopping)
        turn_away(session, relay);
    else if (has_tls_here(session, relay))
        begin_handshake(session, relay);
    else
        find_backend(session, relay, 0);
}

static void connecting_event(struct session *session, struct relay *relay, uint32_t events)
{
    int r = connect_result(session->ends[END_SERVER].fd);

    if (r == 0 && !(events & (EPOLLOUT | EPOLLHUP | EPOLLERR)))
        return;
    if (r == 0)
        r = begin_relaying(session, relay);
    if (r < 0)
        attempt_failed(session, relay, -r);
}

void session_event(struct session *session, struct relay *relay, struct end *end, uint32_t events)
{
    if (session->state == SESSION_IS_OVER || end->fd < 0)
        return;
    end_note_events(end, events);
    if (session->state == SESSION_SHAKES_HANDS)
        shake_hands(session, relay);
    else if (session->state == SESSION_RELAYS)
        session_move(session, relay);
    else if (end->is_client && events & (EPOLLHUP | EPOLLERR))
        end_session(session, relay);
    else if (!end->is_client && session->state == SESSION_CONNECTS)
        connecting_event(session, relay, events);
}

static enum way_result move_way(struct session *session, struct relay *relay, size_t from)
{
    return way_move(&session->ways[from], &session->ends[from], &session->ends[1 - from],
                    &relay->tools);
}

/* A server that takes no more may have said something before: the client gets that, as it would
 * from the server itself. A client that takes no more has gone. */
static bool is_broken(struct session *session, struct relay *relay, enum way_result up,
                      enum way_result *down)
{
    if (up == WAY_WRITE_FAILED) {
        way_make_deaf(&session->ways[END_CLIENT], &relay->tools);
        session->ends[END_SERVER].can_read = true;
        *down = move_way(session, relay, END_SERVER);
    }
    return up == WAY_READ_FAILED || *down == WAY_READ_FAILED || *down == WAY_WRITE_FAILED;
}

static void take_turn(struct session *session, struct relay *relay)
{
    if (!session->has_turn)
        link_add(&relay->turns, &session->turn);
    session->has_turn = true;
}

/* A way that may not rest for long: somebody has to read, or to end as well. */
static bool must_move(const struct way *way)
{
    return way->n_held > 0 || way->is_ending || way->is_ended;
}

void session_move(struct session *session, struct relay *relay)
{
    const struct way *ways = session->ways;
    uint64_t before = relay->tools.n_moved;
    enum way_result up = move_way(session, relay, END_CLIENT);
    enum way_result down = move_way(session, relay, END_SERVER);

    if (is_broken(session, relay, up, &down)) {
        break_session(session, relay);
        return;
    }
    if (ways[END_SERVER].is_ended && (ways[END_CLIENT].is_ended || ways[END_CLIENT].is_deaf)) {
        end_session(session, relay);
        return;
    }
    if (relay->tools.n_moved != before)
        session->moved_at = relay->now;
    watch_session(session, relay,
                  must_move(&ways[END_CLIENT]) || must_move(&ways[END_SERVER]) ||
                      ways[END_CLIENT].is_deaf);
    if (up == WAY_HAS_MORE || down == WAY_HAS_MORE)
        take_turn(session, relay);
}

void session_tick(struct session *session, struct relay *relay)
{
    if (session->state == SESSION_RELAYS) {
        if (relay->now - session->moved_at >= relay->settings->stall_timeout_usec)
            break_session(session, relay);
    } else if (session->state == SESSION_SHAKES_HANDS) {
        if (relay->is_stopping || tls_session_is_late(session->tls, relay->now))
            handshake_failed(session, relay, TLS_FAILED_TIMEOUT);
    } else if (relay->is_stopping ||
               relay->now - session->began_at >= relay->settings->connect_timeout_usec) {
        if (session->state == SESSION_CONNECTS)
            trouble_failed(&relay->trouble, &relay->backends, session->backend, ETIMEDOUT,
                           session->attempt_at, relay->now);
        turn_away(session, relay);
    } else if (session->state == SESSION_WAITS) {
        find_backend(session, relay, 0);
    } else if (relay->now - session->attempt_at >= attempt_limit(relay)) {
        attempt_failed(session, relay, ETIMEDOUT);
    }
}

void session_stop_if_idle(struct session *session, struct relay *relay)
{
    if (session->state != SESSION_RELAYS || relay->now - session->moved_at < IDLE_USEC)
        return;
    /* Its receiver has only stopped reading. */
    if (session->ways[END_CLIENT].n_held > 0 || session->ways[END_SERVER].n_held > 0) {
        break_session(session, relay);
        return;
    }
    if (session->tls)
        tls_session_close(session->tls);
    end_session(session, relay);
}
