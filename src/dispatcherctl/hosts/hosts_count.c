/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/hosts/hosts_count.h"

#include "base/str.h"
#include "control_client/reply.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static json_t *find_count(json_t *counts, const char *host, const char *service)
{
    json_t *count;
    size_t i;

    json_array_foreach(counts, i, count)
        if (str_equal_nocase(reply_text(count, "service"), service) &&
            (!host || strcmp(reply_text(count, "host"), host) == 0))
            return count;
    return NULL;
}

/* The count of the service on the host (NULL: on all), which is made if there is none yet. */
static json_t *need_count(json_t *counts, const char *host, const char *service)
{
    json_t *count = find_count(counts, host, service);

    if (count)
        return count;
    count = json_pack("{s:s*, s:s}", "host", host, "service", service);
    return count && json_array_append_new(counts, count) == 0 ? count : NULL;
}

static int count_one(json_t *count, const char *name)
{
    return !count ||
                   json_object_set_new(count, name, json_integer(reply_number(count, name) + 1)) < 0
               ? -ENOMEM
               : 0;
}

/* Rows are grouped by host: a new one is another host than that of the service's last row. */
static int count_host(json_t *count, const json_t *row)
{
    if (!count || strcmp(reply_text(count, "last"), reply_text(row, "host")) == 0)
        return count ? 0 : -ENOMEM;
    if (json_object_set(count, "last", json_object_get(row, "host")) < 0)
        return -ENOMEM;
    return count_one(count, "hosts");
}

static json_t *finish_counts(json_t *counts, int r, const char *const names[])
{
    json_t *count;
    size_t i;

    json_array_foreach(counts, i, count) {
        json_object_del(count, "last");
        for (size_t k = 0; names[k]; k++)
            if (!json_object_get(count, names[k]))
                r |= json_object_set_new(count, names[k], json_integer(0));
    }
    return r == 0 ? json_incref(counts) : NULL;
}

/* Counts the rows of one host, by service. */
static int count_rows_of(json_t *counts, const json_t *rows, const char *host, const char *name)
{
    const json_t *row;
    size_t i;
    int r = 0;

    json_array_foreach(rows, i, row) {
        if (strcmp(reply_text(row, "host"), host) != 0)
            continue;
        json_t *count = need_count(counts, NULL, reply_text(row, "service"));
        r = count_host(count, row);
        if (r == 0)
            r = count_one(count, name);
        if (r < 0)
            break;
    }
    return r;
}

json_t *hosts_sum_rows(const json_t *merged, const char *const lists[],
                       const struct selection *selection)
{
    const char *names[HOSTS_SUM_LISTS_MAX + 2] = {"hosts"};
    json_auto_t *counts = json_array();
    json_t *host;
    size_t i, k;
    int r = 0;

    for (k = 0; lists[k]; k++) {
        assert(k < HOSTS_SUM_LISTS_MAX);
        names[k + 1] = lists[k];
    }
    if (selection->is_set[SELECTION_LIMIT])
        return json_incref(counts);
    /* The rows may be sorted by something else. */
    json_array_foreach(json_object_get(merged, "hosts"), i, host)
        for (k = 0; lists[k] && r == 0; k++)
            r = count_rows_of(counts, json_object_get(merged, lists[k]), reply_text(host, "host"),
                              lists[k]);
    return finish_counts(counts, r, names);
}

static const char *const decision_names[] = {"hosts", "accepted", "rejected", NULL};

static const char *verdict_name(const json_t *row)
{
    return strcmp(reply_text(row, "verdict"), "reject") == 0 ? "rejected" : "accepted";
}

json_t *hosts_sum_decisions(const json_t *merged)
{
    json_auto_t *counts = json_array();
    json_t *row;
    size_t i;
    int r = 0;

    json_array_foreach(json_object_get(merged, "decisions"), i, row) {
        json_t *count = need_count(counts, NULL, reply_text(row, "service"));

        if (r == 0)
            r = count_host(count, row);
        if (r == 0)
            r = count_one(count, verdict_name(row));
    }
    return finish_counts(counts, r, decision_names);
}

/* What a connection now would be: "accepted", "rejected", or "depends" on the socket. */
static int note_trial(json_t *count, const json_t *trial)
{
    const char *verdict = verdict_name(trial), *old = reply_text(count, "now");

    if (!count)
        return -ENOMEM;
    if (old[0] && strcmp(old, verdict) != 0)
        verdict = "depends";
    return json_object_set_new(count, "now", json_string(verdict)) < 0 ? -ENOMEM : 0;
}

json_t *hosts_compare_decisions(const json_t *merged)
{
    json_auto_t *counts = json_array();
    json_t *row;
    size_t i;
    int r = 0;

    json_array_foreach(json_object_get(merged, "trials"), i, row)
        r |= note_trial(need_count(counts, reply_text(row, "host"), reply_text(row, "service")),
                        row);
    json_array_foreach(json_object_get(merged, "decisions"), i, row)
        r |= count_one(need_count(counts, reply_text(row, "host"), reply_text(row, "service")),
                       verdict_name(row));
    return finish_counts(counts, r, decision_names);
}
