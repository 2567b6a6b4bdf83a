/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The text of each kind of unit file that a service gets: pure, from options to words.
 *
 * What the lines are for is said in design decisions 1 (sockets) and 9 (workers), and in comments
 * of the units themselves, where an administrator who looks for what to override will read it. */
#pragma once

#include "config/options.h"

#include <stdbool.h>
#include <stdio.h>

/* What the text depends on besides the options. The strings stay the caller's. */
struct unit_environment {
    const char *source_path; /* absolute path of dispatcher.cnf */
    const char *user;        /* that the daemon runs as */
    bool has_ipv6;           /* the kernel has IPv6 */
    unsigned systemd_version;
};

/* The daemon's unit. */
#define UNIT_DAEMON "dispatcherd.service"

/* There while the daemon runs. */
#define UNIT_CONTROL_SOCKET "/run/dispatcherd/control"

/* What looks after the sockets before each start of the daemon: when they have been started. */
#define UNIT_MEND_SOCKETS "dispatcherd-sockets.service"

/* The folder of the workers' sockets: one of its own, for systemd removes the daemon's runtime
 * folder whenever the daemon stops. */
#define UNIT_WORKER_SOCKET_DIR "/run/dispatcherd-worker"

/* True if systemd takes `path` as the program of a unit. It refuses quotes, backslashes and
 * control characters even if they are escaped, and whatever is not UTF-8. */
bool unit_text_can_execute(const char *path);

/* Writes `path` as the first word of ExecStart=, so that systemd runs that very file: nothing in it
 * is a quote, a specifier, a variable or a prefix. */
void unit_text_program(FILE *stream, const char *path);

/* dispatcherd-NAME.socket, and dispatcherd-NAME-tls.socket if `is_tls`. */
void unit_text_socket(FILE *stream, const struct unit_environment *environment,
                      const struct service_options *service, bool is_tls);

/* dispatcherd-NAME-worker.socket */
void unit_text_worker_socket(FILE *stream, const struct unit_environment *environment,
                             const struct service_options *service);

/* dispatcherd-NAME-worker@.service */
void unit_text_worker_service(FILE *stream, const struct unit_environment *environment,
                              const struct service_options *service);
