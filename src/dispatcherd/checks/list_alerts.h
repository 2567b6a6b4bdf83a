/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The alerts of the DNS lists. That a list is set aside is reported once, and that it works again
 * is reported once it has done so for a while, however often it changes in between. */
#pragma once

#include "base/timer.h"
#include "dns/dns_zones.h"
#include "statistics/alert.h"

#include <stdbool.h>
#include <stddef.h>

struct context;

struct list_alert {
    const char *zone;   /* valid as long as the lists are */
    const char *reason; /* why it was set aside the last time; static */
    bool is_ill;
    unsigned n_times; /* how often it was set aside since the alert was raised */
    struct alert alert;
};

struct list_alerts {
    struct context *context; /* outlives this, and is notified of changes */
    struct timer timer;      /* for the first that is due */
    size_t n_items;
    struct list_alert items[DNS_ZONES_MAX];
};

/* Initializes it; it must be all zero. Returns 0 or a negative errno. */
int list_alerts_init(struct list_alerts *alerts, struct context *context);

/* A dns_zones_callback: the list was set aside, or is in use again. */
void list_alerts_note(struct list_alerts *alerts, const char *zone, bool is_well,
                      const char *reason);

void list_alerts_clear(struct list_alerts *alerts);
