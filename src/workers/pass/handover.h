/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Giving a connection to a program that listens on a Unix socket: one connection to it for each.
 * The program closes that one when it has the client's descriptor. */
#pragma once

#include "workers/pass/settings.h"

#include <stdbool.h>

/* Room for the longest of handover_write(). */
#define HANDOVER_BYTES_MAX 512

/* What is told of a client besides its descriptor. Addresses are numeric. */
struct handover_client {
    const char *peer_host, *local_host;
    unsigned peer_port, local_port;
};

/* Connects. Never waits. Returns the descriptor, which is the caller's, or a negative errno:
 * -EAGAIN if the program is full, another one if it is away or may not be reached. */
int handover_connect(const char *path);

/* Writes what goes with the descriptor. Returns its length. */
size_t handover_write(enum pass_format format, const struct handover_client *client,
                      char bytes[HANDOVER_BYTES_MAX]);

/* Sends all of it in one message: no moment is left in which the program could have the descriptor
 * and lack the rest. Returns 0 or a negative errno, and then it has nothing. */
int handover_send(int target, int client_fd, const char *bytes, size_t length);

/* What has become of it, when the descriptor is readable. */
enum handover_answer {
    HANDOVER_OPEN,     /* nothing yet */
    HANDOVER_TAKEN,    /* the program has closed it in good order */
    HANDOVER_RETURNED, /* the program went away before it had read all */
};

enum handover_answer handover_look(int target);
