/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Sends and receives packets with descriptors over a control channel; never blocks. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Sends one packet with copies of `fds` (the caller keeps them). Returns 0; -EAGAIN if the channel
 * is full or memory is short; -ETOOMANYREFS if too many descriptors are under way in the kernel
 * (the receiver has not taken earlier ones yet); -EPIPE if the other end is closed; or another
 * negative errno. poll() reports when a full channel has room; in the other two cases the caller
 * must wait for a while. */
int channel_send(int channel, const void *bytes, size_t length, const int fds[], size_t n_fds);

/* Receives one packet of at most `size` bytes. Returns its length; 0 at the end of the channel;
 * -EAGAIN if there is none; -EBADMSG if it is cut, empty or has too many descriptors; or another
 * negative errno. `fds` has room for MESSAGE_FDS_MAX; the *ret_n_fds received ones are CLOEXEC and
 * the caller's; on failure there are none. If this process has reached its limit of descriptors,
 * only the first of those that were sent are received. *ret_pid is the sender's process if the
 * socket has SO_PASSCRED, else 0. */
ssize_t channel_receive(int channel, void *bytes, size_t size, int fds[], size_t *ret_n_fds,
                        pid_t *ret_pid);

enum {
    CHANNEL_FDS_MAX = 253 /* descriptors in one packet: SCM_MAX_FD of the kernel */
};

/* The same for a sender that is not trusted: `fds` has room for CHANNEL_FDS_MAX, and all
 * descriptors are the caller's, even those of a packet that is refused (-EBADMSG). */
ssize_t channel_receive_any(int channel, void *bytes, size_t size, int fds[], size_t *ret_n_fds,
                            pid_t *ret_pid);
