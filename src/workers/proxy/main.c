/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* proxy: a worker of dispatcherd that passes the bytes of its connections on to servers that accept
 * by themselves. Joins libdispatcher, which brings the connections, and relay.h, which serves
 * them. */
#include "workers/common/descriptors.h"
#include "workers/proxy/relay.h"
#include "workers/tls/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

struct proxy {
    struct settings settings;
    struct relay relay;
};

static int resolve(struct proxy *proxy, dispatcher_worker *worker)
{
    const char *name = "", *why = "";
    int r = backends_resolve(&proxy->relay.backends, &proxy->settings.backends, &name, &why);

    if (r == -EINVAL)
        dispatcher_worker_log(worker, LOG_ERR, "PARAMETER=BACKEND=%s: %s", name, why);
    return r;
}

static int start(dispatcher_worker *worker, void *userdata)
{
    struct proxy *proxy = userdata;
    int r = parameters_of_worker(&settings_table, &proxy->settings, worker);

    if (r == 0)
        r = resolve(proxy, worker);
    if (r < 0 && r != -EINVAL)
        dispatcher_worker_log(worker, LOG_ERR, "cannot read the parameters: %s", strerror(-r));
    if (r == 0)
        r = tls_worker_start(worker, &proxy->settings.tls, &proxy->relay.tls);
    if (r < 0)
        return r;
    /* A session needs the client's and the back end's. */
    (void)descriptors_allow(worker, 2, 2 * PIPES_MAX);
    r = relay_start(&proxy->relay, worker, &proxy->settings);
    if (r < 0)
        dispatcher_worker_log(worker, LOG_ERR, "cannot wait for events: %s", strerror(-r));
    return r;
}

static void take(dispatcher_connection *connection, void *userdata)
{
    struct proxy *proxy = userdata;

    relay_take(&proxy->relay, connection);
}

static void stop(_unused_ dispatcher_worker *worker, void *userdata)
{
    struct proxy *proxy = userdata;

    relay_stop(&proxy->relay);
}

int main(int argc, char *argv[])
{
    static const struct dispatcher_worker_callbacks callbacks = {
        .start = start, .take = take, .stop = stop};
    static struct proxy proxy;

    proxy.settings = settings_init();
    if (parameters_is_check(argc, argv))
        return parameters_check(&settings_table, &proxy.settings, argc, argv);
    int r = dispatcher_worker_run(&callbacks, &proxy);
    settings_clear(&proxy.settings);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
