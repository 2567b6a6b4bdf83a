/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/inetd/environment.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OWN_MAX = 9,       /* variables of ours */
    OWN_BYTES_MAX = 96 /* of one: a name and an address, a port or an identifier */
};

struct block {
    char **items;
    size_t n_items;
    char *end;
};

static void add(struct block *block, const char *format, ...) _printf_(2, 3);

static void add(struct block *block, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int n = vsnprintf(block->end, OWN_BYTES_MAX, format, arguments);
    va_end(arguments);
    block->items[block->n_items++] = block->end;
    block->end += n < OWN_BYTES_MAX ? n + 1 : OWN_BYTES_MAX;
}

/* UCSPI's, for TCP (ucspi-tcp's environment), and those of systemd.socket(5), Accept=. */
static void add_addresses(struct block *block, const struct command_facts *facts)
{
    add(block, "PROTO=TCP");
    add(block, "TCPREMOTEIP=%s", facts->client_host);
    add(block, "TCPREMOTEPORT=%u", facts->client_port);
    add(block, "TCPLOCALIP=%s", facts->local_host);
    add(block, "TCPLOCALPORT=%u", facts->local_port);
    add(block, "REMOTE_ADDR=%s", facts->client_host);
    add(block, "REMOTE_PORT=%u", facts->client_port);
}

char **environment_make(const struct command_facts *facts, bool is_unix,
                        const struct str_list *added)
{
    size_t n_items = OWN_MAX + added->n_items + 1;
    struct block block = {
        .items = malloc(n_items * sizeof(char *) + (size_t)OWN_MAX * OWN_BYTES_MAX),
    };

    if (!block.items)
        return NULL;
    block.end = (char *)(block.items + n_items);
    if (is_unix)
        add(&block, "PROTO=UNIX");
    else
        add_addresses(&block, facts);
    add(&block, "DISPATCHER_CONNECTION=%s", facts->connection_id);
    add(&block, "DISPATCHER_SERVICE=%s", facts->service);
    for (size_t i = 0; i < added->n_items; i++)
        block.items[block.n_items++] = added->items[i];
    block.items[block.n_items] = NULL;
    return block.items;
}
