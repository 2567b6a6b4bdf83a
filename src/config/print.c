/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "config/print.h"

#include "config/option_table.h"

#include <errno.h>

/* Writes the line above an option. A control character in a file's name must not end the comment.
 */
static void print_origin(const struct origin *origin, FILE *stream)
{
    if (!origin->file) {
        fputs("! default\n", stream);
        return;
    }
    fputs("! ", stream);
    for (const char *c = origin->file; *c; c++)
        fputc((unsigned char)*c < ' ' ? '?' : *c, stream);
    if (origin->line > 0)
        fprintf(stream, ":%u", origin->line);
    fputc('\n', stream);
}

static void print_option(const struct option *option, const struct origin *origin,
                         const void *place, FILE *stream)
{
    print_origin(origin, stream);
    option->type->print(option->name, place, stream);
}

/* A service that PORT=0 disables has no ports, just like one without PORT; so PORT=0 is written. */
static void print_service_option(enum option_id id, const struct service_options *service,
                                 FILE *stream)
{
    const struct option *option = &option_table[id];
    const struct origin *origin = &service->origins[id];

    if (id == OPTION_PORT && service->port.n_ports == 0 && !service->is_enabled && origin->file) {
        print_origin(origin, stream);
        fprintf(stream, "%s=0\n", option->name);
    } else {
        print_option(option, origin, option_place_const(option, service), stream);
    }
}

int config_print(const struct config *config, FILE *stream)
{
    fputs("[SERVICE=DISPATCHER]\n", stream);
    print_option(&option_table[OPTION_DEBUG], &config->debug_origin, &config->debug, stream);
    print_option(&option_table[OPTION_DNS_SERVERS], &config->dns_servers_origin,
                 &config->dns_servers, stream);
    print_option(&option_table[OPTION_FLEET], &config->fleet_origin, &config->fleet, stream);
    print_option(&option_table[OPTION_FLEET_ADDRESSES], &config->fleet_addresses_origin,
                 &config->fleet_addresses, stream);
    print_option(&option_table[OPTION_FLEET_NAME], &config->fleet_name_origin, &config->fleet_name,
                 stream);
    print_option(&option_table[OPTION_FLEET_WAIT], &config->fleet_wait_origin,
                 &config->fleet_wait_msec, stream);
    print_option(&option_table[OPTION_HISTORICAL_TIME], &config->historical_time_origin,
                 &config->historical_time_sec, stream);
    print_option(&option_table[OPTION_LOGFILE], &config->logfile_origin, &config->logfile, stream);
    print_option(&option_table[OPTION_RECORD], &config->record_origin, &config->record, stream);
    for (size_t i = 0; i < config->n_services; i++) {
        fprintf(stream, "\n[SERVICE=%s]\n", config->services[i].name);
        for (enum option_id id = 0; id < N_OPTIONS; id++)
            if (option_table[id].scopes & SCOPE_SERVICE)
                print_service_option(id, &config->services[i], stream);
    }
    if (fflush(stream) != 0 || ferror(stream))
        return errno > 0 ? -errno : -EIO;
    return 0;
}
