/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The alerts of a service: what an administrator must know is told once when it begins, and once
 * when it is over. What wavers is one alert (statistics/alert.h). Those of the DNS lists are
 * list_alerts.h's. */
#pragma once

#include "base/str.h"
#include "dispatcherd/core/service.h"

#include <stdbool.h>

/* "full", "waiting", "dying", "unreachable", "refusing", "backend": part of the control socket's
 * interface. */
const char *service_alert_to_string(enum service_alert alert);

/* Looks at the service after each change, and tells what begins or is over. `verdict` is the
 * policy's. To be called after queue_watch(). Returns when to look again: USEC_INFINITY: only after
 * a change. */
uint64_t alerts_tell(struct service *service, enum accept_verdict verdict, uint64_t now);

/* Whether it is full now: for a while after that the alert goes on, and the service is not. */
bool alerts_is_full(const struct service *service);

/* How things are, as a sentence without its subject, the service: "is full: 4/4 connections". */
void alerts_describe(const struct service *service, enum service_alert alert,
                     struct str_buffer *text);

/* The worst since it was raised: clients that waited while it was full, microseconds that one
 * waited, workers that died, sockets that are missing, clients
 * that were refused, workers that lacked a back end at a time. */
uint64_t alerts_worst(const struct service *service, enum service_alert alert);
