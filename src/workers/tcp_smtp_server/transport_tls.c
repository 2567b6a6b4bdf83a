/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/transport_tls.h"

static ssize_t tls_receive(void *userdata, void *buffer, size_t size, struct deadline deadline)
{
    struct transport_tls *tls = userdata;

    return tls->is_on ? tls_session_receive(&tls->session, buffer, size, deadline)
                      : tls->plain.receive(tls->plain.userdata, buffer, size, deadline);
}

static int tls_wait(void *userdata, int stop_fd, struct deadline deadline)
{
    struct transport_tls *tls = userdata;

    return tls->is_on ? tls_session_wait(&tls->session, stop_fd, deadline)
                      : tls->plain.wait(tls->plain.userdata, stop_fd, deadline);
}

static int tls_send(void *userdata, const void *bytes, size_t n_bytes, uint64_t deadline_usec)
{
    struct transport_tls *tls = userdata;

    return tls->is_on ? tls_session_send(&tls->session, bytes, n_bytes, deadline_usec)
                      : tls->plain.send(tls->plain.userdata, bytes, n_bytes, deadline_usec);
}

static bool tls_has_input(void *userdata)
{
    struct transport_tls *tls = userdata;

    return tls->is_on ? tls_session_has_input(&tls->session)
                      : tls->plain.has_input(tls->plain.userdata);
}

static void tls_end_output(void *userdata)
{
    struct transport_tls *tls = userdata;

    if (tls->is_on)
        tls_session_close(&tls->session);
    else
        tls->plain.end_output(tls->plain.userdata);
}

static enum tls_failure tls_start(void *userdata, bool client_asks, const struct tls_facts **ret)
{
    struct transport_tls *tls = userdata;
    enum tls_failure failure = tls_session_start(&tls->session, tls->context, tls->socket.fd,
                                                 tls->socket.stress_fd, client_asks);

    tls->is_on = failure == TLS_NO_FAILURE;
    if (tls->is_on)
        *ret = &tls->session.facts;
    return failure;
}

struct transport transport_over_tls(struct transport_tls *tls)
{
    tls->plain = transport_over_socket(&tls->socket);
    tls->is_on = false;
    return (struct transport){
        .receive = tls_receive,
        .wait = tls_wait,
        .send = tls_send,
        .has_input = tls_has_input,
        .end_output = tls_end_output,
        .start_tls = tls->context ? tls_start : NULL,
        .userdata = tls,
    };
}

void transport_tls_clear(struct transport_tls *tls)
{
    if (tls->is_on)
        tls_session_clear(&tls->session);
    tls->is_on = false;
}
