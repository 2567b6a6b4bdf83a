/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "libdispatcher/welcome.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int read_string(const struct message *message, const char *name, char **ret)
{
    const char *text = message_find_text(message, name);

    if (!text)
        return -EBADMSG;
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

static int read_parameters(const struct message *message, struct str_list *ret)
{
    static const char name[] = "PARAMETER=";

    for (const char *s = message_next_text(message, NULL); s; s = message_next_text(message, s)) {
        if (strncmp(s, name, sizeof(name) - 1) != 0)
            continue;
        int r = str_list_append(ret, s + sizeof(name) - 1);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_all(const struct message *message, struct welcome *welcome)
{
    const struct {
        const char *name;
        uint32_t min, max;
        uint32_t *place;
    } numbers[] = {
        {"SLOT", 0, UINT32_MAX, &welcome->slot},
        {"MAX_CONNS", 1, MESSAGE_IDS_MAX, &welcome->max_connections},
        {"STACKSIZE", 0, UINT32_MAX, &welcome->stacksize_bytes},
        {"DEBUG", 0, UINT32_MAX, &welcome->debug},
        {"DRAIN_LIMIT", 0, UINT32_MAX, &welcome->drain_limit_sec},
        {"RING", 1, UINT32_MAX, &welcome->n_ring_entries},
    };
    uint32_t version;
    int r = message_find_number(message, "VERSION", 0, UINT32_MAX, &version);

    if (r < 0)
        return r;
    if (version != PROTOCOL_VERSION)
        return -EPROTO;
    for (size_t i = 0; i < ELEMENTSOF(numbers) && r == 0; i++)
        r = message_find_number(message, numbers[i].name, numbers[i].min, numbers[i].max,
                                numbers[i].place);
    if (r == 0)
        r = read_string(message, "SERVICE", &welcome->service);
    if (message_find_number(message, "ALERT", 1, 1, &welcome->knows_alert) < 0)
        welcome->knows_alert = 0;
    if (message_find_number(message, "OUTCOME", 1, 1, &welcome->knows_outcomes) < 0)
        welcome->knows_outcomes = 0;
    if (message_find_number(message, "TLS", 1, 1, &welcome->knows_tls) < 0)
        welcome->knows_tls = 0;
    if (message_find_number(message, "PUT_BACK", 1, 1, &welcome->knows_put_back) < 0)
        welcome->knows_put_back = 0;
    if (r == 0)
        r = read_string(message, "HOST_NAME", &welcome->host_name);
    if (r == 0)
        r = read_parameters(message, &welcome->parameters);
    return r;
}

int welcome_read(const struct message *message, struct welcome *ret)
{
    struct welcome welcome = {0};
    int r = read_all(message, &welcome);

    if (r < 0)
        welcome_clear(&welcome);
    else
        *ret = welcome;
    return r;
}

void welcome_clear(struct welcome *welcome)
{
    free(welcome->service);
    free(welcome->host_name);
    str_list_clear(&welcome->parameters);
    *welcome = (struct welcome){0};
}
