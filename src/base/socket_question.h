/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Asks the kernel whether any process still has a TCP socket open, one socket at a time
 * (sock_diag(7)).
 *
 * A socket whose last descriptor is closed has no inode any more, even while its FIN is under way,
 * or does not exist at all. It is identified by its addresses and its cookie, so that a later
 * socket with the same addresses does not match. Both sides must be in one network namespace. */
#pragma once

#include "base/address.h"

struct socket_key {
    struct address local;
    struct address peer;
    uint64_t cookie;      /* SO_COOKIE */
    uint16_t diag_family; /* the socket's own: an IPv4 client may have come to an IPv6 socket */
};

/* Returns 0 or a negative errno; -EAFNOSUPPORT for what is no TCP socket. */
int socket_key_read(int fd, struct socket_key *ret);

/* Opens the descriptor for questions, CLOEXEC. Returns it or a negative errno. */
int socket_question_open(void);

/* Returns 1 if a process has the socket open, 0 if none has, or a negative errno if the kernel does
 * not answer. Does not wait. */
int socket_is_open(int question_fd, const struct socket_key *key);
