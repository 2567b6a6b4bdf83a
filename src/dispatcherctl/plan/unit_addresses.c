/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/plan/unit_addresses.h"

#include "base/str.h"
#include "control_client/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ADDRESS_WORD_MAX 128

void address_set_add(struct address_set *set, const struct address *address)
{
    if (address_set_has(set, address))
        return;
    struct address *items = reallocarray(set->items, set->n_items + 1, sizeof(*items));
    if (!items)
        return;
    set->items = items;
    items[set->n_items] = *address;
    items[set->n_items++].scope_id = 0;
}

static bool parse_port(const char *text, uint16_t *ret)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);

    if (end == text || *end || port == 0 || port > UINT16_MAX)
        return false;
    *ret = (uint16_t)port;
    return true;
}

/* Reads "25", "192.0.2.1:25", "[2001:db8::1]:25", "[fe80::1]:25%eth0" (systemd.socket(5)). A port
 * alone means all IPv6 addresses, and all IPv4 addresses with them. */
static bool parse(const char *value, struct address *ret)
{
    char text[ADDRESS_WORD_MAX];
    uint16_t port;

    if (value[0] == '/' || value[0] == '@' || strlen(value) >= sizeof(text))
        return false;
    strcpy(text, value);
    text[strcspn(text, "%")] = '\0';
    char *colon = strrchr(text, ':');
    if (!parse_port(colon ? colon + 1 : text, &port))
        return false;
    *ret = (struct address){.family = AF_INET6};
    if (colon) {
        *colon = '\0';
        if (address_parse(text, ret) < 0)
            return false;
    }
    ret->port = port;
    return true;
}

void address_set_of_unit(const struct unit_settings *settings, struct address_set *ret)
{
    struct address address;

    for (size_t i = 0; i < settings->n_items; i++)
        if (strcmp(settings->items[i].section, "Socket") == 0 &&
            strcmp(settings->items[i].key, "ListenStream") == 0 &&
            parse(settings->items[i].value, &address))
            address_set_add(ret, &address);
}

void address_set_of_listen(const char *listen, struct address_set *ret)
{
    char text[ADDRESS_WORD_MAX];
    struct address address;

    snprintf(text, sizeof(text), "%s", listen);
    text[strcspn(text, " ")] = '\0';
    if (parse(text, &address))
        address_set_add(ret, &address);
}

static void add_listener(const json_t *listener, struct address_set *ret)
{
    char text[ADDRESS_WORD_MAX];
    struct address address;

    snprintf(text, sizeof(text), "%s", reply_text(listener, "address"));
    text[strcspn(text, "%")] = '\0';
    if (address_parse(text, &address) < 0)
        return;
    address.port = (uint16_t)reply_number(listener, "port");
    address_set_add(ret, &address);
}

void address_set_of_service(const json_t *services, const char *name, bool is_tls,
                            struct address_set *ret)
{
    const json_t *service, *listener;
    size_t i, k;

    json_array_foreach(services, i, service) {
        if (name && !str_equal_nocase(reply_text(service, "name"), name))
            continue;
        json_array_foreach(json_object_get(service, "listeners"), k, listener)
            if (!name || reply_is_true(listener, "is_tls") == is_tls)
                add_listener(listener, ret);
    }
}

bool address_set_has(const struct address_set *set, const struct address *address)
{
    for (size_t i = 0; i < set->n_items; i++)
        if (set->items[i].family == address->family && set->items[i].port == address->port &&
            memcmp(set->items[i].bytes, address->bytes, sizeof(address->bytes)) == 0)
            return true;
    return false;
}

bool address_set_equal(const struct address_set *a, const struct address_set *b)
{
    if (a->n_items != b->n_items)
        return false;
    for (size_t i = 0; i < a->n_items; i++)
        if (!address_set_has(b, &a->items[i]))
            return false;
    return true;
}

json_t *address_set_view(const struct address_set *set)
{
    char text[ADDRESS_TEXT_MAX];
    json_t *array = json_array();

    for (size_t i = 0; array && i < set->n_items; i++)
        if (json_array_append_new(array, json_string(address_format(&set->items[i], text))) < 0) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

void address_set_clear(struct address_set *set)
{
    free(set->items);
    *set = (struct address_set){0};
}
