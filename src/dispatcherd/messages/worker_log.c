/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/messages/worker_log.h"

#include "base/fd.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/messages/orders.h"
#include "dispatcherd/process/logfile_limited.h"
#include "dispatcherd/process/spawner.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>

/* Where lines go without a log file: those of a unit to the journal, those of a child where ours
 * go. */
static const char *worker_log_elsewhere(const struct service *service)
{
    return service->context->spawner == &spawner_unit || log_is_journal() ? "the journal"
                                                                          : "standard error";
}

static void worker_log_report_failure(const struct worker *worker, int error, bool has_file)
{
    const struct service *service = worker->service;
    struct subject subject = worker_subject(worker, MESSAGE_ID_LOGFILE_FAILED);
    const char *path = worker->log.path ? worker->log.path : service->options->logfile;

    if (has_file)
        report(LOG_ERR, &subject,
               "cannot reopen LOGFILE %s: %s; worker %d keeps writing to the file that was moved "
               "away; to try again: dispatcherctl reload",
               path, strerror(-error), (int)worker->pid);
    else
        report(LOG_ERR, &subject, "cannot open LOGFILE %s: %s; worker %d logs to %s", path,
               strerror(-error), (int)worker->pid, worker_log_elsewhere(service));
}

int worker_log_open(struct worker *worker)
{
    const char *pattern = worker->service->options->logfile;

    if (!pattern)
        return -1;
    int fd = logfile_name(&worker->log, pattern, worker->service->context->host_name, worker->pid);
    if (fd == 0)
        fd = logfile_limited_open(&worker->log);
    if (fd < 0)
        worker_log_report_failure(worker, fd, false);
    return fd < 0 ? -1 : fd;
}

/* A worker that does not know LOG would take it for an invalid message, and exit. */
static void worker_log_report_ignorance(struct worker *worker)
{
    struct subject subject = worker_subject(worker, MESSAGE_ID_LOGFILE_FAILED);

    if (worker->has_log_of_old)
        return;
    worker->has_log_of_old = true;
    report(
        LOG_WARNING, &subject,
        "LOGFILE %s was moved away or removed, but worker %d cannot change its file: it keeps "
        "writing to the old one until it is replaced; to replace it now: dispatcherctl restart %s",
        worker->log.path, (int)worker->pid, worker->service->options->name);
}

/* The worker has a name for its file, and an open channel. */
static void worker_log_renew(struct worker *worker)
{
    if (!worker->knows.log) {
        worker_log_report_ignorance(worker);
        return;
    }
    bool had_file = worker->log.inode != 0;
    _cleanup_fd_ int fd = logfile_limited_open(&worker->log);
    if (fd < 0) {
        (void)orders_take_unsent(worker, ORDER_LOG);
        worker_log_report_failure(worker, fd, had_file);
        return;
    }
    int r = order_log(worker, fd);
    if (r != -ETOOMANYREFS)
        return;
    /* The kernel allows no more descriptors under way. The next look at the files tries again. */
    worker->log.device = 0;
    worker_log_report_failure(worker, r, had_file);
}

void worker_log_send_again(struct worker *worker)
{
    if (worker->channel >= 0)
        worker_log_renew(worker);
}

void worker_log_adopt(struct worker *worker)
{
    const struct service *service = worker->service;
    const char *pattern = service->options->logfile;

    if (!pattern)
        return;
    int r = logfile_limited_find(&worker->log, pattern, service->context->host_name, worker->pid);
    if (r == 0 || r == -ETIMEDOUT)
        return;
    /* The file was moved away while no daemon ran, or could not be opened. */
    if (logfile_name(&worker->log, pattern, service->context->host_name, worker->pid) == 0)
        worker_log_renew(worker);
}

/* Before it was welcomed or, if adopted, has answered, it has no file that we know of. */
static bool worker_log_has_file(const struct worker *worker)
{
    return worker->log.path && worker->state != WORKER_STARTING && worker->state != WORKER_ADOPTED;
}

void worker_logs_check(struct service *service)
{
    for (unsigned slot = 0; slot < service->pool->n_slots; slot++) {
        struct worker *worker = service->workers[slot];

        if (worker && worker->channel >= 0 && worker_log_has_file(worker) &&
            !logfile_limited_is_in_place(&worker->log))
            worker_log_renew(worker);
    }
}

static int worker_log_on_folder(_unused_ sd_event_source *source,
                                _unused_ const struct inotify_event *event, void *userdata)
{
    worker_logs_check(userdata);
    return 0;
}

void worker_logs_watch(struct service *service)
{
    const char *pattern = service->options->logfile;
    char folder[PATH_MAX];

    service->log_source = sd_event_source_disable_unref(service->log_source);
    if (!pattern || logfile_folder(pattern, service->context->host_name, folder) < 0 ||
        !logfile_limited_has_folder(folder))
        return;
    /* A folder that cannot be watched is looked at after a signal, and at a reload. */
    if (sd_event_add_inotify(service->context->event, &service->log_source, folder,
                             IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR, worker_log_on_folder,
                             service) < 0)
        service->log_source = NULL;
}
