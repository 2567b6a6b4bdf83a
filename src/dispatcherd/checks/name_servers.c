/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/name_servers.h"

#include "base/time.h"
#include "dispatcherd/report/report.h"
#include "dns/dns_lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long a change of resolv.conf may go unnoticed while clients come. */
#define LOOK_USEC USEC_PER_SEC

const char *name_servers_current(struct name_servers *servers)
{
    if (servers->forced)
        return servers->forced;
    if (servers->configured)
        return servers->configured;
    /* If it cannot be read now, the servers that it named before are asked. */
    (void)resolv_conf_refresh(&servers->host);
    return servers->host.servers;
}

int name_servers_configure(struct name_servers *servers, const struct str_list *configured)
{
    size_t size = 1;
    char *text = NULL;

    for (size_t i = 0; i < configured->n_items; i++)
        size += strlen(configured->items[i]) + 1;
    if (configured->n_items > 0) {
        text = malloc(size);
        if (!text)
            return -ENOMEM;
        struct str_buffer buffer = str_buffer_init(text, size);
        for (size_t i = 0; i < configured->n_items; i++)
            str_buffer_add(&buffer, "%s%s", i > 0 ? "," : "", configured->items[i]);
    }
    free(servers->configured);
    servers->configured = text;
    return 0;
}

static const char *origin_of(const struct name_servers *servers)
{
    if (servers->forced)
        return "--dns-servers";
    return servers->configured ? "DNS_SERVERS" : servers->host.path;
}

void name_servers_follow_now(struct name_servers *servers, struct dns_lists *lists)
{
    const char *current = name_servers_current(servers);

    servers->looked_at = time_now_usec(CLOCK_MONOTONIC);
    if (servers->asked && strcmp(servers->asked, current) == 0)
        return;
    char *copy = strdup(current);
    int r = copy ? dns_lists_set_servers(lists, current) : -ENOMEM;
    if (r < 0) {
        report(LOG_WARNING, &(struct subject){0},
               "cannot use the name servers %s (from %s) for DNS lists: %s; still using %s",
               current, origin_of(servers), strerror(-r), servers->asked ? servers->asked : "none");
        free(copy);
        return;
    }
    report(LOG_NOTICE, &(struct subject){0},
           "now querying DNS lists at other name servers: %s, from %s", current,
           origin_of(servers));
    free(servers->asked);
    servers->asked = copy;
}

void name_servers_follow(struct name_servers *servers, struct dns_lists *lists)
{
    if (!servers->forced && !servers->configured &&
        time_now_usec(CLOCK_MONOTONIC) >= servers->looked_at + LOOK_USEC)
        name_servers_follow_now(servers, lists);
}

void name_servers_clear(struct name_servers *servers)
{
    free(servers->configured);
    free(servers->asked);
    servers->configured = servers->asked = NULL;
}
