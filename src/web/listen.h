/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The sockets to listen at: systemd's, or our own. */
#pragma once

#include <stddef.h>

/* 127.0.0.1 and ::1 are two already. */
#define LISTEN_MAX 8

/* Each is non-blocking, and owned. All zero is none. */
struct listen {
    int fds[LISTEN_MAX];
    size_t n;
};

/* Takes the sockets of LISTEN_FDS. Returns how many there are, or a negative errno: -E2BIG if
 * they are too many, -EINVAL if one is no listening stream socket. */
int listen_take_passed(struct listen *listen);

/* Listens at "ADDRESS:PORT" or "[ADDRESS]:PORT"; port 0: one that is free. Returns 0 or a negative
 * errno: -EINVAL if that is none, -E2BIG. */
int listen_at(struct listen *listen, const char *text);

void listen_close(struct listen *listen);
