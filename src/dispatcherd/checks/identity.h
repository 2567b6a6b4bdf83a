/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The user of a connection, as the client's host names it (IDENT=1). Nothing waits for the name;
 * when it comes, it is noted if the connection is still there. */
#pragma once

#include "dispatcherd/core/connection.h"

/* Asks for the user if the service is configured for it. */
void identity_ask(struct connection *connection);
