/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Who uses a connection, as the client's host says (IDENT=1). Nobody waits for it: the
 * name is noted when it comes, if the connection is still there. */
#pragma once

#include "dispatcherd/core/connection.h"

/* Asks, if the service wants to know. */
void identity_ask(struct connection *connection);
