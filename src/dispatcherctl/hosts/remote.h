/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The control socket of another host: ssh(1) runs "dispatcherctl bridge" there, whose standard
 * input and output are the connection. A host that is called ".host" is this one, without ssh. */
#pragma once

#include "control_client/client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The variable of the environment that names another program than ssh. */
#define REMOTE_SSH_VARIABLE "DISPATCHERCTL_SSH"

/* Room for the reason why a host is away, with its NUL. */
#define REMOTE_REASON_MAX 256

#define REMOTE_THIS_HOST ".host"

struct remote {
    bool is_local;        /* without ssh */
    struct client client; /* its fd is -1 if there is no connection */
    pid_t pid;            /* of ssh; 0: none */
    int status;           /* of ssh, when it has ended: see waitpid(2) */
    struct tail errors;   /* what ssh says on its standard error */
};

#define REMOTE_NONE ((struct remote){.client = {.fd = -1}, .errors = {.fd = -1}})

/* Whether the text is [USER@]HOST[:PORT], with an IPv6 address in brackets if a port follows. */
bool remote_is_valid(const char *host);

/* Connects to the control socket `path` of the host. ssh is only started: whether it gets through
 * shows at the first call. Returns 0 or a negative errno; *ret is to be closed in either case, and
 * cannot be moved until then. */
int remote_open(const char *host, const char *path, uint64_t limit_usec, struct remote *ret);

/* The connection has failed with `error`, a negative errno, while an answer was awaited for
 * `limit_usec`. Writes why, in one line: what ssh or the other host said last, if they
 * closed the connection. */
void remote_explain(struct remote *remote, const char *path, int error, uint64_t limit_usec,
                    char reason[REMOTE_REASON_MAX]);

/* Ends ssh, too. */
void remote_close(struct remote *remote);
