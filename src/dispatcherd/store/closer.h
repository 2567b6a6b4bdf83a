/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Closes descriptors that may come from a hostile process, so that the daemon never waits for it.
 *
 * close() may wait as long as a stranger likes: for the client of a TCP socket with SO_LINGER
 * (socket(7)), and for sockets that are unread in a socket. A process that exits waits for no
 * client. So the descriptors go to a process of ours, which is started when it is first needed; a
 * child of it receives them, and exits as soon as our copies are closed.
 *
 * There is one for the process, as for the log. */
#pragma once

#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

/* From now on descriptors are collected during a turn of the loop. */
int closer_start(sd_event *event);

/* Closes all that are left. */
void closer_end(void);

/* Closes fd; does nothing with -1. Without the process, fd is closed here, which takes up to 5 ms
 * (stall_guard.h). */
void closer_close(int fd);

/* Shuts a Unix socket down, and closes all descriptors that are unread in it: closing its last copy
 * then closes nothing else. */
void closer_drain(int fd);

/* Like recv(2) with MSG_DONTWAIT, from a client that must not send descriptors. Returns the length,
 * or a negative errno: -EBADMSG if there were descriptors. */
ssize_t closer_receive(int fd, void *bytes, size_t size);
