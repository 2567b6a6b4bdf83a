/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "web/figures.h"

#include "base/macro.h"
#include "base/time.h"
#include "control_client/reply.h"
#include "varlink/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* For all calls of one reading together: dispatcherd answers within milliseconds, and nobody gets a
 * page while this waits. */
#define READ_LIMIT_USEC (2 * USEC_PER_SEC)

#define TRIES_MAX 4

static void forget(struct figures *figures)
{
    json_decref(figures->status);
    json_decref(figures->services);
    json_decref(figures->workers);
    json_decref(figures->connections);
    json_decref(figures->ended_workers);
    json_decref(figures->ended_connections);
    json_decref(figures->throttles);
    figures->status = figures->services = NULL;
    figures->workers = figures->connections = NULL;
    figures->ended_workers = figures->ended_connections = NULL;
    figures->throttles = NULL;
}

static void disconnect(struct figures *figures)
{
    if (figures->is_connected)
        client_close(&figures->client);
    figures->is_connected = false;
}

/* Returns 0 with the parameters, or a negative errno: -EACCES if the page is not allowed to see it,
 * -ENOSYS if dispatcherd is older than this page and has no such method. */
static int call(struct figures *figures, const char *method, json_t *parameters, uint64_t deadline,
                json_t **ret)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    json_auto_t *reply = NULL;

    uint64_t limit = now < deadline ? deadline - now : 0;
    int r = client_call(&figures->client, method, parameters, limit, &reply);
    if (r < 0)
        return r;
    const char *error = reply_text(reply, "error");
    if (strcmp(error, "io.dispatcherd.Control.PermissionDenied") == 0)
        return -EACCES;
    if (strcmp(error, VARLINK_METHOD_NOT_FOUND) == 0)
        return -ENOSYS;
    if (*error)
        return -EREMOTEIO;
    *ret = json_incref(json_object_get(reply, "parameters"));
    return *ret ? 0 : -EBADMSG;
}

/* Lists come in parts; reading stops when there is enough. */
static int read_list(struct figures *figures, const char *method, const char *name,
                     uint64_t deadline, json_t **ret)
{
    json_auto_t *list = json_array();
    char *after = NULL;
    int r;

    do {
        json_auto_t *part = NULL;
        json_t *parameters = json_pack("{s:s*}", "after", after);

        free(after);
        after = NULL;
        r = call(figures, method, parameters, deadline, &part);
        if (r == 0 && json_array_extend(list, json_object_get(part, name)) < 0)
            r = -EBADMSG;
        if (r == 0 && reply_is_set(part, "next") && json_array_size(list) < FIGURES_ROWS_MAX)
            after = strdup(reply_text(part, "next"));
    } while (after);
    if (r < 0)
        return r;
    while (json_array_size(list) > FIGURES_ROWS_MAX)
        json_array_remove(list, json_array_size(list) - 1);
    *ret = json_incref(list);
    return 0;
}

static int read_lists(struct figures *figures, uint64_t deadline)
{
    const struct {
        const char *method;
        const char *name;
        json_t **ret;
    } lists[] = {
        {"Workers", "workers", &figures->workers},
        {"EndedWorkers", "workers", &figures->ended_workers},
        {"Connections", "connections", &figures->connections},
        {"EndedConnections", "connections", &figures->ended_connections},
    };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ELEMENTSOF(lists); i++) {
        r = read_list(figures, lists[i].method, lists[i].name, deadline, lists[i].ret);
        if (r == -EACCES)
            r = 0;
    }
    return r;
}

static int read_throttles(struct figures *figures, uint64_t deadline)
{
    int r = call(figures, "Throttles", json_object(), deadline, &figures->throttles);

    return r == -EACCES || r == -ENOSYS ? 0 : r;
}

static int read_all(struct figures *figures, bool with_lists, uint64_t deadline)
{
    int r = call(figures, "Status", json_object(), deadline, &figures->status);
    if (r == 0)
        r = call(figures, "Services", json_object(), deadline, &figures->services);
    if (r == 0 && with_lists)
        r = read_lists(figures, deadline);
    return r < 0 || !with_lists ? r : read_throttles(figures, deadline);
}

static int try_once(struct figures *figures, bool with_lists, uint64_t deadline)
{
    forget(figures);
    if (!figures->is_connected) {
        int fd = connector_open(figures->connector, READ_LIMIT_USEC);
        if (fd < 0)
            return fd;
        client_use(&fd, &figures->client);
        figures->is_connected = true;
    }
    int r = read_all(figures, with_lists, deadline);
    /* After a time-out the answer may still arrive: it must not be taken for that of the next call.
     */
    if (r < 0)
        disconnect(figures);
    return r;
}

int figures_read(struct figures *figures, bool with_lists)
{
    uint64_t deadline = time_add_usec(time_now_usec(CLOCK_MONOTONIC), READ_LIMIT_USEC);
    int r = 0;

    /* Either the daemon was restarted since the last time, or another client was given our place,
     * which cannot happen to the page's own unit; see CONTROL SOCKET in dispatcherd(8). */
    for (unsigned i = 0; i < TRIES_MAX; i++) {
        r = try_once(figures, with_lists, deadline);
        if (r != -ECONNRESET)
            break;
    }
    if (r < 0)
        forget(figures);
    figures->error = r;
    return r;
}

void figures_clear(struct figures *figures)
{
    forget(figures);
    disconnect(figures);
}
