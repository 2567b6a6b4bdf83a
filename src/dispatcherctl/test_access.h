/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* dispatcherctl test-access: what PORT_ACCESS says of clients, from the file alone. No daemon is
 * asked, and nobody on the network. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct test_access {
    const char *mappings; /* the file; NULL: the installed one */
    const char *server;   /* the address that clients connect to; NULL: the loopback's */
    const char *port;     /* that they connect to; NULL: 25 */
    const char *callouts; /* what routines answer: "fail" (NULL: the same) or "succeed" */
    bool is_json;
};

/* Tells of each client, on standard output. Returns an exit status: 1 if the file has errors or
 * nothing can be printed, 2 if something that was given is wrong; standard error tells. */
int test_access(const struct test_access *options, char *const clients[], size_t n_clients);
