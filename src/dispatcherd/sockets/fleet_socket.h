/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A socket to the store of a fleet. */
#pragma once

/* Begins to connect, without waiting, to "unix:/path", "192.0.2.1:6379" or "[2001:db8::1]:6379".
 * Returns 0 with *ret, which the caller closes, or a negative errno. */
int fleet_socket_connect(const char *store, int *ret);

/* How that ended: 0, or an errno. */
int fleet_socket_error(int fd);
