/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "config/options.h"

#include "config/option_table.h"

#include <stdlib.h>

bool port_list_has(const struct port_list *list, int64_t port)
{
    for (size_t i = 0; i < list->n_ports; i++)
        if (list->ports[i] == port)
            return true;
    return false;
}

const struct service_options *config_find_service(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->n_services; i++)
        if (str_equal_nocase(config->services[i].name, name))
            return &config->services[i];
    return NULL;
}

void config_clear(struct config *config)
{
    for (size_t i = 0; i < config->n_services; i++)
        service_options_clear(&config->services[i]);
    free(config->services);
    str_list_clear(&config->dns_servers);
    str_list_clear(&config->fleet);
    free(config->fleet_name);
    free(config->logfile);
    free(config->record);
    str_list_clear(&config->files);
    *config = (struct config){0};
}
