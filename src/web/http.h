/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* An HTTP server for GET and HEAD of four paths. Runs in the caller's event loop. */
#pragma once

#include "web/answers.h"

#include <stdbool.h>
#include <stdint.h>

struct http;

/* `hosts` are names that are accepted in Host:, besides addresses and "localhost". They and the
 * answers stay the caller's, and must outlive the server. Returns 0 or -ENOMEM. */
int http_new(struct answers *answers, const char *const hosts[], size_t n_hosts, struct http **ret);

/* Readable when http_run() has something to do. */
int http_fd(const struct http *http);

/* Whether there is room for another connection; http_add() refuses it without. */
bool http_has_room(const struct http *http);

/* If all slots are taken, connections that are slow with their request, or do not read their
 * answer, give way to others. http_can_make_room() returns true if there is one; http_make_room()
 * ends some, which become free in http_run(). */
bool http_can_make_room(const struct http *http);
void http_make_room(struct http *http);

/* Takes over a connected, non-blocking socket, even if it fails. Returns 0 or a negative errno. */
int http_add(struct http *http, int fd);

/* Does what there is to do, and closes connections whose time is over. Returns within how many
 * microseconds it must be called again. */
uint64_t http_run(struct http *http);

/* Closes everything. NULL does nothing. */
void http_free(struct http *http);
