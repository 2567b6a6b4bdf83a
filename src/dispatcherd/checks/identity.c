/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/identity.h"

#include "dispatcherd/checks/access.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/report/report.h"
#include "protocol/debug.h"

#include <stdio.h>

static void on_user(const char *user, void *userdata)
{
    struct connection *connection = userdata;
    const struct service_options *options = connection->service->options;
    const struct subject subject = {
        .service = options->name, .connection_id = connection->id, .client = &connection->peer};

    connection->ident_request = NULL;
    snprintf(connection->ident_user, sizeof(connection->ident_user), "%s", user ? user : "");
    report_debug(options->debug, DEBUG_SERVICE_EXTRA, &subject, "IDENT: %s", user ? user : "none");
}

void identity_ask(struct connection *connection)
{
    struct access *access = connection->service->context->access;

    if (connection->service->options->ident)
        (void)ident_ask(access->ident_clients, &connection->local, &connection->peer, on_user,
                        connection, &connection->ident_request);
}
