/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Calls methods on dispatcherd's control socket. Every wait is limited. */
#pragma once

#include "control_client/tail.h"
#include "varlink/frames.h"

#include <jansson.h>
#include <stdint.h>

struct client {
    int fd; /* owned */
    struct varlink_frames frames;
    struct tail *aside; /* borrowed; read as long as it waits; NULL: none */
    size_t bytes_left;  /* what it still reads, of all replies; SIZE_MAX: without a limit */
};

/* Connects. Returns 0 or a negative errno; -EAGAIN if the time limit was reached. */
int client_open(const char *path, uint64_t limit_usec, struct client *ret);

/* The same in two steps: client_connect() returns the descriptor or a negative errno, and the
 * second function takes it over. */
int client_connect(const char *path, uint64_t limit_usec);
void client_use(int *fd, struct client *ret);

/* Calls a method of io.dispatcherd.Control, and takes over `parameters`. Returns 0 with the whole
 * reply (the caller's): an object with "parameters" and, if it is an error, "error". Otherwise a
 * negative errno: -EINVAL if `parameters` is NULL, -ETIMEDOUT, -ECONNRESET if the daemon closed the
 * connection, -EBADMSG if it sent no valid reply, -EFBIG if bytes_left is used up. */
int client_call(struct client *client, const char *method, json_t *parameters, uint64_t limit_usec,
                json_t **ret);

/* The same with "more": *ret is the first of several replies; client_next() waits for the next one.
 */
int client_call_more(struct client *client, const char *method, json_t *parameters,
                     uint64_t limit_usec, json_t **ret);

/* Waits for the next reply of client_call_more(), and returns what client_call() does. `limit_usec`
 * may be USEC_INFINITY. */
int client_next(struct client *client, uint64_t limit_usec, json_t **ret);

void client_close(struct client *client);
