/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/connection_log.h"

#include "workers/common/line_limit.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define WHY_MAX 64

/* One limit for each priority, so that lines that clients cause (notice) hide no failure of ours
 * (err). Info is for what no stranger can do at will: delivered messages, verified certificates. */
static struct line_limit limits[] = {
    LINE_LIMIT_INIT("errors", LOG_ERR, 500, 10),
    LINE_LIMIT_INIT("warnings", LOG_WARNING, 500, 10),
    LINE_LIMIT_INIT("sessions", LOG_NOTICE, 500, 10),
};

static struct line_limit *limit_for(int priority)
{
    return priority >= LOG_ERR && priority <= LOG_NOTICE ? &limits[priority - LOG_ERR] : NULL;
}

/* A line that is left out is counted under the words before its first colon. */
static bool may_log(struct line_limit *limit, const dispatcher_connection *connection,
                    const char *text)
{
    char why[WHY_MAX];

    snprintf(why, sizeof(why), "%.*s", (int)strcspn(text, ":"), text);
    return line_limit_take(limit, connection, why);
}

void connection_log(void *userdata, int priority, const char *text)
{
    const dispatcher_connection *connection = userdata;
    struct line_limit *limit = limit_for(priority);

    if (!limit || may_log(limit, connection, text))
        dispatcher_connection_log(connection, priority, "%s", text);
}
