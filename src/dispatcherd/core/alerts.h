/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The alerts of a service, and what is noted for them while connections and workers come and go.
 * alerts/alert_watch.h raises and ends them. */
#pragma once

#include "base/str.h"
#include "pool/policy.h"
#include "statistics/alert.h"

#include <stdbool.h>
#include <stdint.h>

struct service;

enum service_alert {
    SERVICE_ALERT_FULL,        /* every place is taken */
    SERVICE_ALERT_WAITING,     /* clients wait for too long */
    SERVICE_ALERT_DYING,       /* workers die in a row */
    SERVICE_ALERT_UNREACHABLE, /* a listening socket is missing */
    SERVICE_ALERT_REFUSING,    /* every client is rejected */
    SERVICE_ALERT_BACKEND,     /* workers lack a server that they need */
    SERVICE_ALERT_CERTIFICATE, /* it cannot be used, has expired, or will soon */
    N_SERVICE_ALERTS
};

/* Written by this module and alerts/alert_watch.c. */
struct alerts {
    struct alert of[N_SERVICE_ALERTS]; /* by enum service_alert */
    uint64_t waits_from;     /* when the service began to serve: no wait counts from earlier */
    uint64_t longest_wait;   /* of the waits that ended since the last update */
    struct alert_row deaths; /* of workers that died, or could not be started */
    bool has_new_death;      /* since the last update */
    char last_death[1024];   /* how the last one died */
};

/* Initializes the alerts of a new service, for which no client has waited before `now`. */
void alerts_init(struct alerts *alerts, uint64_t now);

/* A client has waited for a place between these times. */
void alerts_note_wait(struct alerts *alerts, uint64_t from, uint64_t until);

/* A worker has died, or could not be started: `how` in words. */
void alerts_note_death(struct alerts *alerts, const char *how);
