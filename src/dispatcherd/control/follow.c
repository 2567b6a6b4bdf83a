/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The method that follows events: its first reply confirms the start, each further one is an event.
 */
#include "dispatcherd/control/call.h"
#include "dispatcherd/report/events.h"

#include <stdio.h>

json_t *control_follow(const struct control_call *call)
{
    const char *name = control_call_text(call, "service");
    size_t i = name ? control_daemon_find(&call->daemon, name) : 0;

    if (!call->follower || call->follower->is_following)
        return varlink_error(VARLINK_INVALID_PARAMETER, json_pack("{s:s}", "parameter", "more"));
    if (name && i == call->daemon.n_services)
        return control_no_such_service(name);
    const char *service = name ? call->daemon.services[i]->options->name : NULL;
    const struct subject subject = {.service = service};
    snprintf(call->follower->service, sizeof(call->follower->service), "%s",
             service ? service : "");
    json_t *reply =
        varlink_reply_of_many(events_object("following", LOG_INFO, &subject, "following"));
    if (reply)
        events_follow(call->follower);
    return reply;
}
