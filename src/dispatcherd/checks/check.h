/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether a connection may come in, found out one stage after the other, before any worker is
 * troubled (dispatcherd(8)). Most connections pass in one go; one that has to wait for a
 * server elsewhere, or for a PROXY header, holds up nobody.
 *
 *      proxy -> address -> mapping -> limit -> lists -> passed
 *        |                    |         |        |
 *        +--------------------+---------+--------+----> rejected, or closed without a word
 */
#pragma once

#include "dispatcherd/core/service.h"

/* Takes over a connection in state checking, and moves it on: to waiting, to its end, or not yet. A
 * readmitted connection has no PROXY header any more; it was read before. The connection may be
 * gone afterwards. */
void check_begin(struct connection *connection);

/* The daemon leaves: those that wait for a DNS list are left to its successor, as far as the store
 * takes them (connection_store.h). */
void checks_leave(struct service *service);

/* Closes all connections of the service that are being checked. */
void checks_close(struct service *service);
