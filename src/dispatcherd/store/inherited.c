/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/inherited.h"

#include "base/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

int inherited_collect(struct inherited *ret)
{
    char **names = NULL;
    int n = sd_listen_fds_with_names(1, &names);

    *ret = (struct inherited){0};
    if (n <= 0)
        return n;
    ret->items = calloc((size_t)n, sizeof(*ret->items));
    if (!ret->items)
        return -ENOMEM;
    for (int i = 0; i < n; i++)
        ret->items[ret->n_items++] =
            (struct inherited_fd){.fd = SD_LISTEN_FDS_START + i, .name = names[i]};
    free(names);
    ret->has_manager = true;
    return 0;
}

int inherited_take_newest(struct inherited *inherited, const char *prefix,
                          unsigned long *ret_number)
{
    size_t prefix_length = strlen(prefix);
    struct inherited_fd *newest = NULL;

    *ret_number = 0;
    for (size_t i = 0; i < inherited->n_items; i++) {
        struct inherited_fd *item = &inherited->items[i];

        if (item->fd < 0 || strncmp(item->name, prefix, prefix_length) != 0)
            continue;
        unsigned long number = strtoul(item->name + prefix_length, NULL, 10);
        if (newest && number <= *ret_number)
            continue;
        newest = item;
        *ret_number = number;
    }
    return newest ? take_fd(&newest->fd) : -1;
}

void inherited_clear(struct inherited *inherited)
{
    for (size_t i = 0; i < inherited->n_items; i++) {
        fd_close(inherited->items[i].fd);
        free(inherited->items[i].name);
    }
    free(inherited->items);
    *inherited = (struct inherited){0};
}
