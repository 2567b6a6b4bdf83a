/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* pass: gives connections to a program that knows nothing of the dispatcher, descriptor and all. */
#include "workers/pass/pending.h"

#include <errno.h>
#include <stdlib.h>
#include <syslog.h>

struct pass {
    struct pass_settings settings;
    struct pending *pending; /* owned */
};

static int start(dispatcher_worker *worker, void *userdata)
{
    struct pass *pass = userdata;
    int r = parameters_of_worker(&pass_parameters, &pass->settings, worker);

    if (r == 0)
        r = pending_new(&pass->settings, worker, &pass->pending);
    if (r == -ENOMEM)
        dispatcher_worker_log(worker, LOG_ERR, "out of memory");
    return r;
}

static bool offer(dispatcher_connection *connection, void *userdata)
{
    const struct pass *pass = userdata;

    return pending_offer(pass->pending, connection);
}

static void take(dispatcher_connection *connection, void *userdata)
{
    const struct pass *pass = userdata;

    pending_take(pass->pending, connection);
}

static void stop(dispatcher_worker *worker, void *userdata)
{
    const struct pass *pass = userdata;

    (void)worker;
    pending_free(pass->pending);
}

int main(int argc, char *argv[])
{
    static const struct dispatcher_worker_callbacks callbacks = {
        .start = start, .offer = offer, .take = take, .stop = stop};
    struct pass pass = {0};
    int status = EXIT_SUCCESS;

    pass_settings_init(&pass.settings);
    if (parameters_is_check(argc, argv))
        status = parameters_check(&pass_parameters, &pass.settings, argc, argv);
    else if (dispatcher_worker_run(&callbacks, &pass) < 0)
        status = EXIT_FAILURE;
    pass_settings_clear(&pass.settings);
    return status;
}
