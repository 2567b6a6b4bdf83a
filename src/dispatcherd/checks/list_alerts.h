/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The alerts of the DNS lists: one that is set aside is told once, and once when it has been well
 * for a while, however often it changes in between. */
#pragma once

#include "access/dns_zones.h"
#include "base/timer.h"
#include "statistics/alert.h"

#include <stdbool.h>
#include <stddef.h>

struct context;

struct list_alert {
    const char *zone;   /* as long as the lists */
    const char *reason; /* why it was set aside the last time; static */
    bool is_ill;
    unsigned n_times; /* set aside, since the alert was raised */
    struct alert alert;
};

struct list_alerts {
    struct context *context; /* outlives it, and is told of changes */
    struct timer timer;      /* for the first that is due */
    size_t n_items;
    struct list_alert items[DNS_ZONES_MAX];
};

/* Makes it, all zero before. Returns 0 or a negative errno. */
int list_alerts_init(struct list_alerts *alerts, struct context *context);

/* As dns_zones_callback: the list was set aside, or taken back. */
void list_alerts_note(struct list_alerts *alerts, const char *zone, bool is_well,
                      const char *reason);

void list_alerts_clear(struct list_alerts *alerts);
