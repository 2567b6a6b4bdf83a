/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tls/worker.h"

#include <assert.h>
#include <syslog.h>

static_assert((int)N_TLS_FAILURES - 1 == (int)DISPATCHER_TLS_FAILURES, "one for each failure");
static_assert((int)TLS_FAILED_ERROR - 1 == (int)DISPATCHER_TLS_ERROR, "in the same order");

int tls_worker_start(dispatcher_worker *worker, const struct tls_settings *settings,
                     struct tls_context **ret)
{
    char fault[PARAMETER_TEXT_MAX];
    int r = tls_context_new(settings, dispatcher_worker_max_connections(worker), ret, fault);

    if (r < 0) {
        dispatcher_worker_log(worker, LOG_ERR, "TLS: %s", fault);
        dispatcher_worker_certificate(worker, 0, NULL, fault);
    } else if (*ret) {
        dispatcher_worker_certificate(worker, (*ret)->expires_at, (*ret)->fingerprint, NULL);
    }
    return r;
}

void tls_worker_report(dispatcher_connection *connection, const struct tls_facts *facts,
                       enum tls_failure failure)
{
    if (failure == TLS_NO_FAILURE)
        dispatcher_connection_tls_began(connection, facts->protocol, facts->cipher, facts->subject,
                                        facts->digest);
    else
        dispatcher_connection_tls_failed(connection, (enum dispatcher_tls_failure)(failure - 1));
}
