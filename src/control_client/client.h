/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Calls to dispatcherd's control socket. Every wait is limited. */
#pragma once

#include "varlink/frames.h"

#include <jansson.h>
#include <stdint.h>

struct client {
    int fd; /* owned */
    struct varlink_frames frames;
};

/* Connects. Returns 0 or a negative errno; -EAGAIN if that took too long. */
int client_open(const char *path, uint64_t limit_usec, struct client *ret);

/* The same in two steps. The first returns the descriptor or a negative errno, the second takes it
 * over. */
int client_connect(const char *path, uint64_t limit_usec);
void client_use(int *fd, struct client *ret);

/* Calls a method of io.dispatcherd.Control; `parameters` passes on. Returns 0 with the whole reply
 * (the caller's): an object with "parameters" and, where it is an error, "error". Else a negative
 * errno: -EINVAL if `parameters` is NULL, -ETIMEDOUT, -ECONNRESET if the daemon closed the
 * connection, -EBADMSG if what came is no reply. */
int client_call(struct client *client, const char *method, json_t *parameters, uint64_t limit_usec,
                json_t **ret);

/* The same with "more": *ret is the first of several replies; client_next() waits for the others.
 */
int client_call_more(struct client *client, const char *method, json_t *parameters,
                     uint64_t limit_usec, json_t **ret);

/* As client_call(), of what comes without being asked for. `limit_usec` may be USEC_INFINITY. */
int client_next(struct client *client, uint64_t limit_usec, json_t **ret);

void client_close(struct client *client);
