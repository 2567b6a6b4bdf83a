/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/proxy/trouble.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/time.h"
#include "workers/common/send_away.h"
#include "workers/common/unit.h"
#include "workers/proxy/connect.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* One line for each client that is turned away, if they are few. */
#define LINES_AT_ONCE    5
#define LINES_PER_SECOND 1

/* A look takes no longer: who is not there by then is still away. */
#define PROBE_LIMIT_USEC (2 * USEC_PER_SEC)

void trouble_init(struct trouble *trouble, dispatcher_worker *worker,
                  const struct settings *settings)
{
    *trouble = (struct trouble){
        .worker = worker,
        .settings = settings,
        .turned_away = LOG_LIMIT_INIT(LINES_AT_ONCE, LINES_PER_SECOND),
        .probe_fd = -1,
    };
}

void trouble_clear(struct trouble *trouble)
{
    trouble->probe_fd = fd_close(trouble->probe_fd);
}

static void tell_alert(struct trouble *trouble, const struct backends *backends)
{
    char words[256];
    struct str_buffer text = str_buffer_init(words, sizeof(words));

    for (size_t i = 0; i < backends->n_items; i++)
        if (backends->items[i].is_reported)
            str_buffer_add(&text, "%s%s: %s", text.length > 0 ? ", " : "", backends->items[i].name,
                           strerror(backends->items[i].error));
    dispatcher_worker_alert(trouble->worker, trouble->n_reported > 0 ? words : NULL);
}

static void tell_failure(struct trouble *trouble, const struct backend *backend)
{
    const char *advice = connect_advice(backend, backend->error);
    char unit[UNIT_NAME_MAX];

    if (advice)
        dispatcher_worker_log(trouble->worker, LOG_ERR,
                              "cannot connect to back end %s: %s; trying again; if the sandbox of "
                              "the worker's unit forbids it, set %s with: systemctl edit %s",
                              backend->name, strerror(backend->error), advice,
                              unit_name(dispatcher_worker_service(trouble->worker), unit));
    else
        dispatcher_worker_log(trouble->worker, LOG_ERR,
                              "cannot connect to back end %s: %s; trying again", backend->name,
                              strerror(backend->error));
}

static void report(struct trouble *trouble, struct backends *backends, struct backend *backend)
{
    backend->is_reported = true;
    trouble->n_reported++;
    tell_failure(trouble, backend);
    tell_alert(trouble, backends);
}

void trouble_failed(struct trouble *trouble, struct backends *backends, size_t i, int error,
                    uint64_t began_at, uint64_t now)
{
    struct backend *backend = &backends->items[i];

    trouble->n_failing += backend->n_failures == 0;
    if (backend_failed(backend, error, began_at, now))
        report(trouble, backends, backend);
}

void trouble_answered(struct trouble *trouble, struct backends *backends, size_t i, uint64_t now)
{
    struct backend *backend = &backends->items[i];
    uint64_t since = backend->failing_since;

    trouble->n_failing -= backend->n_failures > 0;
    if (!backend_answered(backend))
        return;
    trouble->n_reported--;
    dispatcher_worker_log(trouble->worker, LOG_NOTICE,
                          "back end %s can be reached again, after %" PRIu64 " s", backend->name,
                          (now - since) / USEC_PER_SEC);
    tell_alert(trouble, backends);
}

/* The client is the first to suffer from what was not worth a line before. */
static void report_all(struct trouble *trouble, struct backends *backends)
{
    for (size_t i = 0; i < backends->n_items; i++)
        if (backends->items[i].n_failures > 0 && !backends->items[i].is_reported)
            report(trouble, backends, &backends->items[i]);
}

void trouble_turn_away(struct trouble *trouble, struct backends *backends, size_t i,
                       const dispatcher_connection *connection, uint64_t now)
{
    const struct backend *backend = &backends->items[i];
    enum come_back_protocol protocol = COME_BACK_UNKNOWN;

    /* A client that waits for a handshake cannot read. */
    if (!dispatcher_connection_is_tls(connection))
        protocol =
            settings_protocol(trouble->settings, dispatcher_connection_local_port(connection));
    send_away(dispatcher_connection_fd(connection), protocol);
    report_all(trouble, backends);
    if (log_limit_take(&trouble->turned_away, now, log_has_room_for_bulk(), "turned away"))
        dispatcher_connection_log(
            connection, LOG_WARNING, "turned away: no back end; %s: %s", backend->name,
            backend->error ? strerror(backend->error) : "its backlog is full");
}

static void begin_probe(struct trouble *trouble, struct backends *backends, size_t i, uint64_t now)
{
    bool is_connected;
    int fd = connect_begin(&backends->items[i], &is_connected);

    if (fd < 0 && fd != -EAGAIN) {
        trouble_failed(trouble, backends, i, -fd, now, now);
        return;
    }
    trouble->probe_fd = fd < 0 ? -1 : fd;
    trouble->probe_backend = i;
    trouble->probe_at = now;
}

/* The back end sees that it was nobody. */
static void end_probe(struct trouble *trouble, struct backends *backends, int result, uint64_t now)
{
    char header[HEADER_MAX_BYTES];
    size_t length = header_write_local(header, trouble->settings->version);

    if (result == 0 && length > 0)
        (void)!send(trouble->probe_fd, header, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    trouble->probe_fd = fd_close(trouble->probe_fd);
    if (result == 0)
        trouble_answered(trouble, backends, trouble->probe_backend, now);
    else
        trouble_failed(trouble, backends, trouble->probe_backend, -result, trouble->probe_at, now);
}

static void look_at_probe(struct trouble *trouble, struct backends *backends, uint64_t now)
{
    struct pollfd pollfd = {.fd = trouble->probe_fd, .events = POLLOUT};

    if (poll(&pollfd, 1, 0) > 0)
        end_probe(trouble, backends, connect_result(trouble->probe_fd), now);
    else if (now - trouble->probe_at >= PROBE_LIMIT_USEC)
        end_probe(trouble, backends, -ETIMEDOUT, now);
}

static void sum_up(struct trouble *trouble, uint64_t now)
{
    char text[TALLY_TEXT_BYTES + 64];

    if (now >= log_limit_due_at(&trouble->turned_away) &&
        log_limit_sum_up(&trouble->turned_away, now, text))
        dispatcher_worker_log(trouble->worker, LOG_WARNING, "%s", text);
}

void trouble_tick(struct trouble *trouble, struct backends *backends, uint64_t now)
{
    sum_up(trouble, now);
    if (trouble->probe_fd >= 0)
        look_at_probe(trouble, backends, now);
    for (size_t i = 0; i < backends->n_items && trouble->probe_fd < 0; i++)
        if (backends->items[i].n_failures > 0 && now >= backends->items[i].retry_at &&
            backends_choose(backends, i, now) == i)
            begin_probe(trouble, backends, i, now);
}

bool trouble_has_work(const struct trouble *trouble)
{
    return trouble->n_failing > 0 || trouble->probe_fd >= 0 ||
           log_limit_due_at(&trouble->turned_away) != UINT64_MAX;
}
