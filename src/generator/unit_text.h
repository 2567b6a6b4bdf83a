/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The texts of the unit files of a service. Pure: from options to words.
 *
 * The comments in the units themselves say what their lines are for, since an administrator who
 * looks for what to override reads them there. */
#pragma once

#include "config/options.h"

#include <stdbool.h>
#include <stdio.h>

/* What the text depends on besides the options. The strings stay the caller's. */
struct unit_environment {
    const char *source_path; /* absolute path of dispatcher.cnf */
    const char *user;        /* the daemon's user */
    bool has_ipv6;           /* the kernel has IPv6 */
    unsigned systemd_version;
};

/* The daemon's unit. */
#define UNIT_DAEMON "dispatcherd.service"

/* Exists while the daemon runs. */
#define UNIT_CONTROL_SOCKET "/run/dispatcherd/control"

/* Repairs the sockets before each start of the daemon, after they have been started. */
#define UNIT_MEND_SOCKETS "dispatcherd-sockets.service"

/* The folder of the workers' sockets. It is a separate one, since systemd removes the daemon's
 * runtime folder whenever the daemon stops. */
#define UNIT_WORKER_SOCKET_DIR "/run/dispatcherd-worker"

/* True if systemd accepts `path` as the program of a unit. It rejects quotes, backslashes and
 * control characters, even if they are escaped, and what is not UTF-8. */
bool unit_text_can_execute(const char *path);

/* Writes `path` as the first word of ExecStart=, so that systemd runs exactly this file: no part of
 * it is taken for a quote, specifier, variable or prefix. */
void unit_text_program(FILE *stream, const char *path);

/* dispatcherd-NAME.socket, or dispatcherd-NAME-tls.socket if `is_tls`. */
void unit_text_socket(FILE *stream, const struct unit_environment *environment,
                      const struct service_options *service, bool is_tls);

/* dispatcherd-NAME-worker.socket */
void unit_text_worker_socket(FILE *stream, const struct unit_environment *environment,
                             const struct service_options *service);

/* dispatcherd-NAME-worker@.service */
void unit_text_worker_service(FILE *stream, const struct unit_environment *environment,
                              const struct service_options *service);
