/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A service manager that the test plays: the socket of $NOTIFY_SOCKET (sd_notify(3)), whose
 * messages the test reads. */
#pragma once

#include <stdbool.h>

#define PLAYED_TEXT_MAX 1024

/* Sets the variable, so that this process notifies the test. */
void played_systemd_start(void);

/* Reads the next message. Returns false if there is none; *ret_fd is its descriptor, which is the
 * caller's, or -1. */
bool played_systemd_hears(char text[PLAYED_TEXT_MAX], int *ret_fd);

/* Sends messages to itself until the kernel takes no more: what a busy manager looks like. Returns
 * how many. */
unsigned played_systemd_fill(void);

void played_systemd_end(void);
