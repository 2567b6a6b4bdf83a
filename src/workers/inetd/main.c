/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* inetd: serves each connection by a program of its own, on descriptors 0, 1 and 2, as inetd(8) and
 * systemd's Accept=yes do, under dispatcherd's rules. */
#include "base/fd.h"
#include "workers/common/descriptors.h"
#include "workers/common/unit.h"
#include "workers/inetd/advice.h"
#include "workers/inetd/keeper.h"
#include "workers/inetd/launch.h"
#include "workers/inetd/leftovers.h"
#include "workers/inetd/session.h"
#include "workers/inetd/session_report.h"
#include "workers/inetd/traps.h"
#include "workers/tls/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* The client's connection, a pidfd, the reading end of the program's standard error and, with TLS,
 * our end of its connection and what waits for both, or else what waits for the client's; and one
 * while it starts. */
#define DESCRIPTORS_A_SESSION 6

struct program {
    struct inetd_settings settings;
    struct inetd inetd;
};

/* Reported once, here, instead of to each client. */
static int try_command(const struct inetd_settings *settings, dispatcher_worker *worker)
{
    char *const *arguments = settings->command.words.items;
    char advice[ADVICE_MAX], unit[UNIT_NAME_MAX];
    const char *program = arguments[0];

    unit_name(dispatcher_worker_service(worker), unit);
    int r = launch_try(program);
    if (r < 0)
        dispatcher_worker_log(worker, LOG_ERR,
                              "cannot execute COMMAND=%.200s: %s; %s; to change it: systemctl edit "
                              "%s",
                              program, strerror(-r), advice_for(program, -r, advice), unit);
    else if (advice_loses_privileges(program) && !traps_needs_no_privileges(&settings->command))
        dispatcher_worker_log(worker, LOG_WARNING,
                              "the set-user-ID or set-group-ID bit of %.200s has no effect under "
                              "NoNewPrivileges=yes; to change it: systemctl edit %s",
                              program, unit);
    return r;
}

static int prepare(struct program *program, dispatcher_worker *worker)
{
    int r = leftovers_start();

    program->inetd.descriptors = descriptors_allow(worker, DESCRIPTORS_A_SESSION, 0);
    if (r < 0)
        dispatcher_worker_log(worker, LOG_ERR,
                              "cannot watch for processes that sessions leave behind: %s",
                              strerror(-r));
    if (r == 0 && (program->inetd.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0) {
        r = -errno;
        dispatcher_worker_log(worker, LOG_ERR, "cannot open /dev/null: %s", strerror(-r));
    }
    if (r == 0 && (r = keeper_start(program->settings.max_processes)) < 0)
        dispatcher_worker_log(worker, LOG_ERR,
                              "cannot create a thread: %s; TasksMax= of the unit may be too low",
                              strerror(-r));
    return r;
}

static int start(dispatcher_worker *worker, void *userdata)
{
    struct program *program = userdata;
    int r = parameters_of_worker(&inetd_parameters, &program->settings, worker);

    if (r == -ENOMEM)
        dispatcher_worker_log(worker, LOG_ERR, "out of memory");
    if (r == 0)
        r = try_command(&program->settings, worker);
    if (r == 0)
        r = tls_worker_start(worker, &program->settings.tls, &program->inetd.tls);
    return r < 0 ? r : prepare(program, worker);
}

static void serve(dispatcher_connection *connection, void *userdata)
{
    struct program *program = userdata;

    session_serve(&program->inetd, connection);
}

static void stop(dispatcher_worker *worker, void *userdata)
{
    struct program *program = userdata;

    keeper_stop();
    session_report_counts(worker, &program->inetd.counts);
}

int main(int argc, char *argv[])
{
    static const struct dispatcher_worker_callbacks callbacks = {
        .start = start, .serve = serve, .stop = stop};
    static struct program program; /* as long as any thread may look at it */
    int status = EXIT_SUCCESS;

    inetd_settings_init(&program.settings);
    program.inetd = (struct inetd){.settings = &program.settings, .null_fd = -1};
    if (parameters_is_check(argc, argv))
        status = parameters_check(&inetd_parameters, &program.settings, argc, argv);
    else if (dispatcher_worker_run(&callbacks, &program) < 0)
        status = EXIT_FAILURE;
    tls_context_free(program.inetd.tls);
    fd_close(program.inetd.null_fd);
    inetd_settings_clear(&program.settings);
    return status;
}
