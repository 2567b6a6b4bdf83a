/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The process behind closer.h. */
#pragma once

#include "protocol/message.h"

enum {
    CLOSER_BATCH_MAX = MESSAGE_FDS_MAX /* descriptors in one packet */
};

/* Runs in a fork of the daemon; `fd` is its end of a non-blocking SOCK_SEQPACKET socket. Closes all
 * other descriptors, and says so by a packet. Then takes pairs of packets: descriptors, and one
 * without, sent when the sender's copies are closed; confirms each pair by a packet. Ends with the
 * socket. */
_Noreturn void closer_process_run(int fd);
