/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/inetd/session.h"

#include "base/fd.h"
#include "base/str.h"
#include "base/time.h"
#include "workers/common/send_away.h"
#include "workers/inetd/advice.h"
#include "workers/inetd/environment.h"
#include "workers/inetd/error_lines.h"
#include "workers/inetd/holder.h"
#include "workers/inetd/keeper.h"
#include "workers/inetd/launch.h"
#include "workers/inetd/leftovers.h"
#include "workers/inetd/marks.h"
#include "workers/inetd/session_report.h"
#include "workers/inetd/tunnel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

/* How long a program has for ending after SIGTERM. */
#define TERM_LIMIT_USEC (5 * USEC_PER_SEC)

/* Most sessions are shorter; the others are asked then whether they still have their connection,
 * and again after twice the time, up to the longest. */
#define FIRST_LOOK_USEC   USEC_PER_SEC
#define LONGEST_LOOK_USEC (30 * USEC_PER_SEC)

/* How long a process may be awaited that cannot be made (EAGAIN), since somebody has taken the
 * places of all. */
#define PROCESS_LIMIT_USEC (5 * USEC_PER_SEC)
#define PROCESS_RETRY_USEC (50 * USEC_PER_MSEC)

/* How long the end of what was left behind is awaited. */
#define LEFTOVERS_LIMIT_USEC (2 * USEC_PER_SEC)

struct session {
    struct inetd *inetd;
    dispatcher_connection *connection;
    pid_t pid;
    int pidfd;
    struct tunnel *tunnel; /* owned; NULL: the program has the client's connection */
    bool is_tunnelling;    /* and there may be something to move */
    bool tunnel_has_more;
    int holder_fd; /* -1: not yet, or the connection is closed */
    uint64_t started_at;
    uint64_t look_at, look_usec;
    uint64_t end_at;          /* when SIGTERM is due */
    uint64_t kill_at;         /* when SIGKILL is due */
    enum session_cause cause; /* why end_at is what it is */
    bool is_told_to_end;
    struct kept kept;
    int error_fd; /* reading end of a pipe; -1: none, or it is closed */
    struct error_lines lines;
};

static struct command_facts facts_of(dispatcher_connection *connection)
{
    return (struct command_facts){
        .client_host = dispatcher_connection_peer_host(connection),
        .client_port = dispatcher_connection_peer_port(connection),
        .local_host = dispatcher_connection_local_host(connection),
        .local_port = dispatcher_connection_local_port(connection),
        .service = dispatcher_worker_service(dispatcher_connection_worker(connection)),
        .connection_id = dispatcher_connection_id(connection),
        .identity = dispatcher_connection_identity(connection),
    };
}

static bool is_unix(const dispatcher_connection *connection)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);

    dispatcher_connection_local(connection, (struct sockaddr *)&address, &length);
    return length > 0 && address.ss_family == AF_UNIX;
}

/* A process may have to be awaited. Returns it, or a negative errno. */
static pid_t launch_patiently(const struct launch *launch)
{
    const struct timespec pause = {.tv_nsec = (long)(PROCESS_RETRY_USEC * NSEC_PER_USEC)};
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + PROCESS_LIMIT_USEC;
    pid_t pid;

    while (((pid = launch_program(launch)) == -EAGAIN || pid == -ENOMEM) &&
           time_now_usec(CLOCK_MONOTONIC) < end) {
        keeper_hurry();
        nanosleep(&pause, NULL);
    }
    return pid;
}

/* What the program gets. */
static int session_socket(const struct session *session)
{
    return session->tunnel ? tunnel_program_fd(session->tunnel)
                           : dispatcher_connection_fd(session->connection);
}

/* Returns 0, or a negative errno. */
static int session_launch(struct session *session, int error_fd)
{
    const struct command_facts facts = facts_of(session->connection);
    const struct inetd_settings *settings = session->inetd->settings;
    char **arguments = command_expand(&settings->command, &facts);
    char **environment = environment_make(&facts, is_unix(session->connection),
                                          session->tunnel ? tunnel_facts(session->tunnel) : NULL,
                                          &settings->environment);
    const struct launch launch = {
        .arguments = arguments,
        .environment = environment,
        .socket = session_socket(session),
        .error = error_fd,
        .mark = session->kept.mark,
        .descriptors = &session->inetd->descriptors,
    };

    session->pid = arguments && environment ? launch_patiently(&launch) : -ENOMEM;
    free(arguments);
    free(environment);
    return session->pid < 0 ? (int)session->pid : 0;
}

/* It cannot be watched, and must not serve a client that is sent away. */
static void session_undo_launch(const struct session *session)
{
    (void)kill(-session->pid, SIGKILL);
    while (waitpid(session->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* Starts the program with its standard error where STDERR= says. Returns 0 or a negative errno. */
static int session_start(struct session *session)
{
    int fds[2] = {-1, -1}, error_fd = session->inetd->null_fd;

    if (session->inetd->settings->standard_error == STANDARD_ERROR_SOCKET) {
        error_fd = session_socket(session);
    } else if (session->inetd->settings->standard_error == STANDARD_ERROR_JOURNAL) {
        if (pipe2(fds, O_CLOEXEC) < 0)
            return -errno;
        error_fd = fds[1];
        (void)fd_set_nonblocking(fds[0], true);
    }
    int r = session_launch(session, error_fd);
    fd_close(fds[1]);
    session->error_fd = fds[0];
    if (r < 0)
        return r;
    session->pidfd = pidfd_open(session->pid, 0);
    if (session->pidfd >= 0)
        return 0;
    r = -errno;
    session_undo_launch(session);
    return r;
}

static void end_sooner(struct session *session, uint64_t at, enum session_cause cause)
{
    if (at < session->end_at) {
        session->end_at = at;
        session->cause = cause;
    }
}

/* Nobody can use the connection any more: the program has a while for what it still does. */
static void connection_is_over(struct session *session, uint64_t now, enum session_cause cause)
{
    session->holder_fd = fd_close(session->holder_fd);
    session->look_at = USEC_INFINITY;
    end_sooner(session, now + session->inetd->settings->linger_usec, cause);
}

static void move_tunnel(struct session *session, uint64_t now)
{
    enum tunnel_state state = tunnel_move(session->tunnel);

    session->tunnel_has_more = state == TUNNEL_HAS_MORE;
    session->is_tunnelling = state == TUNNEL_HAS_MORE || state == TUNNEL_IS_OPEN;
    if (!session->is_tunnelling)
        connection_is_over(session, now,
                           state == TUNNEL_CLOSED ? SESSION_CLOSED_IT : SESSION_CLIENT_GONE);
}

static void look_at_connection(struct session *session, uint64_t now)
{
    if (session->holder_fd < 0)
        session->holder_fd =
            holder_start(dispatcher_connection_fd(session->connection), session->inetd->null_fd);
    session->look_usec *= 2;
    if (session->look_usec > LONGEST_LOOK_USEC)
        session->look_usec = LONGEST_LOOK_USEC;
    session->look_at = now + session->look_usec;
    if (session->holder_fd >= 0 && !holder_has_connection(session->holder_fd))
        connection_is_over(session, now, SESSION_CLOSED_IT);
}

/* The program and its group get SIGTERM, and later all that it has started SIGKILL. */
static void end_program(struct session *session, uint64_t now)
{
    unsigned n_remaining;

    if (!session->is_told_to_end) {
        session->is_told_to_end = true;
        session->kill_at = now + TERM_LIMIT_USEC;
        (void)kill(-session->pid, SIGTERM);
        return;
    }
    session->kill_at = USEC_INFINITY;
    (void)kill(-session->pid, SIGKILL);
    (void)leftovers_end(session->kept.mark, LEFTOVERS_LIMIT_USEC, &n_remaining);
}

static uint64_t next_time(const struct session *session)
{
    uint64_t end_at = session->is_told_to_end ? session->kill_at : session->end_at;

    return session->look_at < end_at ? session->look_at : end_at;
}

static int timeout_msec(uint64_t at, uint64_t now)
{
    if (at == USEC_INFINITY)
        return -1;
    if (at <= now)
        return 0;
    uint64_t msec = (at - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
    return msec > 3600 * 1000 ? 3600 * 1000 : (int)msec;
}

static void do_what_is_due(struct session *session, uint64_t now)
{
    if (now >= session->look_at)
        look_at_connection(session, now);
    if (now >= (session->is_told_to_end ? session->kill_at : session->end_at))
        end_program(session, now);
}

/* Until the program, which then is a zombie, has ended. */
static void session_wait(struct session *session)
{
    struct pollfd fds[4] = {{.fd = session->pidfd, .events = POLLIN}};

    while (!fds[0].revents) {
        uint64_t now = time_now_usec(CLOCK_MONOTONIC);

        do_what_is_due(session, now);
        fds[1] = (struct pollfd){.fd = session->error_fd, .events = POLLIN};
        fds[2] = (struct pollfd){.fd = session->holder_fd, .events = POLLIN};
        fds[3] = (struct pollfd){.fd = session->is_tunnelling ? tunnel_fd(session->tunnel) : -1,
                                 .events = POLLIN};
        int n = poll(fds, 4, session->tunnel_has_more ? 0 : timeout_msec(next_time(session), now));
        if (session->is_tunnelling && (session->tunnel_has_more || (n > 0 && fds[3].revents)))
            move_tunnel(session, now);
        if (n <= 0)
            continue;
        if (fds[1].revents && !error_lines_read(&session->lines, session->error_fd))
            session->error_fd = fd_close(session->error_fd);
        if (fds[2].revents)
            connection_is_over(session, now, SESSION_CLIENT_GONE);
    }
}

/* Ends what the program has left behind, and reaps it. Before that nobody else can have its
 * number. */
static void session_clean(struct session *session, struct session_result *result)
{
    struct session_counts *counts = &session->inetd->counts;
    pid_t pid;

    (void)kill(-session->pid, SIGKILL);
    while ((pid = wait4(session->pid, &result->status, 0, &result->usage)) < 0 && errno == EINTR)
        ;
    if (leftovers_exist())
        result->n_leftovers =
            leftovers_end(session->kept.mark, LEFTOVERS_LIMIT_USEC, &result->n_remaining);
    atomic_fetch_add_explicit(&counts->n_leftovers, result->n_leftovers, memory_order_relaxed);
}

static void session_run(struct session *session)
{
    struct session_result result = {0};

    keeper_add(&session->kept);
    session_wait(session);
    keeper_remove(&session->kept);
    session_clean(session, &result);
    if (session->tunnel)
        tunnel_finish(session->tunnel);
    if (session->error_fd >= 0)
        (void)error_lines_read(&session->lines, session->error_fd);
    error_lines_end(&session->lines);
    result.duration_usec = time_now_usec(CLOCK_MONOTONIC) - session->started_at;
    result.cause = session->is_told_to_end ? session->cause : SESSION_BY_ITSELF;
    result.n_processes_at_end = atomic_load(&session->kept.n_processes_at_end);
    if (result.n_processes_at_end > 0)
        result.cause = SESSION_TOO_MANY_PROCESSES;
    session_report(session->connection, &result, &session->inetd->counts);
}

/* The program cannot be executed, although it could when the worker started, or there is no
 * process for it. */
static void session_refuse(struct session *session, int error)
{
    const struct inetd_settings *settings = session->inetd->settings;
    enum come_back_protocol protocol =
        settings->protocol > 0
            ? (enum come_back_protocol)(settings->protocol - 1)
            : come_back_protocol_of_port(dispatcher_connection_local_port(session->connection));

    if (session->tunnel)
        tunnel_send_away(session->tunnel, come_back_text(protocol, COME_BACK_BUSY));
    else
        send_away(dispatcher_connection_fd(session->connection),
                  dispatcher_connection_is_tls(session->connection) ? COME_BACK_UNKNOWN : protocol);
    dispatcher_connection_set_outcome(session->connection, DISPATCHER_SENT_AWAY);
    session_report_failure(session->connection, settings->command.words.items[0], error,
                           &session->inetd->counts);
}

/* Returns false if the session ends without a program. */
static bool session_start_tls(struct session *session)
{
    struct inetd *inetd = session->inetd;

    if (!dispatcher_connection_is_tls(session->connection) || inetd->settings->tls.is_passed)
        return true;
    int r = tunnel_open(&session->tunnel, inetd->tls, session->connection);
    if (r < 0 && r != -EPROTO)
        session_report_no_tls(session->connection, r, &inetd->counts);
    session->is_tunnelling = r == 0;
    session->look_at = USEC_INFINITY; /* the tunnel knows whether the connection is open */
    return r == 0;
}

void session_serve(struct inetd *inetd, dispatcher_connection *connection)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC), timeout = inetd->settings->timeout_usec;
    struct session session = {
        .inetd = inetd,
        .connection = connection,
        .pidfd = -1,
        .holder_fd = -1,
        .error_fd = -1,
        .started_at = now,
        .look_at = now + FIRST_LOOK_USEC,
        .look_usec = FIRST_LOOK_USEC,
        .end_at = timeout > 0 ? now + timeout : USEC_INFINITY,
        .cause = SESSION_TIMEOUT,
        .kept = {.mark = marks_new(), .connection = connection},
    };

    if (!session_start_tls(&session))
        return;
    error_lines_start(&session.lines, connection);
    int r = session_start(&session);
    if (r == 0 && session.tunnel)
        tunnel_begin(session.tunnel);
    if (r == 0)
        session_run(&session);
    else
        session_refuse(&session, r);
    tunnel_close(session.tunnel);
    fd_close(session.pidfd);
    fd_close(session.holder_fd);
    fd_close(session.error_fd);
}
