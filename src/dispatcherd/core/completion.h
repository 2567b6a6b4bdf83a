/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The end of a connection: counts it, remembers it, tells of it, and frees it. */
#pragma once

#include "dispatcherd/core/connection.h"
#include "statistics/statistics.h"

/* Its worker has said that it is over. */
void completion_ended(struct connection *connection, uint64_t now);

/* Its worker is gone, and nobody else can go on with it. */
void completion_broken(struct connection *connection, uint64_t now);

/* The client has left before a worker had it. */
void completion_gone(struct connection *connection, uint64_t now);

/* Access control does not let it in. What the client is told was sent before. */
void completion_rejected(struct connection *connection, enum statistics_rejection reason,
                         uint64_t now);

/* It waited for a worker, and none can be started any more. */
void completion_unserved(struct connection *connection, uint64_t now);
