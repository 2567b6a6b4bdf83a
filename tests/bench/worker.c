/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The handler as a worker of dispatcherd. */
#include "dispatcher/worker.h"
#include "bench/handler.h"

#include <stdlib.h>

static void serve(dispatcher_connection *connection, void *userdata)
{
    (void)userdata;
    handler_serve(dispatcher_connection_fd(connection));
}

int main(void)
{
    static const struct dispatcher_worker_callbacks callbacks = {.serve = serve};

    return dispatcher_worker_run(&callbacks, NULL) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
