/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a client reads whose address has as many connections as MAX_CONNS_PER_ADDRESS allows, or
 * whose network has as many as MAX_CONNS_PER_NETWORK allows. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* In the words of the protocol that is spoken at the port, with CRLF (base/come_back.h). If the
 * server does not speak first, or the protocol is not known, "". */
const char *address_limit_rejection(uint16_t port, bool is_network);
