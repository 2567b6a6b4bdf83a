/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/query/query.h"

#include "base/macro.h"
#include "base/time.h"
#include "control_client/reply.h"
#include "dispatcherctl/views/explain.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 4

/* Appends the items of the list in `part` to that in `whole`. */
static int join(json_t *whole, const json_t *part, const char *list)
{
    json_t *to = json_object_get(json_object_get(whole, "parameters"), list);
    json_t *from = json_object_get(json_object_get(part, "parameters"), list);

    return json_array_extend(to, from) < 0 ? -EBADMSG : 0;
}

/* NULL if the name of the service is not UTF-8. */
static json_t *parameters_of(const struct request *request, const char *after)
{
    return json_pack("{s:s*, s:s*, s:s*, s:s*}", "service", request->service, "after", after,
                     "mask", request->mask, "address", request->address);
}

/* Adds how many rows of the part are wanted to *n. Returns true if no more are needed. */
static bool is_enough(const struct request *request, const json_t *part, const char *list,
                      size_t *n)
{
    const json_t *parameters = json_object_get(part, "parameters");

    if (!list || !selection_is_of_first(&request->selection))
        return false;
    *n += selection_count(&request->selection, json_object_get(parameters, list),
                          reply_moment(parameters, "now"));
    return *n >= request->selection.limit;
}

/* The time limit of one part. Returns 0 or -ETIMEDOUT: parts that have come already would be taken
 * without a wait, however many. */
static int limit_part(const struct request *request, uint64_t deadline, uint64_t *ret_usec)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (now >= deadline)
        return -ETIMEDOUT;
    *ret_usec = deadline - now < request->limit_usec ? deadline - now : request->limit_usec;
    return 0;
}

int query_call(struct client *client, const struct request *request, const char *method,
               const char *list, uint64_t deadline, json_t **ret)
{
    json_auto_t *whole = NULL;
    char *after = NULL;
    size_t n_wanted = 0;

    for (;;) {
        json_auto_t *part = NULL;
        uint64_t limit_usec;
        int r = limit_part(request, deadline, &limit_usec);

        if (r == 0)
            r = client_call(client, method, parameters_of(request, after), limit_usec, &part);
        free(after);
        after = NULL;
        if (r < 0)
            return r;
        json_t *next = json_object_get(json_object_get(part, "parameters"), "next");
        if (json_is_string(next) && list && !is_enough(request, part, list, &n_wanted))
            after = strdup(json_string_value(next));
        if (json_object_get(part, "error") || !whole) {
            json_decref(whole);
            whole = json_incref(part);
        } else if ((r = join(whole, part, list)) < 0) {
            free(after);
            return r;
        }
        if (!after)
            break;
    }
    json_object_del(json_object_get(whole, "parameters"), "next");
    *ret = json_incref(whole);
    return 0;
}

static bool changes_something(const char *method)
{
    static const char *const methods[] = {"Stop", "Start", "Restart", "Reload", "SetDebug"};

    for (size_t i = 0; i < ELEMENTSOF(methods); i++)
        if (strcmp(methods[i], method) == 0)
            return true;
    return false;
}

static int query_once(const struct request *request, const char *method, const char *list,
                      json_t **ret)
{
    struct client client = {.fd = -1};

    int r = client_open(request->socket, request->limit_usec, &client);
    if (r == 0)
        r = query_call(&client, request, method, list, USEC_INFINITY, ret);
    client_close(&client);
    return r;
}

int query(const struct request *request, const char *method, const char *list, json_t **ret)
{
    json_auto_t *reply = NULL;
    int r;

    /* If too many clients without rights are connected, dispatcherd closes some of them
     * (dispatcherd(8)). A call that may have changed something is not repeated. */
    for (unsigned i = 0; i < TRIES_MAX; i++) {
        r = query_once(request, method, list, &reply);
        if (r != -ECONNRESET || changes_something(method))
            break;
    }
    if (r < 0) {
        explain_failure(request->socket, r);
        return r;
    }
    if (json_object_get(reply, "error")) {
        explain_error(reply);
        return -EREMOTEIO;
    }
    *ret = json_incref(json_object_get(reply, "parameters"));
    return 0;
}

int query_print_json(const json_t *parameters)
{
    if (json_dumpf(parameters, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0 || puts("") == EOF)
        return -EIO;
    return 0;
}

int query_exit_status(int r)
{
    if (r == 0 && fflush(stdout) != 0)
        r = -errno;
    if (r < 0)
        fprintf(stderr, "dispatcherctl: cannot print: %s\n", strerror(-r));
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
