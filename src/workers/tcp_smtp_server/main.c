/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* tcp_smtp_server: an SMTP server as a worker of dispatcherd. Connects libdispatcher, which
 * receives the connections, with session.h, which serves them. */
#include "base/macro.h"
#include "workers/common/line_limit.h"
#include "workers/common/unit.h"
#include "workers/tcp_smtp_server/connection_log.h"
#include "workers/tcp_smtp_server/maildir.h"
#include "workers/tcp_smtp_server/session.h"
#include "workers/tls/worker.h"

#include <dispatcher/worker.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

static int make_maildir(const struct session_settings *settings, dispatcher_worker *worker)
{
    int r = maildir_make(settings->maildir);
    char unit[UNIT_NAME_MAX];

    if (r == -EACCES || r == -EPERM || r == -EROFS || r == -ENOENT)
        dispatcher_worker_log(worker, LOG_ERR,
                              "cannot deliver to MAILDIR=%s: %s; allow the worker's user to write "
                              "there, and under systemd add ReadWritePaths=%s with: "
                              "systemctl edit %s",
                              settings->maildir, strerror(-r), settings->maildir,
                              unit_name(settings->service, unit));
    else if (r < 0)
        dispatcher_worker_log(worker, LOG_ERR, "cannot deliver to MAILDIR=%s: %s",
                              settings->maildir, strerror(-r));
    else
        maildir_clean(settings->maildir);
    return r;
}

static void report_tls(void *userdata, const struct tls_facts *facts, enum tls_failure failure)
{
    tls_worker_report(userdata, facts, failure);
}

static int start(dispatcher_worker *worker, void *userdata)
{
    struct session_settings *settings = userdata;
    int r = session_settings_init(settings, dispatcher_worker_service(worker),
                                  dispatcher_worker_host_name(worker));

    settings->stop_fd = dispatcher_worker_drain_fd(worker, DISPATCHER_DRAIN_STOP);
    settings->stress_fd = dispatcher_worker_stress_fd(worker);
    if (r == 0)
        r = parameters_of_worker(&session_parameters, settings, worker);
    if (r == -ENOMEM)
        dispatcher_worker_log(worker, LOG_ERR, "out of memory");
    if (r == 0)
        r = tls_worker_start(worker, &settings->tls, &settings->tls_context);
    if (r < 0)
        return r;
    return make_maildir(settings, worker);
}

static void serve(dispatcher_connection *connection, void *userdata)
{
    const struct session_settings *settings = userdata;
    const struct session_peer peer = {
        .connection_id = dispatcher_connection_id(connection),
        .host = dispatcher_connection_peer_host(connection),
        .port = dispatcher_connection_peer_port(connection),
        .is_tls = dispatcher_connection_is_tls(connection),
        .log = connection_log,
        .log_userdata = connection,
        .tls = report_tls,
        .tls_userdata = connection,
    };

    session_run(settings, &peer, dispatcher_connection_fd(connection));
}

static void stop(dispatcher_worker *worker _unused_, void *userdata _unused_)
{
    line_limits_end();
}

static int check(struct session_settings *settings, int argc, char *argv[])
{
    if (session_settings_init(settings, "", "localhost") < 0)
        return EXIT_FAILURE;
    return parameters_check(&session_parameters, settings, argc, argv);
}

int main(int argc, char *argv[])
{
    static const struct dispatcher_worker_callbacks callbacks = {
        .start = start, .serve = serve, .stop = stop};
    struct session_settings settings = {0};

    int status = EXIT_SUCCESS;

    if (parameters_is_check(argc, argv))
        status = check(&settings, argc, argv);
    else if (dispatcher_worker_run(&callbacks, &settings) < 0)
        status = EXIT_FAILURE;
    session_settings_clear(&settings);
    return status;
}
