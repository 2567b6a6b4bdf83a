/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The process behind closer.h. */
#pragma once

#include "protocol/message.h"

enum {
    CLOSER_BATCH_MAX = MESSAGE_FDS_MAX /* descriptors in one packet */
};

/* Runs in a fork of the daemon; `fd` is its end of a non-blocking SOCK_SEQPACKET socket. Closes all
 * other descriptors, and confirms that by a packet. Then it takes pairs of packets: one with
 * descriptors, and one without, which is sent when the sender's copies are closed. It confirms each
 * pair by a packet, and exits at the end of the socket. */
_Noreturn void closer_process_run(int fd);
