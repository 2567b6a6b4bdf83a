/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The sockets to listen on: systemd's, or our own. */
#pragma once

#include "base/address.h"

#include <stddef.h>

/* 127.0.0.1 and ::1 are two already. */
#define LISTEN_MAX 8

/* Each descriptor is non-blocking and owned. All zero means none. */
struct listen {
    int fds[LISTEN_MAX];
    size_t n;
};

/* Takes the sockets of LISTEN_FDS, before there are others. Returns how many there are, or a
 * negative errno: -E2BIG if there are too many, -EINVAL if one is not a listening stream socket. */
int listen_take_passed(struct listen *listen);

/* Reads "ADDRESS:PORT" or "[ADDRESS]:PORT". Returns 0, or -EINVAL if the text is invalid. */
int listen_parse(const char *text, struct address *ret);

/* Listens there; port 0 means any free one. Returns 0 or a negative errno: -E2BIG if there is no
 * room for another socket. */
int listen_at(struct listen *listen, const struct address *address);

void listen_close(struct listen *listen);
