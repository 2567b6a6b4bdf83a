/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/session_internal.h"

#include "base/time.h"
#include "workers/tcp_smtp_server/session_log.h"
#include "workers/tcp_smtp_server/transport_tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How many commands that do not lead to a message may follow the last message. */
#define MAX_IDLE_COMMANDS 100
/* How much is read and discarded after the last reply. */
#define LINGER_MAX_OCTETS (UINT64_C(64) << 20)

/* Versions of clang-format disagree about a macro in braces. */
/* clang-format off */
#define EVERYWHERE(function) {function, function, function, function}
/* clang-format on */

/* The function for each command in each state (GREETED, IDLE, SENDER, RECIPIENTS), and properties
 * of the command. */
static const struct {
    command_function *in_state[N_COMMAND_STATES];
    bool takes_no_argument;
    bool ends_group; /* must be the last of a pipelined group: RFC 2920, 3.1 */
    bool is_idle;    /* counts towards MAX_IDLE_COMMANDS */
} rules[N_COMMANDS] = {
    [COMMAND_UNKNOWN] = {.in_state = EVERYWHERE(refuse_unknown)},
    [COMMAND_NOT_IMPLEMENTED] = {.in_state = EVERYWHERE(refuse_not_implemented)},
    [COMMAND_FORBIDDEN] = {.in_state = EVERYWHERE(refuse_http)},
    [COMMAND_HELO] = {.in_state = EVERYWHERE(do_helo), .ends_group = true, .is_idle = true},
    [COMMAND_EHLO] = {.in_state = EVERYWHERE(do_ehlo), .ends_group = true, .is_idle = true},
    [COMMAND_MAIL] = {.in_state = {refuse_without_greeting, do_mail, refuse_second_mail,
                                   refuse_second_mail}},
    [COMMAND_RCPT] = {.in_state = {refuse_without_greeting, refuse_without_mail, do_rcpt, do_rcpt}},
    [COMMAND_DATA] = {.in_state = {refuse_without_greeting, refuse_without_mail,
                                   refuse_without_recipient, do_data},
                      .takes_no_argument = true,
                      .ends_group = true},
    [COMMAND_RSET] = {.in_state = EVERYWHERE(do_rset), .takes_no_argument = true, .is_idle = true},
    [COMMAND_NOOP] = {.in_state = EVERYWHERE(do_noop), .ends_group = true, .is_idle = true},
    [COMMAND_VRFY] = {.in_state = EVERYWHERE(do_vrfy), .ends_group = true, .is_idle = true},
    [COMMAND_HELP] = {.in_state = EVERYWHERE(do_help), .is_idle = true},
    [COMMAND_STARTTLS] = {.in_state = {refuse_without_greeting, do_starttls, refuse_in_transaction,
                                       refuse_in_transaction},
                          .takes_no_argument = true,
                          .ends_group = true},
    [COMMAND_QUIT] = {.in_state = EVERYWHERE(do_quit), .takes_no_argument = true},
};

/* True if the client has sent more than it may before it has read the reply to this command. */
static bool is_out_of_step(const struct session *session, enum command command)
{
    /* Only EHLO tells a client that it may pipeline. What follows QUIT does not matter. */
    bool may_pipeline = session->greeting.kind == GREETING_EHLO && !rules[command].ends_group;

    return command != COMMAND_QUIT && !may_pipeline && line_reader_has_input(&session->reader);
}

static void obey(struct session *session, char *line, size_t length)
{
    const char *argument;
    enum command command = smtp_command_parse(line, length, &argument);

    if (is_out_of_step(session, command))
        session_close(session, "554 5.5.0 Improper command pipelining", "improper pipelining");
    else if (length + 2 > command_line_max(command))
        session_refuse(session, "500 5.5.2 Line too long");
    else if (rules[command].takes_no_argument && *argument)
        session_refuse(session, "501 5.5.4 The command takes no argument");
    else if (rules[command].is_idle && ++session->n_idle_commands > MAX_IDLE_COMMANDS)
        session_close(session, "421 4.7.0 Too many commands without mail",
                      "too many idle commands");
    else
        rules[command].in_state[session->state](session, argument);
}

/* Waits for input. Between transactions it ends early if the service stops, since nothing is lost
 * then. */
static ssize_t await_input(struct session *session, struct deadline deadline)
{
    const struct transport *transport = session->reader.transport;
    bool may_end = session->state == STATE_GREETED || session->state == STATE_IDLE;

    if (may_end && session->settings->stop_fd >= 0) {
        int r = transport->wait(transport->userdata, session->settings->stop_fd, deadline);

        if (r < 0)
            return r;
    }
    return line_reader_fill(&session->reader, deadline);
}

static void end_without_command(struct session *session, int error)
{
    if (error == -ETIMEDOUT)
        session_close(session, "421 4.4.2 Timeout",
                      deadline_is_stressed(session->settings->stress_fd)
                          ? "time-out; the service is under stress"
                          : "time-out");
    else if (error == -ECANCELED)
        session_close(session, "421 4.3.2 Service shutting down", "the service is stopping");
    session->state = STATE_CLOSING;
}

/* Takes the next command, and waits for it if necessary. */
static void next_command(struct session *session)
{
    const struct session_settings *settings = session->settings;
    const uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    const struct deadline deadline =
        deadline_earlier(session->ends_at, deadline_after(now, settings->timeouts.command,
                                                          settings->stressed.command));
    enum line_status status;
    char *line;
    size_t length;

    /* With a busy client there is always input, so no wait would time out. */
    if (deadline_is_past(deadline, now, settings->stress_fd)) {
        end_without_command(session, -ETIMEDOUT);
        return;
    }
    while ((status = line_reader_take_line(&session->reader, COMMAND_LINE_MAX_MAIL, &line,
                                           &length)) == LINE_INCOMPLETE) {
        if (reply_flush(&session->replies) < 0) {
            session->state = STATE_CLOSING;
            return;
        }
        ssize_t n = await_input(session, deadline);
        if (n <= 0) {
            end_without_command(session, (int)n);
            return;
        }
    }
    if (status == LINE_COMPLETE)
        obey(session, line, length);
    else if (status == LINE_TOO_LONG)
        session_refuse(session, "500 5.5.2 Line too long");
    else
        session_close(session, "500 5.5.2 Lines must end in <CR><LF> and hold no <CR>, <LF> or NUL",
                      "malformed command line");
}

/* Closing a socket with unread input sends a reset, which may overtake and destroy our last reply
 * (RFC 1122, 4.2.2.13). So the client has some time to read it and to close first. */
static void linger(struct session *session)
{
    const struct transport *transport = session->reader.transport;
    const struct deadline deadline =
        deadline_after(time_now_usec(CLOCK_MONOTONIC), session->settings->timeouts.linger,
                       session->settings->stressed.linger);
    uint64_t n_octets = 0;
    ssize_t n;

    transport->end_output(transport->userdata);
    do {
        n = transport->receive(transport->userdata, session->reader.buffer, LINE_READER_BYTES,
                               deadline);
        n_octets += n > 0 ? (uint64_t)n : 0;
    } while (n > 0 && n_octets < LINGER_MAX_OCTETS);
}

/* Sends the last replies. A client that has gone, or does not read, is spared the rest. */
static void end_output(struct session *session)
{
    const struct transport *transport = session->reader.transport;

    if (reply_flush(&session->replies) < 0)
        return;
    if (session->must_linger)
        linger(session);
    else
        transport->end_output(transport->userdata);
}

static void serve(struct session *session)
{
    if (session->peer->is_tls && !session_start_tls(session)) {
        session->state = STATE_CLOSING;
    } else if (line_reader_has_input(&session->reader)) {
        session_close(session, "554 5.5.0 You spoke before our greeting",
                      "input before the greeting");
    } else {
        session_reply(session, "220 %s ESMTP dispatcherd", session->settings->host_name);
        while (session->state != STATE_CLOSING)
            next_command(session);
    }
    end_output(session);
    session_reset_transaction(session);
    session_log_more_refused(session);
}

void session_run_over(const struct session_settings *settings, const struct session_peer *peer,
                      const struct transport *transport)
{
    /* Too large for the stack of a thread, whose STACKSIZE an administrator may choose. */
    struct session *session = calloc(1, sizeof(*session));

    if (!session) {
        static const char busy[] = "421 4.3.0 Out of memory\r\n";

        (void)transport->send(transport->userdata, busy, strlen(busy),
                              time_now_usec(CLOCK_MONOTONIC) + USEC_PER_SEC);
        return;
    }
    session->settings = settings;
    session->peer = peer;
    session->state = STATE_GREETED;
    session->ends_at = deadline_after(time_now_usec(CLOCK_MONOTONIC), settings->timeouts.session,
                                      settings->stressed.session);
    line_reader_init(&session->reader, transport);
    reply_writer_init(&session->replies, transport, settings->timeouts.command,
                      session->ends_at.usual);
    serve(session);
    free(session);
}

void session_run(const struct session_settings *settings, const struct session_peer *peer, int fd)
{
    struct transport_tls tls = {
        .socket = {.fd = fd, .stress_fd = settings->stress_fd},
        .context = settings->tls_context,
    };
    const struct transport transport = transport_over_tls(&tls);

    session_run_over(settings, peer, &transport);
    transport_tls_clear(&tls);
}
