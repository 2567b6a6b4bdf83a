/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Ends a connection that a worker cannot serve. */
#pragma once

#include "base/come_back.h"

/* Tells the client to come back later, in the words of `protocol` (base/come_back.h), and closes
 * the sending side. Never waits: a client that does not read misses the text. The descriptor stays
 * the caller's. To a client that expects TLS nothing may be sent: use COME_BACK_UNKNOWN, which has
 * no text. */
void send_away(int fd, enum come_back_protocol protocol);
