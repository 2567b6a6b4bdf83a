/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Raises and ends the alerts of a service: what an administrator must know is reported once when it
 * begins, and once when it is over; what comes and goes is one alert (statistics/alert.h). DNS
 * lists have their own: list_alerts.h. */
#pragma once

#include "dispatcherd/core/service.h"

/* "full", "waiting", "dying", "unreachable", "refusing", "backend", "certificate": part of the
 * control socket's interface. */
const char *service_alert_to_string(enum service_alert alert);

/* Updates all alerts after a change of the service, and reports what begins and what is over.
 * `verdict` is that of the policy. To be called after queue_watch(). Returns when to call again;
 * USEC_INFINITY: only after a change. */
uint64_t alerts_tell(struct service *service, enum accept_verdict verdict, uint64_t now);

/* Whether the service is full at this moment. The alert goes on for a while after that. */
bool alerts_is_full(const struct service *service);

/* Describes the present state as a sentence without its subject, the service: "is full: 4/4
 * connections". */
void alerts_describe(const struct service *service, enum service_alert alert,
                     struct str_buffer *text);

/* The worst value since the alert was raised: clients that waited while the service was full,
 * microseconds that one waited, workers that died, sockets that are missing, clients that were
 * rejected, workers that lacked a server at the same time. */
uint64_t alerts_worst(const struct service *service, enum service_alert alert);
