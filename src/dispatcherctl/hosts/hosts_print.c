/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/hosts/hosts_print.h"

#include "base/macro.h"
#include "base/str.h"
#include "control_client/reply.h"
#include "dispatcherctl/hosts/clients.h"
#include "dispatcherctl/hosts/hosts_count.h"
#include "dispatcherctl/views/cells.h"
#include "dispatcherctl/views/views.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Hosts */

static const json_t *reply_of(const struct row *row)
{
    return json_object_get(row->item, "reply");
}

static void add_state(struct table *table, const struct row *row, const char *name)
{
    const struct row reply = {reply_of(row), row->now};

    if (json_is_object(reply.item)) {
        cell_text(table, &reply, name);
        return;
    }
    table_add(table, "away");
    table_style(table, STYLE_BAD);
}

static void add_text(struct table *table, const struct row *row, const char *name)
{
    cell_text(table, &(struct row){reply_of(row), row->now}, name);
}

static void add_age(struct table *table, const struct row *row, const char *name)
{
    cell_age(table, &(struct row){reply_of(row), row->now}, name);
}

/* Eight digits are enough to see that two hosts differ. */
static void add_hash(struct table *table, const struct row *row, const char *name)
{
    table_add(table, "%.8s", reply_text(reply_of(row), name));
}

static void add_length(struct table *table, const struct row *row, const char *name)
{
    const json_t *list = json_object_get(reply_of(row), name);

    table_add(table, "%.0zu", json_array_size(list));
    table_style(table, json_array_size(list) > 0 ? STYLE_BAD : STYLE_PLAIN);
}

/* Whether it reaches the store of the fleet's limits; empty if it has none. */
static void add_store(struct table *table, const struct row *row, const char *name)
{
    const json_t *fleet = json_object_get(reply_of(row), name);
    bool is_up = reply_is_true(fleet, "is_up");

    table_add(table, "%s", !json_is_object(fleet) ? "" : is_up ? "connected" : "away");
    table_style(table, json_is_object(fleet) && !is_up ? STYLE_BAD : STYLE_PLAIN);
}

/* Why the host is away, or what is wrong with it as a whole. */
static void add_problem(struct table *table, const struct row *row, const char *name)
{
    if (reply_is_true(reply_of(row), "is_on_last_config"))
        table_add(table, "its dispatcher.cnf is broken; the last good one is in force");
    else
        cell_text(table, row, name);
}

static int print_hosts(const json_t *merged, FILE *stream)
{
    static const struct column columns[] = {
        {{"STATE", TABLE_LEFT}, add_state, "state"},
        {{"FOR", TABLE_RIGHT}, add_age, "started_at"},
        {{"VERSION", TABLE_LEFT}, add_text, "version"},
        {{"OPTIONS", TABLE_LEFT}, add_hash, "config_hash"},
        {{"MAPPINGS", TABLE_LEFT}, add_hash, "mapping_hash"},
        {{"ALERTS", TABLE_RIGHT}, add_length, "alerts"},
        {{"DUE", TABLE_RIGHT}, add_length, "due"},
        {{"STORE", TABLE_LEFT}, add_store, "fleet"},
        {{"PROBLEM", TABLE_LEFT}, add_problem, "error"},
    };

    return print_rows(columns, ELEMENTSOF(columns), json_object_get(merged, "hosts"),
                      reply_moment(merged, "now"), stream);
}

/* Adds a row for each host that is away. Prints nothing if none is. */
static int print_away(const json_t *merged, FILE *stream)
{
    static const struct column columns[] = {
        {{"STATE", TABLE_LEFT}, add_state, "state"},
        {{"PROBLEM", TABLE_LEFT}, cell_text, "error"},
    };
    json_auto_t *away = json_array();
    json_t *host;
    size_t i;

    json_array_foreach(json_object_get(merged, "hosts"), i, host)
        if (reply_is_set(host, "error") && json_array_append(away, host) < 0)
            return -ENOMEM;
    if (json_array_size(away) == 0)
        return 0;
    fputc('\n', stream);
    return print_rows(columns, ELEMENTSOF(columns), away, 0, stream);
}

static void print_alerts(const json_t *merged, FILE *stream)
{
    json_t *host, *item;
    size_t i, k;

    json_array_foreach(json_object_get(merged, "hosts"), i, host) {
        const json_t *reply = json_object_get(host, "reply");

        json_array_foreach(json_object_get(reply, "alerts"), k, item)
            table_line(stream, "ALERT on %s: %s", reply_text(host, "host"),
                       reply_text(item, "text"));
        json_array_foreach(json_object_get(reply, "due"), k, item)
            table_line(stream, "DUE on %s: %s", reply_text(host, "host"), reply_text(item, "text"));
    }
}

/* Services: the rows of all hosts, and below those of each name their sum. */

static int append_rows_of(json_t *to, const json_t *rows, const json_t *sum)
{
    const char *name = reply_text(sum, "name");
    char text[64];
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
        if (str_equal_nocase(reply_text(row, "name"), name) && json_array_append(to, row) < 0)
            return -ENOMEM;
    if (reply_number(sum, "hosts") < 2)
        return 0;
    snprintf(text, sizeof(text), "%" PRId64 " hosts", reply_number(sum, "hosts"));
    json_auto_t *copy = json_copy((json_t *)sum);
    if (!copy || json_object_set_new(copy, "host", json_string(text)) < 0 ||
        json_array_append(to, copy) < 0)
        return -ENOMEM;
    return 0;
}

/* The merged object with the sums among its services; NULL if there is no memory. */
static json_t *with_sums(const json_t *merged)
{
    json_auto_t *copy = json_copy((json_t *)merged);
    json_auto_t *rows = json_array();
    json_t *sum;
    size_t i;

    json_array_foreach(json_object_get(merged, "sums"), i, sum)
        if (append_rows_of(rows, json_object_get(merged, "services"), sum) < 0)
            return NULL;
    if (!copy || json_object_set(copy, "services", rows) < 0)
        return NULL;
    return json_incref(copy);
}

int hosts_print_status(const json_t *merged, FILE *stream)
{
    json_auto_t *all = with_sums(merged);
    int r = all ? print_hosts(merged, stream) : -ENOMEM;

    if (r < 0)
        return r;
    print_alerts(merged, stream);
    fputc('\n', stream);
    return view_summaries(all, stream);
}

int hosts_print_services(const json_t *merged, FILE *stream)
{
    json_auto_t *all = with_sums(merged);
    int r = all ? view_services(all, NULL, stream) : -ENOMEM;

    return r == 0 ? print_away(merged, stream) : r;
}

int hosts_print_top(const json_t *merged, FILE *stream)
{
    json_auto_t *all = with_sums(merged);
    int r = all ? hosts_print_status(merged, stream) : -ENOMEM;

    if (r == 0) {
        fputc('\n', stream);
        r = view_figures(all, stream);
    }
    if (r == 0) {
        fputc('\n', stream);
        r = view_workers(merged, NULL, stream);
    }
    return r;
}

int hosts_print_clients(const json_t *merged, FILE *stream)
{
    int r = clients_print(merged, stream);

    return r == 0 ? print_away(merged, stream) : r;
}

/* "SMTP: 3 workers and 40 connections on 2 hosts", of what the sums count. */
static void print_counts(const json_t *merged, const char *quality, FILE *stream)
{
    static const struct {
        const char *name, *one, *many;
    } counts[] = {{"workers", "worker", "workers"}, {"connections", "connection", "connections"}};
    const json_t *sum;
    char words[128];
    size_t i;

    json_array_foreach(json_object_get(merged, "sums"), i, sum) {
        struct str_buffer text = str_buffer_init(words, sizeof(words));
        uint64_t n_hosts = (uint64_t)reply_number(sum, "hosts");

        for (size_t k = 0; k < ELEMENTSOF(counts); k++) {
            uint64_t n = (uint64_t)reply_number(sum, counts[k].name);

            if (reply_is_set(sum, counts[k].name))
                str_buffer_add(&text, "%s%" PRIu64 " %s%s", words[0] ? " and " : "", n, quality,
                               str_plural(n, counts[k].one, counts[k].many));
        }
        table_line(stream, "%s: %s on %" PRIu64 " %s", reply_text(sum, "service"), words, n_hosts,
                   str_plural(n_hosts, "host", "hosts"));
    }
}

int hosts_print_workers(const json_t *merged, FILE *stream)
{
    int r = view_workers(merged, NULL, stream);

    print_counts(merged, "", stream);
    return r == 0 ? print_away(merged, stream) : r;
}

int hosts_print_connections(const json_t *merged, FILE *stream)
{
    int r = view_connections(merged, NULL, stream);

    print_counts(merged, "", stream);
    return r == 0 ? print_away(merged, stream) : r;
}

/* Why fewer are listed than have ended. */
static void print_not_kept(const json_t *merged, FILE *stream)
{
    const json_t *host, *item;
    size_t i, k;

    json_array_foreach(json_object_get(merged, "hosts"), i, host)
        json_array_foreach(json_object_get(json_object_get(host, "reply"), "not_kept"), k, item)
            table_line(stream,
                       "%s on %s keeps no history: its HISTORICAL_TIME is 0, see dispatcher.cnf(5)",
                       json_string_value(item) ? json_string_value(item) : "",
                       reply_text(host, "host"));
}

int hosts_print_history(const json_t *merged, FILE *stream)
{
    int r = view_history(merged, NULL, stream);

    print_counts(merged, "ended ", stream);
    print_not_kept(merged, stream);
    return r == 0 ? print_away(merged, stream) : r;
}

/* explain */

static int append_sums(json_t *rows, const json_t *sums)
{
    char text[64];
    json_t *sum;
    size_t i;

    json_array_foreach(sums, i, sum) {
        snprintf(text, sizeof(text), "%" PRId64 " %s", reply_number(sum, "hosts"),
                 str_plural((uint64_t)reply_number(sum, "hosts"), "host", "hosts"));
        json_auto_t *row = json_copy(sum);
        if (!row || json_object_set_new(row, "host", json_string(text)) < 0 ||
            json_array_append(rows, row) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* The reply of one host as it was before the rows were put together. */
static json_t *reply_with_rows(const json_t *merged, const json_t *host)
{
    static const char *const lists[] = {"decisions", "trials"};
    json_auto_t *reply = json_copy(json_object_get(host, "reply"));
    json_t *row;
    size_t i;

    for (size_t k = 0; k < ELEMENTSOF(lists); k++) {
        json_auto_t *rows = json_array();

        json_array_foreach(json_object_get(merged, lists[k]), i, row)
            if (strcmp(reply_text(row, "host"), reply_text(host, "host")) == 0 &&
                json_array_append(rows, row) < 0)
                return NULL;
        if (!reply || json_object_set(reply, lists[k], rows) < 0)
            return NULL;
    }
    return json_incref(reply);
}

int hosts_print_explain(const json_t *merged, FILE *stream)
{
    static const struct column columns[] = {
        {{"SERVICE", TABLE_LEFT}, cell_text, "service"},
        {{"ACCEPTED", TABLE_RIGHT}, cell_number, "accepted"},
        {{"REJECTED", TABLE_RIGHT}, cell_number, "rejected"},
        {{"NOW", TABLE_LEFT}, cell_text, "now"},
    };
    json_auto_t *rows = hosts_compare_decisions(merged);
    json_t *host;
    size_t i;

    int r = rows ? append_sums(rows, json_object_get(merged, "sums")) : -ENOMEM;
    if (r == 0)
        r = print_rows(columns, ELEMENTSOF(columns), rows, 0, stream);
    if (r == 0)
        r = print_away(merged, stream);
    json_array_foreach(json_object_get(merged, "hosts"), i, host) {
        if (r < 0 || reply_is_set(host, "error"))
            continue;
        json_auto_t *reply = reply_with_rows(merged, host);
        fputc('\n', stream);
        table_line(stream, "%s:", reply_text(host, "host"));
        r = reply ? view_explain(reply, NULL, stream) : -ENOMEM;
    }
    return r;
}
