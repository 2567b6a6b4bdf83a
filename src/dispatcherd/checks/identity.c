/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/identity.h"

#include "dispatcherd/checks/admission.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/report/report.h"
#include "protocol/debug.h"

#include <string.h>

static void on_user(const char *user, void *userdata)
{
    struct connection *connection = userdata;
    const struct service_options *options = connection->service->options;
    const struct subject subject = {
        .service = options->name, .connection_id = connection->id, .client = &connection->peer};

    connection->ident_request = NULL;
    connection->ident_user = user && *user ? strndup(user, IDENT_USER_MAX) : NULL;
    if (connection->worker)
        connection->service->context->identified(connection);
    report_debug(options->debug, DEBUG_SERVICE_EXTRA, &subject, "IDENT: %s", user ? user : "none");
}

void identity_ask(struct connection *connection)
{
    struct admission *admission = connection->service->context->admission;

    if (connection->service->options->ident)
        (void)ident_ask(admission->ident_clients, &connection->local, &connection->peer, on_user,
                        connection, &connection->ident_request);
}
