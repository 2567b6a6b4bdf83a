/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* TCP connections on loopback, and waiting for what happens on them: bounded, so that a test that
 * fails ends. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

/* How long anything is waited for. */
#define TCP_WAIT_SEC 10

/* A listening socket on a free port of 127.0.0.1 or, is_ipv6, of ::1. Returns it, or -1 where the
 * machine has no such address. */
int tcp_listen(bool is_ipv6);

/* A connection to where `listener` listens. */
int tcp_connect(int listener);

/* The next connection of the listener, non-blocking, as the daemon has them. */
int tcp_accept(int listener);

/* A connection with itself: its client's end, which blocks, and its server's. */
void tcp_pair(int *ret_client, int *ret_server);

void tcp_send(int fd, const void *bytes, size_t size);

/* Reads up to `size` bytes, until end of file. A connection that fails, fails the test. */
size_t tcp_read_to_end(int fd, char *bytes, size_t size);

/* Closes the connection with a reset. */
void tcp_reset(int fd);

/* Runs the loop until *flag, or what `is_done` says, is true. */
void loop_until_flag(sd_event *event, const bool *flag);
void loop_until(sd_event *event, bool (*is_done)(void *), void *userdata);

/* Runs the loop for as long as there is something to do at once. Returns how many times. */
unsigned loop_while_busy(sd_event *event);
