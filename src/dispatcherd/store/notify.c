#include "dispatcherd/store/notify.h"

#include "base/log.h"
#include "base/macro.h"
#include "base/notify_socket.h"
#include "base/str.h"
#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#define RETRY_USEC (100 * USEC_PER_MSEC)

/* In a row, of one notification: a socket that does not work by then is not there. */
#define FAILURES_MAX 50

static void flush(struct notifier *notifier);

static int on_retry(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
    flush(userdata);
    return 0;
}

static void retry_later(struct notifier *notifier)
{
    sd_event_source_disable_unref(notifier->retry);
    notifier->retry = NULL;
    (void)sd_event_add_time_relative(notifier->event, &notifier->retry, CLOCK_MONOTONIC, RETRY_USEC,
                                     USEC_PER_MSEC, on_retry, notifier);
}

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
        log_warning("cannot notify the service manager: %s; trying again for %u s", strerror(-r),
                    (unsigned)(FAILURES_MAX * RETRY_USEC / USEC_PER_SEC));
    if (r == -EAGAIN || (r < 0 && notifier->n_failures < FAILURES_MAX)) {
        retry_later(notifier);
        return;
    }
    notifier->n_failures = 0;
    notifier->is_ready_due = false;
    notifier->is_stopping_due = false;
    notifier->is_status_due = false;
}

static int on_watchdog(sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
    struct notifier *notifier = userdata;

    (void)notify_socket_send("WATCHDOG=1", -1);
    (void)sd_event_source_set_time_relative(source, notifier->watchdog_usec);
    (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return 0;
}

int notify_start(struct notifier *notifier, sd_event *event)
{
    uint64_t limit_usec;

    notifier->event = event;
    if (sd_watchdog_enabled(1, &limit_usec) <= 0)
        return 0;
    /* Twice as often as needed: one sign of life may be late. */
    notifier->watchdog_usec = limit_usec / 2;
    return sd_event_add_time_relative(event, &notifier->watchdog, CLOCK_MONOTONIC, 0, 0,
                                      on_watchdog, notifier);
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
    notifier->retry = sd_event_source_disable_unref(notifier->retry);
    notifier->watchdog = sd_event_source_disable_unref(notifier->watchdog);
}
