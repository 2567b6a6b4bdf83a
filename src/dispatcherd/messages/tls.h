/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What workers report about TLS: that of connections, handshakes that failed, and their
 * certificates. */
#pragma once

#include <stdbool.h>

struct message;
struct worker;

/* MESSAGE_TLS. What it says of a connection that is not there any more counts all the same. Returns
 * false if the worker may not send it yet. */
bool tls_take(struct worker *worker, const struct message *message);

enum certificate_verdict {
    CERTIFICATE_TAKEN,
    CERTIFICATE_UNTIMELY, /* the worker may not send that yet */
    CERTIFICATE_EXPIRED, /* it has expired, and workers with a better one are there: the worker that
                          * was to replace them must not */
};

/* MESSAGE_CERTIFICATE. If it is another one than older workers show, those are outdated. */
enum certificate_verdict certificate_take(struct worker *worker, const struct message *message);
