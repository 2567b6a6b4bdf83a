/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Notices clients that go away before a worker has their connection. */
#pragma once

#include "dispatcherd/core/service.h"

/* Watches every waiting connection that is not watched yet. Connections that are handed over at
 * once never get here. */
void hangup_watch_waiting(struct service *service);

/* Watches for the client's hang-up; does nothing if *source exists. Without memory for it a hang-up
 * goes unnoticed, and the connection its way to a worker, which finds the client gone; the next
 * call tries again. */
void hangup_watch(sd_event_source **source, const struct connection *connection,
                  sd_event_io_handler_t on_hangup, void *userdata);

/* The client has closed its sending side alone: what is watched for from now on is its end. */
void hangup_watch_end(sd_event_source *source);

/* Whether these events mean that the client is gone. One that has closed its side without having
 * sent a byte asks for nothing; one that has sent something may have closed only its sending side,
 * and waits for an answer. */
bool hangup_is_gone(const struct connection *connection, uint32_t events);
