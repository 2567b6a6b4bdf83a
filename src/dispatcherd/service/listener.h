/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The sockets on which a service's connections arrive: seen here, accepted one at a time when the
 * policy allows it. */
#pragma once

#include "dispatcherd/core/listening_socket.h"
#include "dispatcherd/core/service.h"

/* Adds a listening socket and takes over *fd (-1 afterwards), which is made non-blocking. Returns
 * 0 or a negative errno. */
int listener_add(struct service *service, int *fd, bool is_tls, bool is_inherited);

/* Starts watching those that are not watched yet; before this call nothing is accepted. */
int listeners_start(struct service *service);

/* Takes one off, the `index`-th; the last one takes its place. listeners_start() or
 * listeners_watch() has to follow. Returns its descriptor, which is the caller's. */
int listener_take(struct service *service, size_t index);

/* Closes one, the `index`-th; the last one takes its place. */
void listener_remove(struct service *service, size_t index);

/* Takes one connection from the service's sockets, each in its turn, and admits it. Returns false
 * if there is none, or none can be taken for now. */
bool listeners_accept(struct service *service);

/* Watches the sockets or leaves them alone, so that what may not be accepted costs nothing. Without
 * memory for one that is not watched yet it is tried again a little later. */
void listeners_watch(struct service *service, bool on);

/* Closes those that the service manager does not hold; frees all of them then, if there are such.
 */
void listeners_close_own(struct service *service);

/* Closes and frees all of them. */
void listeners_free(struct service *service);
