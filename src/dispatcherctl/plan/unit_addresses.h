/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Sets of addresses to listen at: those in a socket unit, and those that the daemon has. */
#pragma once

#include "base/address.h"
#include "generator/unit_merge.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Owns its items. All zero is an empty set. An item for which there is no memory is left out. */
struct address_set {
    struct address *items; /* without a scope */
    size_t n_items;
};

/* Adds an address unless the set has it. */
void address_set_add(struct address_set *set, const struct address *address);

/* Adds those of ListenStream=, without paths and other values that are no address. */
void address_set_of_unit(const struct unit_settings *settings, struct address_set *ret);

/* Adds one value of Listen= as systemctl(1) prints it: "[::]:25 (Stream)". */
void address_set_of_listen(const char *listen, struct address_set *ret);

/* Adds those of the listeners of a service in a Services reply, either for TLS_PORT or for PORT;
 * those of all services and both options if `name` is NULL. */
void address_set_of_service(const json_t *services, const char *name, bool is_tls,
                            struct address_set *ret);

bool address_set_has(const struct address_set *set, const struct address *address);
bool address_set_equal(const struct address_set *a, const struct address_set *b);

/* As an array of "ADDRESS:PORT"; NULL when out of memory. */
json_t *address_set_view(const struct address_set *set);

void address_set_clear(struct address_set *set);
