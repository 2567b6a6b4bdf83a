/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* proxy: a worker of dispatcherd that passes the bytes of its connections on to servers that accept
 * by themselves. Joins libdispatcher, which brings the connections, and relay.h, which serves
 * them. */
#include "workers/common/unit.h"
#include "workers/proxy/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <syslog.h>

/* Besides those of sessions: channel, ring, log, epoll and their like. */
#define OTHER_DESCRIPTORS 64

struct proxy {
    struct settings settings;
    struct relay relay;
};

/* A session needs two: the client's and the back end's. The soft limit is low for the sake of
 * select(2), which nobody uses here. */
static void raise_descriptor_limit(dispatcher_worker *worker)
{
    rlim_t wanted =
        2 * (rlim_t)dispatcher_worker_max_connections(worker) + 2 * PIPES_MAX + OTHER_DESCRIPTORS;
    char unit[UNIT_NAME_MAX];
    struct rlimit limit, raised;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    raised = limit;
    raised.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    /* The sandbox of the unit forbids it. */
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
        limit = raised;
    if (limit.rlim_cur < wanted)
        dispatcher_worker_log(worker, LOG_WARNING,
                              "MAX_CONNS=%u needs up to %llu descriptors, and there may be %llu; "
                              "LimitNOFILE=%llu gives more: systemctl edit %s",
                              dispatcher_worker_max_connections(worker), (unsigned long long)wanted,
                              (unsigned long long)limit.rlim_cur, (unsigned long long)wanted,
                              unit_name(dispatcher_worker_service(worker), unit));
}

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
        dispatcher_worker_log(worker, LOG_ERR, "%s", strerror(-r));
    if (r < 0)
        return r;
    raise_descriptor_limit(worker);
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
