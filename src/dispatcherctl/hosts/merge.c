/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/hosts/merge.h"

#include "base/str.h"
#include "control_client/reply.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_timestamp(const json_t *value)
{
    return json_object_size(value) == 2 && json_is_integer(json_object_get(value, "realtime")) &&
           json_is_integer(json_object_get(value, "monotonic"));
}

/* Numbers of a host that lies may be any: no sum of them wraps around. */
static int64_t add_saturated(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

static int64_t subtract_saturated(int64_t a, int64_t b)
{
    int64_t difference;

    if (__builtin_sub_overflow(a, b, &difference))
        return b < 0 ? INT64_MAX : INT64_MIN;
    return difference;
}

/* Adds `shift` to every monotonic time. Replies are a few levels deep; `depth` bounds those of a
 * stranger. */
static void shift_times(json_t *value, int64_t shift, unsigned depth)
{
    const char *key;
    json_t *item;
    size_t i;

    if (depth == 0)
        return;
    if (is_timestamp(value)) {
        item = json_object_get(value, "monotonic");
        json_integer_set(item, add_saturated(json_integer_value(item), shift));
        return;
    }
    json_object_foreach(value, key, item)
        shift_times(item, shift, depth - 1);
    json_array_foreach(value, i, item)
        shift_times(item, shift, depth - 1);
}

/* Moves the rows of one host's list to that of all, each with the host as its first member, which
 * no host can say for another. */
static int move_rows(json_t *reply, const char *host, const char *list, json_t *all)
{
    json_t *rows = json_object_get(reply, list), *row;
    size_t i;

    json_array_foreach(rows, i, row) {
        json_auto_t *whole = json_pack("{s:s}", "host", host);

        if (!whole || (json_is_object(row) && json_object_update_missing(whole, row) < 0) ||
            json_array_append(all, whole) < 0)
            return -ENOMEM;
    }
    json_object_del(reply, list);
    return 0;
}

static int add_host(json_t *merged, struct gathered *answer, const char *const lists[])
{
    json_t *reply = answer->reply ? answer->reply : json_null();
    json_t *error = answer->reply ? json_null() : json_string(answer->reason);
    int r = 0;

    answer->reply = NULL;
    for (size_t i = 0; lists[i] && r == 0; i++)
        r = move_rows(reply, answer->host, lists[i], json_object_get(merged, lists[i]));
    json_t *host =
        json_pack("{s:s, s:o, s:o}", "host", answer->host, "error", error, "reply", reply);
    if (!host || json_array_append_new(json_object_get(merged, "hosts"), host) < 0)
        r = -ENOMEM;
    return r;
}

/* The reply with the latest "now": shifts are not negative, and no time becomes negative. */
static const json_t *find_now(const struct gathered answers[], size_t n)
{
    const json_t *found = NULL;
    int64_t latest = -1;

    for (size_t i = 0; i < n; i++) {
        const json_t *now = json_object_get(answers[i].reply, "now");

        if (is_timestamp(now) && reply_number(now, "monotonic") > latest) {
            latest = reply_number(now, "monotonic");
            found = now;
        }
    }
    return found;
}

int merge(struct gathered answers[], size_t n, const char *const lists[], json_t **ret)
{
    json_auto_t *now = json_deep_copy(find_now(answers, n));
    json_auto_t *merged = json_pack("{s:O?, s:[]}", "now", now, "hosts");
    int r = merged ? 0 : -ENOMEM;

    for (size_t i = 0; lists[i] && r == 0; i++)
        if (json_object_set_new(merged, lists[i], json_array()) < 0)
            r = -ENOMEM;
    for (size_t i = 0; i < n && r == 0; i++) {
        const json_t *own = json_object_get(answers[i].reply, "now");

        if (is_timestamp(own))
            shift_times(
                answers[i].reply,
                subtract_saturated(reply_number(now, "monotonic"), reply_number(own, "monotonic")),
                16);
        r = add_host(merged, &answers[i], lists);
    }
    gathered_clear(answers, n);
    if (r == 0)
        *ret = json_incref(merged);
    return r;
}

/* Sums */

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A number of hours, and a time limit: the hosts have them side by side. */
static bool is_no_count(const char *key)
{
    return strcmp(key, "n_completed") == 0 || strcmp(key, "passed_on_within_usec") == 0;
}

static bool is_extreme(const char *key)
{
    return starts_with(key, "min") || starts_with(key, "max");
}

static void add_integer(const char *key, json_t *sum, const json_t *value)
{
    int64_t a = json_integer_value(sum), b = json_integer_value(value);

    if (starts_with(key, "min"))
        json_integer_set(sum, a < b ? a : b);
    else if (starts_with(key, "max") || is_no_count(key))
        json_integer_set(sum, a > b ? a : b);
    else
        json_integer_set(sum, add_saturated(a, b));
}

static int add_object(json_t *sum, const json_t *row, const char *const left_out[]);

/* A member that both have. Returns 0 or -ENOMEM. */
static int add_member(const char *key, json_t *sum, json_t *old, const json_t *value)
{
    static const char *const none[] = {NULL};

    if (json_is_null(value))
        return 0;
    if (json_is_null(old))
        return json_object_set_new(sum, key, json_deep_copy(value));
    if (is_timestamp(old) && is_timestamp(value))
        return reply_number(value, "monotonic") < reply_number(old, "monotonic")
                   ? json_object_set_new(sum, key, json_deep_copy(value))
                   : 0;
    if (json_is_object(old) && json_is_object(value))
        return add_object(old, value, none);
    if (json_is_integer(old) && json_is_integer(value))
        add_integer(key, old, value);
    else if (json_is_boolean(old) && json_is_boolean(value))
        return json_object_set_new(sum, key,
                                   json_boolean(json_is_true(old) && json_is_true(value)));
    else if (json_is_string(old) && !json_equal(old, value))
        return json_string_set(old, "");
    return 0;
}

/* The average of a span is that of its sum; of what has no sum, that of the hosts, of which the sum
 * has n_hosts already. */
static int add_averages(json_t *sum, const json_t *row, json_int_t n_hosts)
{
    json_t *average = json_object_get(sum, "average");
    int64_t n = reply_number(sum, "n");

    if (json_is_real(average)) {
        double other = json_number_value(json_object_get(row, "average"));
        double all = json_real_value(average) * (double)n_hosts + other;

        json_real_set(average, all / (double)(n_hosts + 1));
    }
    if (json_object_get(sum, "sum_usec") && n > 0)
        return json_object_set_new(sum, "average_usec",
                                   json_integer(reply_number(sum, "sum_usec") / n));
    return 0;
}

/* A span of which nothing was counted yet has no extremes. */
static bool is_empty_span(const json_t *object)
{
    return json_object_get(object, "sum_usec") && reply_number(object, "n") == 0;
}

/* Before its first hour is over a service has no hourly extremes, but it counts. */
static bool has_no_extremes(const json_t *object)
{
    return json_object_get(object, "n_completed") && reply_number(object, "n_completed") == 0;
}

static bool is_left_out(const char *key, const char *const left_out[])
{
    for (size_t i = 0; left_out[i]; i++)
        if (strcmp(key, left_out[i]) == 0)
            return true;
    return false;
}

static int add_object(json_t *sum, const json_t *row, const char *const left_out[])
{
    /* The number of hours of the sum changes below. */
    const bool keeps_extremes = has_no_extremes(row), takes_extremes = has_no_extremes(sum);
    json_t *value;
    const char *key;

    if (is_empty_span(row))
        return 0;
    if (is_empty_span(sum))
        return json_object_clear(sum) < 0 ? -ENOMEM : json_object_update(sum, (json_t *)row);
    json_object_foreach((json_t *)row, key, value) {
        json_t *old = json_object_get(sum, key);
        int r = 0;

        if (is_left_out(key, left_out) || (keeps_extremes && is_extreme(key)))
            continue;
        if (!old || (takes_extremes && is_extreme(key)))
            r = json_object_set_new(sum, key, json_deep_copy(value));
        else if (strcmp(key, "average") != 0 && strcmp(key, "average_usec") != 0)
            r = add_member(key, sum, old, value);
        if (r < 0)
            return -ENOMEM;
    }
    return 0;
}

static json_t *find_sum(const json_t *sums, const char *key, const char *name)
{
    json_t *sum;
    size_t i;

    json_array_foreach(sums, i, sum)
        if (str_equal_nocase(reply_text(sum, key), name))
            return sum;
    return NULL;
}

/* The averages of the members of `sum` and its statistics. */
static int average_members(json_t *sum, const json_t *row, json_int_t n_hosts)
{
    const char *key;
    json_t *value;

    json_object_foreach(sum, key, value)
        if (json_is_object(value) && !is_timestamp(value)) {
            const json_t *other = json_object_get(row, key);
            int r = add_averages(value, other, n_hosts);

            if (r == 0 && strcmp(key, "statistics") == 0)
                r = average_members(value, other, n_hosts);
            if (r < 0)
                return r;
        }
    return 0;
}

static json_t *new_sum(const json_t *row, const char *const left_out[])
{
    json_auto_t *sum = json_deep_copy(row);

    for (size_t i = 0; sum && left_out[i]; i++)
        json_object_del(sum, left_out[i]);
    json_object_del(sum, "host");
    if (!sum || json_object_set_new(sum, "hosts", json_integer(0)) < 0)
        return NULL;
    return json_incref(sum);
}

json_t *merge_sums(const json_t *rows, const char *name, const char *const left_out[])
{
    json_auto_t *sums = json_array();
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) {
        json_t *sum = find_sum(sums, name, reply_text(row, name));
        json_int_t n_hosts = reply_number(sum, "hosts");
        int r = 0;

        if (!sum) {
            sum = new_sum(row, left_out);
            if (!sum || json_array_append_new(sums, sum) < 0)
                return NULL;
        } else {
            /* The name is that of the first host, whose case may differ. */
            json_auto_t *other = json_deep_copy(row);

            json_object_del(other, name);
            json_object_del(other, "host");
            r = other ? add_object(sum, other, left_out) : -ENOMEM;
            if (r == 0)
                r = average_members(sum, other, n_hosts);
        }
        if (r < 0 || json_object_set_new(sum, "hosts", json_integer(n_hosts + 1)) < 0)
            return NULL;
    }
    return json_incref(sums);
}
