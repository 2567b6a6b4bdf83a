/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/inetd/environment.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OWN_MAX = 14,       /* variables of ours */
    OWN_BYTES_MAX = 320 /* of one: a name and a value, the longest of which is a host's name */
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
    if (facts->identity[0])
        add(block, "TCPREMOTEINFO=%s", facts->identity);
    add(block, "REMOTE_ADDR=%s", facts->client_host);
    add(block, "REMOTE_PORT=%u", facts->client_port);
}

/* Of a certificate as tls_peer_cert_hash(3) of LibreSSL has it. */
static void add_tls(struct block *block, const struct tls_facts *tls)
{
    add(block, "SSL_PROTOCOL=%s", tls->protocol);
    add(block, "SSL_CIPHER=%s", tls->cipher);
    if (tls->server_name[0])
        add(block, "SSL_TLS_SNI_SERVERNAME=%s", tls->server_name);
    if (tls->digest[0])
        add(block, "SSL_PEER_CERT_HASH=SHA256:%s", tls->digest);
}

char **environment_make(const struct command_facts *facts, bool is_unix,
                        const struct tls_facts *tls, const struct str_list *added)
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
    if (tls)
        add_tls(&block, tls);
    add(&block, "DISPATCHER_CONNECTION=%s", facts->connection_id);
    add(&block, "DISPATCHER_SERVICE=%s", facts->service);
    for (size_t i = 0; i < added->n_items; i++)
        block.items[block.n_items++] = added->items[i];
    block.items[block.n_items] = NULL;
    return block.items;
}
