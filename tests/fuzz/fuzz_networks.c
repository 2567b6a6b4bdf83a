/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Any text as a list of networks: what is accepted must read back as written, and contain itself.
 */
#include "files/networks.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_network(const struct network_list *list, const struct ip_network *network)
{
    char text[NETWORK_TEXT_MAX], reason[NETWORK_REASON_MAX];
    struct ip_network again;

    ip_network_format(network, text);
    if (ip_network_parse(text, &again, reason) < 0 || again.prefix_bits != network->prefix_bits ||
        !address_equal(&again.address, &network->address))
        abort();
    if (!ip_network_contains(network, &network->address) ||
        !network_list_contains(list, &network->address))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char reason[NETWORK_REASON_MAX] = "";
    char *text = malloc(size + 1);
    struct network_list list;

    if (!text)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    int r = network_list_parse(text, &list, reason);
    free(text);
    if ((r < 0) != (reason[0] != '\0'))
        abort();
    if (r < 0)
        return 0;
    for (size_t i = 0; i < list.n_items; i++)
        check_network(&list, &list.items[i]);
    network_list_clear(&list);
    return 0;
}
