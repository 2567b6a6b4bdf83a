/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Notices clients that disconnect before a worker has their connection. */
#pragma once

#include "dispatcherd/core/service.h"

/* Begins to watch every waiting connection that is not watched yet. Connections that are handed off
 * at once never get here. */
void hangup_watch_waiting(struct service *service);

/* Watches for the client's hang-up; does nothing if *source exists. Without memory a hang-up goes
 * unnoticed, and the worker finds the client gone; the next call tries again. */
void hangup_watch(sd_event_source **source, const struct connection *connection,
                  sd_event_io_handler_t on_hangup, void *userdata);

/* The client has closed only its sending side: from now on only the end of the connection is
 * watched for. */
void hangup_watch_end(sd_event_source *source);

/* Whether these events mean that the client is gone. A client that has closed its side before it
 * sent a byte wants nothing. One that has sent something may have closed its sending side only, and
 * wait for an answer. */
bool hangup_is_gone(const struct connection *connection, uint32_t events);
