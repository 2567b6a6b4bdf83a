/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Passes events to followers as they happen. A process has one daemon, so the followers are global,
 * as the log is: a module reports an event without knowing who follows. */
#pragma once

#include "base/service_name.h"
#include "dispatcherd/report/report.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/queue.h>

struct follower {
    TAILQ_ENTRY(follower) link;
    char service[SERVICE_NAME_MAX +
                 1]; /* of this service and of the daemon as a whole; "": of all */

    bool is_following;

    /* Takes an object, which is borrowed. Must not end the follower. */
    void (*take)(struct follower *follower, json_t *event);
};

/* events_leave() may be called for one that does not follow. */
void events_follow(struct follower *follower);
void events_leave(struct follower *follower);

/* If nobody follows, events need not be prepared. */
bool events_are_followed(void);

/* Reports an event; `priority` is one of syslog(3). */
void events_tell(const char *event, int priority, const struct subject *subject, const char *text);

/* Makes an event as followers get it. Returns NULL when out of memory. */
json_t *events_object(const char *event, int priority, const struct subject *subject,
                      const char *text);
