/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/stored_name.h"

#include "base/macro.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* To be changed with the form and the meaning of the name. */
#define NAME_VERSION 1

static const char *const kinds[] = {[STORED_CHECK] = "check", [STORED_WAIT] = "wait"};

static void format_address(struct str_buffer *text, const struct address *address)
{
    str_buffer_add(text, ".%x-%x-%x-", address->family, address->port, address->scope_id);
    for (size_t i = 0; i < sizeof(address->bytes); i++)
        str_buffer_add(text, "%02x", address->bytes[i]);
}

const char *stored_name_format(const struct stored_name *name, char text[STORE_NAME_MAX])
{
    struct str_buffer buffer = str_buffer_init(text, STORE_NAME_MAX);

    str_buffer_add(&buffer, "%s.%d.%s.%" PRIx64 ".%d", kinds[name->kind], NAME_VERSION,
                   name->unit_name, name->id, name->is_tls);
    format_address(&buffer, &name->peer);
    format_address(&buffer, &name->local);
    if (name->kind == STORED_WAIT)
        str_buffer_add(&buffer, ".%" PRIx64, name->accepted_at);
    return text;
}

static bool parse_address(const char *text, struct address *ret)
{
    char bytes[2 * sizeof(ret->bytes) + 1];
    unsigned family, port, scope_id;
    int end = 0;

    if (sscanf(text, "%4x-%4x-%8x-%32[0-9a-f]%n", &family, &port, &scope_id, bytes, &end) != 4 ||
        text[end] != '\0' || strlen(bytes) != sizeof(bytes) - 1)
        return false;
    if (family != AF_INET && family != AF_INET6 && family != AF_UNIX && family != AF_UNSPEC)
        return false;
    *ret =
        (struct address){.family = (uint16_t)family, .port = (uint16_t)port, .scope_id = scope_id};
    for (size_t i = 0; i < sizeof(ret->bytes); i++) {
        const char digits[3] = {bytes[2 * i], bytes[2 * i + 1], '\0'};
        ret->bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return true;
}

/* Returns what follows the kind and its dot, or NULL. */
static const char *parse_kind(const char *text, enum stored_kind *ret)
{
    for (unsigned kind = 0; kind < ELEMENTSOF(kinds); kind++) {
        size_t length = strlen(kinds[kind]);

        if (strncmp(text, kinds[kind], length) == 0 && text[length] == '.') {
            *ret = (enum stored_kind)kind;
            return text + length + 1;
        }
    }
    return NULL;
}

bool stored_name_is_ours(const char *text)
{
    enum stored_kind kind;

    return parse_kind(text, &kind) != NULL;
}

bool stored_name_parse(const char *text, struct stored_name *ret)
{
    char peer[64], local[64], again[STORE_NAME_MAX];
    struct stored_name name = {0};
    unsigned version, tls;
    const char *fields = strlen(text) < STORE_NAME_MAX ? parse_kind(text, &name.kind) : NULL;

    if (!fields ||
        sscanf(fields,
               "%9u.%" SERVICE_NAME_MAX_TEXT "[^.].%16" SCNx64 ".%1u.%63[^.].%63[^.].%16" SCNx64,
               &version, name.unit_name, &name.id, &tls, peer, local, &name.accepted_at) < 6)
        return false;
    name.is_tls = tls == 1;
    if (version != NAME_VERSION || !parse_address(peer, &name.peer) ||
        !parse_address(local, &name.local))
        return false;
    /* The name under which we would store it must be the one that it has. */
    if (strcmp(stored_name_format(&name, again), text) != 0)
        return false;
    *ret = name;
    return true;
}
