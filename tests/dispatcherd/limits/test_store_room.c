/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "dispatcherd/core/connection_store.h"
#include "dispatcherd/limits/store_room.h"

#include <stdlib.h>
#include <string.h>

/* Services of one name's length, each with so many workers. */
static struct config *make_config(size_t n_services, unsigned max_procs, size_t name_length)
{
    struct config *config = calloc(1, sizeof(*config));
    static uint16_t port[] = {25};

    config->n_services = n_services;
    config->services = calloc(n_services, sizeof(*config->services));
    for (size_t i = 0; i < n_services; i++) {
        char *name = malloc(name_length + 1);

        memset(name, 'x', name_length);
        name[name_length] = '\0';
        config->services[i] = (struct service_options){
            .name = name,
            .unit_name = name,
            .is_enabled = true,
            .max_procs = max_procs,
            .port = {.ports = port, .n_ports = 1},
            .origin = {.file = "dispatcher.cnf", .line = (unsigned)i + 1},
        };
    }
    return config;
}

static void free_config(struct config *config)
{
    for (size_t i = 0; i < config->n_services; i++)
        free(config->services[i].name);
    free(config->services);
    free(config);
}

static size_t n_errors(const struct config *config, size_t max_entries, char *text, size_t size)
{
    struct problem_list problems = {0};

    store_room_check(config, max_entries, PROBLEM_ERROR, &problems);
    size_t n = problems.n_errors;
    if (n > 0)
        problem_format(&problems.items[0], text, size);
    problem_list_clear(&problems);
    return n;
}

START_TEST(test_what_fits_is_no_problem)
{
    char text[1024];

    struct config *config = make_config(3, 1024, 4);
    ck_assert_uint_eq(n_errors(config, 4096, text, sizeof(text)), 0);
    /* How much the store takes is not always known. */
    ck_assert_uint_eq(n_errors(config, 0, text, sizeof(text)), 0);
    free_config(config);
}
END_TEST

START_TEST(test_too_many_workers_are_said_with_what_to_change)
{
    char text[1024];

    struct config *config = make_config(4, 1024, 4);
    config->services[2].origins[OPTION_MAX_PROCS] =
        (struct origin){.file = "dispatcher.cnf", .line = 17};
    config->services[2].max_procs = 1025;
    ck_assert_uint_eq(n_errors(config, 4096, text, sizeof(text)), 1);
    ck_assert_msg(strncmp(text, "dispatcher.cnf:17: error: 4097 workers may run at once", 54) == 0,
                  "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "lower MAX_PROCS, or raise it: systemctl edit "
                                       "dispatcherd.service, [Service], FileDescriptorStoreMax="));
    /* What it says is enough. */
    size_t needed = strtoul(strrchr(text, '=') + 1, NULL, 10);
    ck_assert_uint_eq(n_errors(config, needed, text, sizeof(text)), 0);
    ck_assert_uint_eq(n_errors(config, needed - 1, text, sizeof(text)), 1);
    /* A service that is off has no workers. */
    config->services[0].is_enabled = false;
    ck_assert_uint_eq(n_errors(config, 4096, text, sizeof(text)), 0);
    free_config(config);
}
END_TEST

START_TEST(test_names_that_no_variable_holds_are_said)
{
    char text[1024];

    struct config *config = make_config(4, 1000, 32);
    ck_assert_uint_eq(n_errors(config, 65536, text, sizeof(text)), 1);
    ck_assert_ptr_nonnull(strstr(text, "shorter names"));
    free_config(config);
    config = make_config(4, 1000, 4);
    ck_assert_uint_eq(n_errors(config, 65536, text, sizeof(text)), 0);
    free_config(config);
    config = make_config(256, 1024, 4);
    ck_assert_uint_eq(n_errors(config, 0, text, sizeof(text)), 1);
    free_config(config);
}
END_TEST

START_TEST(test_connections_get_what_workers_leave)
{
    struct config *config = make_config(3, 100, 4);
    const struct store_room room = store_room_needed(config);

    ck_assert_uint_eq(store_room_connections(config, 0), CONNECTIONS_STORED_MAX);
    ck_assert_uint_eq(store_room_connections(config, room.n_entries + 256), CONNECTIONS_STORED_MAX);
    ck_assert_uint_eq(store_room_connections(config, room.n_entries + 10), CHECKS_STORED_MAX + 10);
    ck_assert_uint_eq(store_room_connections(config, room.n_entries - 1), CHECKS_STORED_MAX);
    free_config(config);
    /* As many workers as can be, and the names of as many connections as that leaves room for. */
    config = make_config(4, 1024, 4);
    size_t left = STORE_ROOM_NAME_BYTES - store_room_needed(config).n_name_bytes;
    size_t n = store_room_connections(config, 0) - CHECKS_STORED_MAX;
    ck_assert_uint_le(n * CONNECTION_NAME_BYTES, left);
    ck_assert_uint_lt(n, CONNECTIONS_STORED_MAX - CHECKS_STORED_MAX);
    free_config(config);
}
END_TEST

SUITE("store_room", NULL, NULL, test_what_fits_is_no_problem,
      test_too_many_workers_are_said_with_what_to_change,
      test_names_that_no_variable_holds_are_said, test_connections_get_what_workers_leave)
