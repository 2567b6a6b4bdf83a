/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Keeps new clients away from a listening TCP socket without refusing them: their SYN is dropped,
 * and they send it again, first after a second, perhaps to the socket that listens there then.
 * Clients whose handshake is under way, or that are in the socket's queue, are not affected.
 *
 * The filter belongs to the socket, not to the descriptor, and so affects every process that shares
 * it. */
#pragma once

/* Some kernels allow it to root alone (CAP_NET_ADMIN). Returns 0 or a negative errno. */
int syn_filter_attach(int fd);

/* Lets new clients in again. Returns 0, also if there was no filter, or a negative errno. */
int syn_filter_detach(int fd);
