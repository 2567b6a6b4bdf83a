/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Closes descriptors that somebody hostile may have sent, or had, so that nobody waits for it.
 *
 * A close can wait for as long as a stranger likes: for the client of a TCP socket with SO_LINGER
 * (socket(7)), and for the sockets that lie unread in a socket. A process that is exiting waits for
 * no client. So the descriptors go to a process of ours, started when it is needed for the first
 * time, which has a child of its own receive them and exit as soon as our copies are closed.
 *
 * As with the log there is one for the process. */
#pragma once

#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

/* From now on descriptors are collected for a turn of the loop. */
int closer_start(sd_event *event);

/* Closes all that is left. */
void closer_end(void);

/* Closes fd; does nothing with -1. If there is no process for it, our own close waits 5 ms at
 * the most (stall_guard.h). */
void closer_close(int fd);

/* Takes out and closes all that lies in a Unix socket, after shutting it down: whoever closes the
 * last copy of it then closes nothing else. */
void closer_drain(int fd);

/* recv(2) with MSG_DONTWAIT, for a client that has no business sending descriptors. Returns the
 * length, or a negative errno: -EBADMSG if there were any. */
ssize_t closer_receive(int fd, void *bytes, size_t size);
