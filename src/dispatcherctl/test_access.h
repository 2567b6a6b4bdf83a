/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* dispatcherctl test-access: tests PORT_ACCESS for some clients, from the file alone. It asks
 * neither the daemon nor the network. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct test_access {
    const char *mappings; /* the file; NULL: the installed one */
    const char *server;   /* the address that clients connect to; NULL: the loopback's */
    const char *port;     /* that clients connect to; NULL: 25 */
    const char *callouts; /* what routines return: "fail" (NULL: the same) or "succeed" */
    bool is_json;
};

/* Prints the verdict about each client on standard output. Returns an exit status: 1 if the file
 * has errors or nothing can be printed, 2 if an argument is invalid; standard error has the reason.
 */
int test_access(const struct test_access *options, char *const clients[], size_t n_clients);
