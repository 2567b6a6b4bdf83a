/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/address.h"
#include "config/option_table.h"
#include "config/value.h"
#include "dispatcherd/views/views.h"

static json_t *list_of_texts(const struct str_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->n_items; i++)
        view_append(&array, view_text(list->items[i]));
    return array;
}

static json_t *list_of_ports(const struct port_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->n_ports; i++)
        view_append(&array, json_integer(list->ports[i]));
    return array;
}

static json_t *list_of_networks(const struct network_list *list)
{
    char text[NETWORK_TEXT_MAX];
    json_t *array = json_array();

    for (size_t i = 0; i < list->n_items; i++)
        view_append(&array, json_string(ip_network_format(&list->items[i], text)));
    return array;
}

static json_t *host_or_null(const struct address *address)
{
    char text[ADDRESS_TEXT_MAX];

    return address->family == AF_UNSPEC ? json_null()
                                        : json_string(address_format_host(address, text));
}

static json_t *value_of(const struct option *option, const void *place)
{
    if (option->type == &value_count)
        return json_integer(*(const unsigned *)place);
    if (option->type == &value_flag)
        return json_boolean(*(const bool *)place);
    if (option->type == &value_mask)
        return json_integer(*(const uint32_t *)place);
    if (option->type == &value_ports)
        return list_of_ports(place);
    if (option->type == &value_address)
        return host_or_null(place);
    if (option->type == &value_networks)
        return list_of_networks(place);
    if (option->type == &value_parameters || option->type == &value_zones)
        return list_of_texts(place);
    return view_text(*(char *const *)place);
}

json_t *view_options(const struct service_options *options, bool is_trusted)
{
    json_t *object = json_object();

    for (enum option_id id = 0; id < N_OPTIONS; id++) {
        const struct option *option = &option_table[id];

        if (id != OPTION_PARAMETER || is_trusted)
            view_put(&object, option->name, value_of(option, option_place_const(option, options)));
    }
    return object;
}
