/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/hosts/clients.h"

#include "base/macro.h"
#include "control_client/reply.h"
#include "dispatcherctl/query/query.h"
#include "dispatcherctl/views/cells.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What is counted, and the member with the addresses that have the most of it. */
static const struct clients_figure {
    const char *name, *list, *title;
} figures[] = {
    {"connections", "most_connections", "most connections now:"},
    {"sessions", "most_sessions", "most sessions that have ended, of the history:"},
    {"rejections", "most_rejections", "most rejections, of the history:"},
};

static int clients_add(json_t *client, const char *name)
{
    return json_object_set_new(client, name, json_integer(reply_number(client, name) + 1));
}

/* Rows of a list come host by host: one of another host than the last is of a new one, unless the
 * list before had it. So the hosts of each client are kept. */
static int clients_note_host(json_t *client, const json_t *row)
{
    return json_object_set_new(json_object_get(client, "hosts"), reply_text(row, "host"),
                               json_true());
}

/* The counts of the row's client. NULL if there is no memory, or the row has no client. */
static json_t *clients_find(json_t *clients, const json_t *row)
{
    const char *address = reply_text(json_object_get(row, "client"), "address");
    json_t *client = json_object_get(clients, address);

    if (client || !address[0])
        return client;
    client = json_pack("{s:s, s:{}, s:i, s:i, s:i}", "address", address, "hosts", "connections", 0,
                       "sessions", 0, "rejections", 0);
    return json_object_set_new(clients, address, client) == 0 ? client : NULL;
}

/* What a row of connections that have ended counts as; NULL: as nothing, since no worker had it. */
static const char *clients_kind_of_end(const json_t *row)
{
    const char *end = reply_text(row, "end");

    if (strcmp(end, "rejected") == 0)
        return "rejections";
    return reply_is_set(row, "handed_at") ? "sessions" : NULL;
}

static int clients_add_rows(json_t *clients, const json_t *rows, bool has_ended)
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) {
        const char *name = has_ended ? clients_kind_of_end(row) : "connections";
        json_t *client = clients_find(clients, row);

        if (!name || !reply_text(json_object_get(row, "client"), "address")[0])
            continue;
        if (!client || clients_add(client, name) < 0 || clients_note_host(client, row) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* Sorts by the figure, the most first; of equal ones by address, so that the order is the same each
 * time. */
static const char *sorted_by; /* qsort(3) passes nothing on; there is one thread here */

static int clients_compare(const void *a, const void *b)
{
    const json_t *one = *(json_t *const *)a, *other = *(json_t *const *)b;
    int64_t n = reply_number(one, sorted_by), m = reply_number(other, sorted_by);

    if (n != m)
        return n < m ? 1 : -1;
    return strcmp(reply_text(one, "address"), reply_text(other, "address"));
}

/* The array of the first; NULL if there is no memory. */
static json_t *clients_choose(json_t *items[], size_t n, const char *figure, size_t top)
{
    json_auto_t *chosen = json_array();

    sorted_by = figure;
    if (n > 0)
        qsort(items, n, sizeof(*items), clients_compare);
    for (size_t i = 0; i < n && i < top && reply_number(items[i], figure) > 0; i++)
        if (json_array_append(chosen, items[i]) < 0)
            return NULL;
    return json_incref(chosen);
}

/* Puts the number of hosts in the place of their names. */
static int clients_fill(json_t *clients, json_t *items[])
{
    json_t *client;
    const char *address;
    size_t n = 0;

    json_object_foreach(clients, address, client) {
        size_t n_hosts = json_object_size(json_object_get(client, "hosts"));

        if (json_object_set_new(client, "hosts", json_integer((json_int_t)n_hosts)) < 0)
            return -ENOMEM;
        items[n++] = client;
    }
    return 0;
}

int clients_count(json_t *merged, size_t top)
{
    json_auto_t *clients = json_object();
    int r = clients_add_rows(clients, json_object_get(merged, "connections"), false);

    if (r == 0)
        r = clients_add_rows(clients, json_object_get(merged, "ended"), true);
    json_t **items = calloc(json_object_size(clients) + 1, sizeof(json_t *));
    if (r == 0)
        r = items ? clients_fill(clients, items) : -ENOMEM;
    json_object_del(merged, "connections");
    json_object_del(merged, "ended");
    for (size_t i = 0; r == 0 && i < ELEMENTSOF(figures); i++) {
        json_t *chosen = clients_choose(items, json_object_size(clients), figures[i].name, top);

        if (!chosen || json_object_set_new(merged, figures[i].list, chosen) < 0)
            r = -ENOMEM;
    }
    free(items);
    return r;
}

int clients_print(const json_t *counted, FILE *stream)
{
    static const struct column columns[] = {
        {{"CLIENT", TABLE_LEFT}, cell_text, "address"},
        {{"CONNECTIONS", TABLE_RIGHT}, cell_number, "connections"},
        {{"SESSIONS", TABLE_RIGHT}, cell_number, "sessions"},
        {{"REJECTIONS", TABLE_RIGHT}, cell_number, "rejections"},
        {{"HOSTS", TABLE_RIGHT}, cell_number, "hosts"},
    };
    bool is_first = true;
    int r = 0;

    for (size_t i = 0; r == 0 && i < ELEMENTSOF(figures); i++) {
        const json_t *list = json_object_get(counted, figures[i].list);

        if (json_array_size(list) == 0)
            continue;
        fprintf(stream, "%s%s\n", is_first ? "" : "\n", figures[i].title);
        r = print_rows(columns, ELEMENTSOF(columns), list, 0, stream);
        is_first = false;
    }
    if (is_first)
        table_line(stream, "no client is connected, and none is in the history");
    return r;
}

int clients_run(const struct request *request)
{
    json_auto_t *reply = NULL, *ended = NULL;

    if (query(request, "Connections", "connections", &reply) < 0 ||
        query(request, "EndedConnections", "connections", &ended) < 0)
        return EXIT_FAILURE;
    int r = json_object_set(reply, "ended", json_object_get(ended, "connections")) < 0
                ? -ENOMEM
                : clients_count(reply, request->top);
    if (r == 0)
        r = request->is_json ? query_print_json(reply) : clients_print(reply, stdout);
    return query_exit_status(r);
}
