/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/succession.h"

#include "base/fd.h"
#include "base/notify_socket.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/adopt.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/checks/decisions_store.h"
#include "dispatcherd/checks/throttle_store.h"
#include "dispatcherd/core/connection_store.h"
#include "dispatcherd/core/passed_on.h"
#include "dispatcherd/limits/store_room.h"
#include "dispatcherd/process/spawner.h"
#include "dispatcherd/readmit.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/state.h"
#include "dispatcherd/store/store.h"
#include "dispatcherd/store/store_limit.h"

#include <stdio.h>
#include <string.h>

/* Sources that were rejected stay rejected. If there is no usable table, a new one is made. */
static void take_over_throttle(struct manager *manager, struct inherited *inherited)
{
    struct context *context = &manager->context;
    unsigned long number;
    char name[STORE_NAME_MAX];
    int store_error = 0, r = 0;

    _cleanup_fd_ int fd = inherited_take_newest(inherited, STORE_THROTTLE, &number);
    struct throttle *throttle = fd >= 0 ? throttle_store_open(&fd) : NULL;
    if (!throttle) {
        if (number > 0) {
            report_daemon(LOG_WARNING,
                          "cannot read the throttle counts of the previous dispatcherd; "
                          "they start from zero");
            snprintf(name, sizeof(name), STORE_THROTTLE "%lu", number);
            (void)store_remove(name);
        }
        snprintf(name, sizeof(name), STORE_THROTTLE "%lu", number + 1);
        r = throttle_store_new(name, &context->hash_key, &throttle, &store_error);
    }
    if (throttle)
        admission_set_throttle(context->admission, throttle);
    if (r < 0 || store_error < 0)
        report_daemon(LOG_WARNING,
                      "the throttle counts will not survive a restart of dispatcherd: %s",
                      strerror(r < 0 ? -r : -store_error));
}

/* Administrators often correct a mapping file and restart the daemon before they ask why a client
 * was rejected. */
static void take_over_decisions(struct manager *manager, struct inherited *inherited)
{
    unsigned long number;
    char name[STORE_NAME_MAX];
    int store_error = 0, r = 0;

    _cleanup_fd_ int fd = inherited_take_newest(inherited, STORE_DECISIONS, &number);
    struct decisions *decisions = fd >= 0 ? decisions_store_open(&fd) : NULL;
    if (!decisions) {
        if (number > 0) {
            report_daemon(LOG_WARNING, "cannot read the decisions of the previous dispatcherd; "
                                       "\"dispatcherctl explain\" starts without them");
            snprintf(name, sizeof(name), STORE_DECISIONS "%lu", number);
            (void)store_remove(name);
        }
        snprintf(name, sizeof(name), STORE_DECISIONS "%lu", number + 1);
        r = decisions_store_new(name, &decisions, &store_error);
    }
    if (decisions)
        admission_set_decisions(manager->context.admission, decisions);
    if (r < 0 || store_error < 0)
        report_daemon(LOG_WARNING,
                      "decisions about clients will not survive a restart of dispatcherd: %s",
                      strerror(r < 0 ? -r : -store_error));
}

static void store_counts(const struct manager *manager, unsigned long old_number)
{
    int r = store_replace(STORE_STATE, old_number, state_fd(manager->durable));

    if (r < 0)
        report_daemon(LOG_WARNING, "the statistics will not survive a restart of dispatcherd: %s",
                      strerror(-r));
}

/* What stays in the store although it was not taken counts too. No socket's name has a dot. */
static void count_stored(const struct inherited *inherited)
{
    for (size_t i = 0; i < inherited->n_items; i++)
        if (strchr(inherited->items[i].name, '.'))
            store_inherit(inherited->items[i].name);
}

static void succession_say_room(const struct config *config)
{
    const struct subject subject = {.message_id = MESSAGE_ID_STORE_FULL};
    const struct store_room room = store_room_needed(config);
    char text[STORE_ROOM_TEXT_MAX];

    if (!store_room_fits(&room, store_room_largest(config), store_max_entries(), text))
        report(LOG_ERR, &subject, "%s", text);
}

static void open_store(struct manager *manager)
{
    const struct config *config = &manager->version->config;

    manager->has_successor_store =
        manager->context.spawner == &spawner_unit && notify_socket_is_set();
    if (!manager->has_successor_store)
        return;
    store_set_limits(store_limit_of_this_unit(),
                     STORE_ROOM_NAME_BYTES - store_room_socket_bytes(config));
    succession_say_room(config);
    connection_store_open(manager->context.connection_store,
                          store_room_connections(config, store_max_entries()));
}

static void readmit(struct manager *manager, struct inherited *inherited)
{
    struct readmitted n;

    readmit_stored(manager->services, manager->n_services, inherited, &n);
    if (n.n_checks > 0)
        report_daemon(LOG_NOTICE, "repeating the unfinished checks of %u %s", n.n_checks,
                      str_plural(n.n_checks, "connection", "connections"));
    if (n.n_waiting > 0)
        report_daemon(LOG_NOTICE, "taking over %u %s for a worker", n.n_waiting,
                      str_plural(n.n_waiting, "connection that waits", "connections that wait"));
}

void succession_take_over(struct manager *manager, struct inherited *inherited)
{
    unsigned long old_number;
    struct state *old = NULL;

    count_stored(inherited);
    open_store(manager);

    _cleanup_fd_ int old_fd = inherited_take_newest(inherited, STORE_STATE, &old_number);
    int r = old_fd < 0 ? 0 : state_open(&old_fd, &old);
    if (r < 0)
        report_daemon(LOG_WARNING,
                      "cannot read the statistics of the previous dispatcherd (%s); "
                      "they start from zero",
                      strerror(-r));
    if (old)
        state_inherit(manager->durable, old, time_now_usec(CLOCK_MONOTONIC));
    take_over_throttle(manager, inherited);
    manager_set_fleet(manager);
    take_over_decisions(manager, inherited);
    unsigned n =
        old ? passed_on_take_over(&manager->context, manager->services, manager->n_services, old)
            : 0;
    if (n > 0)
        report_daemon(LOG_NOTICE, "taking over %u %s", n,
                      str_plural(n, "connection that a worker passed on, or was about to",
                                 "connections that workers passed on, or were about to"));
    n = adopt_workers(manager->services, manager->n_services, inherited, old);
    if (n > 0)
        report_daemon(LOG_NOTICE, "taking over %u %s", n, str_plural(n, "worker", "workers"));
    state_free(old);
    readmit(manager, inherited);
    store_counts(manager, old_number);
}
