/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a worker that speaks TLS does the same way, whatever it serves: it reads its certificates,
 * and reports to dispatcherd. */
#pragma once

#include "workers/tls/context.h"
#include "workers/tls/failure.h"

#include <dispatcher/worker.h>

/* For the worker's start. Reports the certificates, or what is wrong with them, and logs that.
 * Returns 0, with *ret NULL if there is no certificate, or a negative errno. */
int tls_worker_start(dispatcher_worker *worker, const struct tls_settings *settings,
                     struct tls_context **ret);

/* Reports what came of a handshake: the facts, or why it failed. */
void tls_worker_report(dispatcher_connection *connection, const struct tls_facts *facts,
                       enum tls_failure failure);
