/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What happens, told live to those who follow it. One process has one daemon: as with the log,
 * whoever has something to tell tells it, and need not know to whom. */
#pragma once

#include "base/service_name.h"
#include "dispatcherd/report/report.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/queue.h>

struct follower {
    TAILQ_ENTRY(follower) link;
    char service[SERVICE_NAME_MAX +
                 1]; /* of this one alone, and of the daemon as a whole; "": of all */

    bool is_following;

    /* Takes an object, which is borrowed. Must not end the follower. */
    void (*take)(struct follower *follower, json_t *event);
};

/* events_leave() is fine for one that does not follow. */
void events_follow(struct follower *follower);
void events_leave(struct follower *follower);

/* With nobody there to listen, telling is not worth its preparation. */
bool events_are_followed(void);

/* `priority` is one of syslog(3). */
void events_tell(const char *event, int priority, const struct subject *subject, const char *text);

/* An object as followers take them. NULL when out of memory. */
json_t *events_object(const char *event, int priority, const struct subject *subject,
                      const char *text);
