/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which rows of a list are wanted, in which order, and how many: of connections, and of connections
 * and workers that have ended.
 *
 * The rows are selected here and not in the daemon, which has clients to serve; a list of thousands
 * takes some milliseconds. */
#pragma once

#include "files/networks.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The lists; each has states and orders of its own. */
enum selection_list {
    NO_LIST,
    LIST_OF_CONNECTIONS,
    LIST_OF_ENDED,
};

enum selection_option {
    SELECTION_WORKER,
    SELECTION_CLIENT,
    SELECTION_STATE,
    SELECTION_USER,
    SELECTION_OLDER,
    SELECTION_WAITED,
    SELECTION_SORT,
    SELECTION_LIMIT,
    N_SELECTION_OPTIONS,
};

struct selection {
    bool is_set[N_SELECTION_OPTIONS];
    int64_t worker_pid;
    struct ip_network client;
    const char *state, *user; /* as on the command line */
    uint64_t older_usec, waited_usec;
    const struct selection_order *order;
    bool is_reversed;
    size_t limit; /* rows */
};

/* Room for the reason why a text is invalid, with its NUL. */
#define SELECTION_REASON_MAX 320

/* The name without its dashes. */
const char *selection_option_name(enum selection_option option);

/* Reads the options as they were typed; NULL: not given. Returns 0; or -EINVAL with `reason`, a
 * sentence without its full stop. */
int selection_parse(const char *const texts[N_SELECTION_OPTIONS], enum selection_list list,
                    struct selection *ret, char reason[SELECTION_REASON_MAX]);

/* How many rows of a part of the list are wanted, the limit aside. */
size_t selection_count(const struct selection *selection, const json_t *rows, uint64_t now);

/* The first rows that are wanted are all that is: those behind them need not be known. */
bool selection_is_of_first(const struct selection *selection);

/* Leaves in an array of rows what is wanted. A row that lacks what is asked about is not. `now` is
 * that of the reply. Returns 0, or -ENOMEM with the array as it was, or empty. */
int selection_apply(const struct selection *selection, json_t *rows, uint64_t now);

/* The order of that name, or NULL. */
const struct selection_order *selection_order_find(const char *name, enum selection_list list);

/* The names of a list's orders, joined by ", ". */
void selection_order_names(enum selection_list list, char *text, size_t size);
