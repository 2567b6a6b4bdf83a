/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/report/events.h"

#include "base/str.h"
#include "dispatcherd/report/json.h"
#include "protocol/connection_id.h"

static TAILQ_HEAD(, follower) followers = TAILQ_HEAD_INITIALIZER(followers);

void events_follow(struct follower *follower)
{
    TAILQ_INSERT_TAIL(&followers, follower, link);
    follower->is_following = true;
}

void events_leave(struct follower *follower)
{
    if (follower->is_following)
        TAILQ_REMOVE(&followers, follower, link);
    follower->is_following = false;
}

bool events_are_followed(void)
{
    return !TAILQ_EMPTY(&followers);
}

json_t *events_object(const char *event, int priority, const struct subject *subject,
                      const char *text)
{
    const struct control_clock clock = control_clock_now();
    json_t *object = json_object();
    char id[CONNECTION_ID_BYTES] = "";

    if (subject->connection_id > 0)
        connection_id_format(subject->connection_id, id);
    view_put(&object, "event", json_string(event));
    view_put(&object, "time", view_time(clock.monotonic, &clock));
    view_put(&object, "priority", json_integer(priority));
    view_put(&object, "service", view_text(subject->service));
    view_put(&object, "worker_pid",
             subject->worker_pid > 0 ? json_integer(subject->worker_pid) : json_null());
    view_put(&object, "connection", view_text(id[0] ? id : NULL));
    view_put(&object, "client", subject->client ? view_address(subject->client) : json_null());
    view_put(&object, "reason", view_text(subject->reason));
    view_put(&object, "message_id", view_text(subject->message_id));
    view_put(&object, "text", view_text(text));
    return object;
}

static bool concerns(const struct follower *follower, const struct subject *subject)
{
    return !follower->service[0] || !subject->service ||
           str_equal_nocase(follower->service, subject->service);
}

void events_tell(const char *event, int priority, const struct subject *subject, const char *text)
{
    struct follower *follower;

    if (TAILQ_EMPTY(&followers))
        return;
    json_auto_t *object = events_object(event, priority, subject, text);
    if (!object)
        return;
    TAILQ_FOREACH(follower, &followers, link) {
        if (concerns(follower, subject))
            follower->take(follower, object);
    }
}
