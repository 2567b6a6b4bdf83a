/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tls/tls_end.h"

#include <errno.h>

static ssize_t tls_end_result(ssize_t n)
{
    if (n >= 0)
        return n;
    errno = (int)-n;
    return -1;
}

static ssize_t tls_end_receive(struct end *end, void *buffer, size_t size)
{
    bool wants_output;

    return tls_end_result(tls_session_read(end->userdata, buffer, size, &wants_output));
}

static ssize_t tls_end_send(struct end *end, const void *bytes, size_t n_bytes)
{
    bool wants_input;

    return tls_end_result(tls_session_write(end->userdata, bytes, n_bytes, &wants_input));
}

static int tls_end_finish(struct end *end)
{
    return tls_session_end_output(end->userdata);
}

struct end tls_end(struct tls_session *session)
{
    static const struct end_calls calls = {
        .receive = tls_end_receive,
        .send = tls_end_send,
        .finish = tls_end_finish,
    };

    return (struct end){
        .fd = session->socket.fd,
        .calls = &calls,
        .userdata = session,
        .is_client = true,
        .can_read = true,
        .can_write = true,
    };
}
