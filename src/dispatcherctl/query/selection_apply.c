/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/query/selection.h"

#include "base/macro.h"
#include "base/str.h"
#include "control_client/reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The members of rows, of whichever list. */

static int64_t row_worker(const json_t *row)
{
    return reply_number(row, reply_is_set(row, "worker_pid") ? "worker_pid" : "pid");
}

static const char *row_state(const json_t *row)
{
    return reply_text(row, reply_is_set(row, "state") ? "state" : "end");
}

static uint64_t row_began(const json_t *row)
{
    uint64_t accepted_at = reply_moment(row, "accepted_at");

    return accepted_at > 0 ? accepted_at : reply_moment(row, "started_at");
}

/* How long it has existed, or did. Parts of a list may be younger than `now`. */
static uint64_t row_age(const json_t *row, uint64_t now)
{
    uint64_t began = row_began(row), ended = reply_moment(row, "ended_at");
    uint64_t until = ended > 0 ? ended : now;

    return began > 0 && until > began ? until - began : 0;
}

/* How long it has waited for a worker, or did. */
static uint64_t row_waited(const json_t *row, uint64_t now)
{
    uint64_t accepted = reply_moment(row, "accepted_at"), handed = reply_moment(row, "handed_at");

    if (accepted > 0 && handed > 0)
        return handed > accepted ? handed - accepted : 0;
    return accepted > 0 ? row_age(row, now) : 0;
}

static struct address row_client(const json_t *row)
{
    const json_t *client = json_object_get(row, "client");
    struct address address = {.family = AF_UNSPEC};

    if (address_parse(reply_text(client, "address"), &address) == 0)
        address.port = (uint16_t)reply_number(client, "port");
    return address;
}

/* Filter */

static bool is_wanted(const struct selection *selection, const json_t *row, uint64_t now)
{
    const bool *is_set = selection->is_set;

    if (is_set[SELECTION_WORKER] && row_worker(row) != selection->worker_pid)
        return false;
    if (is_set[SELECTION_STATE] && strcmp(row_state(row), selection->state) != 0)
        return false;
    if (is_set[SELECTION_USER] && strcmp(reply_text(row, "ident_user"), selection->user) != 0)
        return false;
    if (is_set[SELECTION_OLDER] && row_age(row, now) <= selection->older_usec)
        return false;
    if (is_set[SELECTION_WAITED] && row_waited(row, now) <= selection->waited_usec)
        return false;
    if (is_set[SELECTION_CLIENT]) {
        struct address client = row_client(row);

        return ip_network_contains(&selection->client, &client);
    }
    return true;
}

/* Order */

/* Compared member by member, from the first one. */
struct key {
    uint64_t number;
    const char *text; /* belongs to the row */
    struct address address;
    size_t index;
    json_t *row; /* borrowed */
};

static void key_age(struct key *key, uint64_t now)
{
    key->number = row_age(key->row, now);
}

static void key_waited(struct key *key, uint64_t now)
{
    key->number = row_waited(key->row, now);
}

static void key_queued(struct key *key, _unused_ uint64_t now)
{
    int64_t queued = reply_number(key->row, "queued_usec");

    key->number = queued > 0 ? (uint64_t)queued : 0;
}

/* How long ago it was. */
static void key_ended(struct key *key, uint64_t now)
{
    uint64_t ended = reply_moment(key->row, "ended_at");

    key->number = now > ended ? now - ended : 0;
}

static void key_worker(struct key *key, _unused_ uint64_t now)
{
    int64_t pid = row_worker(key->row);

    key->number = pid > 0 ? (uint64_t)pid : 0;
}

static void key_service(struct key *key, _unused_ uint64_t now)
{
    key->text = reply_text(key->row, "service");
}

static void key_state(struct key *key, _unused_ uint64_t now)
{
    key->text = row_state(key->row);
}

static void key_user(struct key *key, _unused_ uint64_t now)
{
    key->text = reply_text(key->row, "ident_user");
}

static void key_client(struct key *key, _unused_ uint64_t now)
{
    key->address = row_client(key->row);
}

static const struct selection_order {
    const char *name;
    bool is_of_ended_alone;
    void (*set_key)(struct key *key, uint64_t now);
} orders[] = {
    {"age", false, key_age},       {"client", false, key_client},   {"ended", true, key_ended},
    {"queued", false, key_queued}, {"service", false, key_service}, {"state", false, key_state},
    {"user", false, key_user},     {"waited", false, key_waited},   {"worker", false, key_worker},
};

static bool is_order_of(const struct selection_order *order, enum selection_list list)
{
    return !order->is_of_ended_alone || list == LIST_OF_ENDED;
}

const struct selection_order *selection_order_find(const char *name, enum selection_list list)
{
    for (size_t i = 0; i < ELEMENTSOF(orders); i++)
        if (is_order_of(&orders[i], list) && strcmp(orders[i].name, name) == 0)
            return &orders[i];
    return NULL;
}

void selection_order_names(enum selection_list list, char *text, size_t size)
{
    struct str_buffer buffer = str_buffer_init(text, size);

    for (size_t i = 0; i < ELEMENTSOF(orders); i++)
        if (is_order_of(&orders[i], list))
            str_buffer_add(&buffer, "%s%s", i > 0 ? ", " : "", orders[i].name);
}

static int compare_addresses(const struct address *a, const struct address *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    int r = memcmp(a->bytes, b->bytes, sizeof(a->bytes));
    return r != 0 ? r : (int)a->port - (int)b->port;
}

static int compare_keys(const void *a_key, const void *b_key, void *userdata)
{
    const struct selection *selection = userdata;
    const struct key *a = a_key, *b = b_key;
    int r = 0;

    if (a->number != b->number)
        r = a->number < b->number ? -1 : 1;
    if (r == 0)
        r = strcmp(a->text, b->text);
    if (r == 0)
        r = compare_addresses(&a->address, &b->address);
    if (r != 0)
        return selection->is_reversed ? -r : r;
    /* Equal rows keep the daemon's order. */
    return a->index < b->index ? -1 : 1;
}

/* Filter and order */

static size_t collect(const struct selection *selection, const json_t *rows, uint64_t now,
                      struct key *keys)
{
    size_t n = 0, i;
    json_t *row;

    json_array_foreach(rows, i, row) {
        if (!is_wanted(selection, row, now))
            continue;
        keys[n] = (struct key){.row = row, .index = i, .text = ""};
        if (selection->order)
            selection->order->set_key(&keys[n], now);
        n++;
    }
    return n;
}

size_t selection_count(const struct selection *selection, const json_t *rows, uint64_t now)
{
    size_t n = 0, i;
    json_t *row;

    json_array_foreach(rows, i, row)
        n += is_wanted(selection, row, now);
    return n;
}

bool selection_is_of_first(const struct selection *selection)
{
    return selection->is_set[SELECTION_LIMIT] && !selection->order;
}

int selection_apply(const struct selection *selection, json_t *rows, uint64_t now)
{
    if (!json_is_array(rows))
        return 0; /* a daemon of another version */
    size_t n = json_array_size(rows);
    struct key *keys = calloc(n > 0 ? n : 1, sizeof(*keys));
    json_auto_t *wanted = json_array();
    int r = keys && wanted ? 0 : -ENOMEM;

    if (r == 0) {
        n = collect(selection, rows, now, keys);
        if (selection->order)
            qsort_r(keys, n, sizeof(*keys), compare_keys, (void *)selection);
        if (selection->is_set[SELECTION_LIMIT] && n > selection->limit)
            n = selection->limit;
    }
    for (size_t i = 0; r == 0 && i < n; i++)
        r = json_array_append(wanted, keys[i].row) == 0 ? 0 : -ENOMEM;
    free(keys);
    if (r == 0 && (json_array_clear(rows) < 0 || json_array_extend(rows, wanted) < 0))
        r = -ENOMEM;
    return r;
}
