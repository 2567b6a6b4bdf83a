/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The sockets on which a service's connections arrive. Connections are accepted one at a time, when
 * the policy allows it. */
#pragma once

#include "dispatcherd/core/service.h"
#include "dispatcherd/sockets/listening_socket.h"

/* Adds a listening socket and takes over *fd (-1 afterwards), which is made non-blocking. Returns
 * 0 or a negative errno. */
int listener_add(struct service *service, int *fd, bool is_tls, bool is_inherited);

/* Starts to watch those that are not watched yet; before this call nothing is accepted. */
int listeners_start(struct service *service);

/* Removes the one at `index`; the last one takes its place. listeners_start() or listeners_watch()
 * has to be called next. Returns its descriptor, which is the caller's. */
int listener_take(struct service *service, size_t index);

/* Closes the one at `index`; the last one takes its place. */
void listener_remove(struct service *service, size_t index);

/* Accepts one connection from the service's sockets, which take turns, and takes it in. Returns
 * false if there is none, or none can be accepted for now. */
bool listeners_accept(struct service *service);

/* Turns watching on or off: sockets from which nothing may be accepted cost nothing. Without memory
 * for a new source, this is tried again a little later. */
void listeners_watch(struct service *service, bool on);

/* Whether one of them accepts nothing for a moment, after an error that persists. */
bool listeners_are_paused(const struct service *service);

/* Closes those that the service manager does not hold. If there are any, all of them are freed. */
void listeners_close_own(struct service *service);

/* Closes and frees all of them. */
void listeners_free(struct service *service);
