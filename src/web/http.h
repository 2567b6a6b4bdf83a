/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* HTTP: GET and HEAD of four paths, nothing else. Runs in the caller's loop. */
#pragma once

#include "web/answers.h"

#include <stdbool.h>
#include <stdint.h>

struct http;

/* The names of Host: that are ours, beside addresses and "localhost", are the caller's, and so are
 * the answers; both must outlive the server. Returns 0 or -ENOMEM. */
int http_new(struct answers *answers, const char *const hosts[], size_t n_hosts, struct http **ret);

/* Becomes readable when there is something to do. */
int http_fd(const struct http *http);

/* True if another connection has room; http_add() takes none without. */
bool http_has_room(const struct http *http);

/* Connections that are slow with their request, or do not read their answer, give way to others if
 * all places are taken. True if there is one; http_make_room() ends some, which http_run() sees. */
bool http_can_make_room(const struct http *http);
void http_make_room(struct http *http);

/* Takes a connected, non-blocking socket, which belongs to the server now, whatever is returned: 0
 * or a negative errno. */
int http_add(struct http *http, int fd);

/* Does what there is to do, and closes what has had its time. Returns after how many microseconds
 * it wants to be called again at the latest. */
uint64_t http_run(struct http *http);

/* Closes all. NULL is nothing. */
void http_free(struct http *http);
