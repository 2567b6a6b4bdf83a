/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "config/changes.h"

#include "config/option_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Removes "NAME=" from each line, and the last line feed. */
static void drop_names(char *text, size_t name_length)
{
    char *to = text;

    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");

        if (to != text)
            *to++ = '\n';
        if (length > name_length) {
            memmove(to, line + name_length + 1, length - name_length - 1);
            to += length - name_length - 1;
        }
        line += length + (line[length] == '\n');
    }
    *to = '\0';
}

/* The values of an option, one a line, to be freed; "" if it is not set; NULL when out of memory.
 */
static char *text_of(const struct option *option, const void *place)
{
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);

    if (!stream)
        return NULL;
    option->type->print(option->name, place, stream);
    if (fclose(stream) != 0) {
        free(text);
        return NULL;
    }
    drop_names(text, strlen(option->name));
    return text;
}

/* Takes ownership of both texts. */
static int add(struct config_changes *changes, const struct config_change *change)
{
    struct config_change *items =
        reallocarray(changes->items, changes->n_items + 1, sizeof(*items));

    if (items)
        changes->items = items;
    if (!items || !change->from || !change->to) {
        free(change->from);
        free(change->to);
        return -ENOMEM;
    }
    items[changes->n_items++] = *change;
    return 0;
}

/* `from` is NULL if there was no such service. */
static int compare(struct config_changes *changes, enum option_id id, const char *service,
                   const void *from, const void *to, const struct origin *origin)
{
    const struct option *option = &option_table[id];
    struct config_change change = {
        .service = service,
        .option = option->name,
        .from = from ? text_of(option, from) : strdup(""),
        .to = text_of(option, to),
        .origin = *origin,
    };

    if (change.from && change.to && strcmp(change.from, change.to) == 0) {
        free(change.from);
        free(change.to);
        return 0;
    }
    return add(changes, &change);
}

static int compare_services(struct config_changes *changes, const struct service_options *from,
                            const struct service_options *to)
{
    int r = 0;

    for (enum option_id id = 0; id < N_OPTIONS && r == 0; id++) {
        const struct option *option = &option_table[id];

        if (!(option->scopes & SCOPE_SERVICE) || (!from && !to->origins[id].file))
            continue;
        r = compare(changes, id, to->name, from ? option_place_const(option, from) : NULL,
                    option_place_const(option, to), &to->origins[id]);
    }
    return r;
}

static int compare_daemons(struct config_changes *changes, const struct config *from,
                           const struct config *to)
{
    int r = compare(changes, OPTION_DEBUG, NULL, &from->debug, &to->debug, &to->debug_origin);

    if (r == 0)
        r = compare(changes, OPTION_DNS_SERVERS, NULL, &from->dns_servers, &to->dns_servers,
                    &to->dns_servers_origin);
    if (r == 0)
        r = compare(changes, OPTION_FLEET, NULL, &from->fleet, &to->fleet, &to->fleet_origin);
    if (r == 0)
        r = compare(changes, OPTION_FLEET_ADDRESSES, NULL, &from->fleet_addresses,
                    &to->fleet_addresses, &to->fleet_addresses_origin);
    if (r == 0)
        r = compare(changes, OPTION_FLEET_NAME, NULL, &from->fleet_name, &to->fleet_name,
                    &to->fleet_name_origin);
    if (r == 0)
        r = compare(changes, OPTION_FLEET_WAIT, NULL, &from->fleet_wait_msec, &to->fleet_wait_msec,
                    &to->fleet_wait_origin);
    if (r == 0)
        r = compare(changes, OPTION_HISTORICAL_TIME, NULL, &from->historical_time_sec,
                    &to->historical_time_sec, &to->historical_time_origin);
    if (r == 0)
        r = compare(changes, OPTION_LOGFILE, NULL, &from->logfile, &to->logfile,
                    &to->logfile_origin);
    if (r == 0)
        r = compare(changes, OPTION_RECORD, NULL, &from->record, &to->record, &to->record_origin);
    return r;
}

const struct service_options *config_find_enabled(const struct config *config, const char *name)
{
    const struct service_options *service = config_find_service(config, name);

    return service && service->is_enabled ? service : NULL;
}

int config_changes_find(const struct config *from, const struct config *to,
                        struct config_changes *ret)
{
    struct config_changes changes = {0};
    int r = compare_daemons(&changes, from, to);

    for (size_t i = 0; i < to->n_services && r == 0; i++)
        if (to->services[i].is_enabled)
            r = compare_services(&changes, config_find_enabled(from, to->services[i].name),
                                 &to->services[i]);
    if (r < 0)
        config_changes_clear(&changes);
    else
        *ret = changes;
    return r;
}

void config_changes_clear(struct config_changes *changes)
{
    for (size_t i = 0; i < changes->n_items; i++) {
        free(changes->items[i].from);
        free(changes->items[i].to);
    }
    free(changes->items);
    *changes = (struct config_changes){0};
}
