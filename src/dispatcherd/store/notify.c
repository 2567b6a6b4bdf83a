/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/notify.h"

#include "base/macro.h"
#include "base/notify_socket.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/report/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define RETRY_USEC (100 * USEC_PER_MSEC)

/* A sign of life may be this much late; the watchdog's limit is some seconds. */
#define WATCHDOG_ACCURACY_USEC (USEC_PER_SEC / 4)

/* How often in a row one notification may fail: after that, the socket is taken to be gone. */
#define FAILURES_MAX 50

static void flush(struct notifier *notifier)
{
    char text[NOTIFY_STATUS_MAX + 64];
    struct str_buffer state = str_buffer_init(text, sizeof(text));

    if (notifier->is_ready_due)
        str_buffer_add(&state, "READY=1\n");
    if (notifier->is_stopping_due)
        str_buffer_add(&state, "STOPPING=1\n");
    if (notifier->is_status_due)
        str_buffer_add(&state, "STATUS=%s\n", notifier->status);
    if (state.length == 0)
        return;
    int r = notify_socket_send(text, -1);
    if (r < 0 && r != -EAGAIN && notifier->n_failures++ == 0)
        report_daemon(LOG_WARNING, "cannot notify the service manager: %s; retrying for %u s",
                      strerror(-r), (unsigned)(FAILURES_MAX * RETRY_USEC / USEC_PER_SEC));
    if (r == -EAGAIN || (r < 0 && notifier->n_failures < FAILURES_MAX)) {
        timer_set_in(&notifier->retry, RETRY_USEC);
        return;
    }
    notifier->n_failures = 0;
    notifier->is_ready_due = false;
    notifier->is_stopping_due = false;
    notifier->is_status_due = false;
}

static void on_retry(void *userdata)
{
    flush(userdata);
}

static void on_watchdog(void *userdata)
{
    struct notifier *notifier = userdata;

    (void)notify_socket_send("WATCHDOG=1", -1);
    timer_set_in(&notifier->watchdog, notifier->watchdog_usec);
}

int notify_start(struct notifier *notifier, sd_event *event)
{
    uint64_t limit_usec;

    int r = timer_init(&notifier->retry, event, USEC_PER_MSEC, on_retry, notifier);
    if (r < 0)
        return r;
    if (sd_watchdog_enabled(1, &limit_usec) <= 0)
        return 0;
    /* Twice as often as required, so that one sign of life may be late. */
    notifier->watchdog_usec = limit_usec / 2;
    r = timer_init(&notifier->watchdog, event, WATCHDOG_ACCURACY_USEC, on_watchdog, notifier);
    timer_set_at(&notifier->watchdog, 0);
    return r;
}

void notify_ready(struct notifier *notifier)
{
    notifier->is_ready_due = true;
    flush(notifier);
}

void notify_reloading(_unused_ struct notifier *notifier)
{
    char text[96];

    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
             time_now_usec(CLOCK_MONOTONIC));
    (void)notify_socket_send(text, -1);
}

void notify_stopping(struct notifier *notifier)
{
    notifier->is_stopping_due = true;
    flush(notifier);
}

void notify_extend(_unused_ struct notifier *notifier, uint64_t usec)
{
    char text[64];

    snprintf(text, sizeof(text), "EXTEND_TIMEOUT_USEC=%" PRIu64, usec);
    (void)notify_socket_send(text, -1);
}

void notify_status(struct notifier *notifier, const char *status)
{
    if (strncmp(notifier->status, status, sizeof(notifier->status) - 1) == 0)
        return;
    snprintf(notifier->status, sizeof(notifier->status), "%s", status);
    notifier->is_status_due = true;
    flush(notifier);
}

void notify_end(struct notifier *notifier)
{
    timer_clear(&notifier->retry);
    timer_clear(&notifier->watchdog);
}
