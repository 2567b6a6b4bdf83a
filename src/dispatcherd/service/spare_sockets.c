/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/service/spare_sockets.h"

#include "base/fd.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/service/socket_match.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Room for the longest name of a service, "-tls", and the NUL. */
#define NAME_SIZE 48

/* How many clients are turned away before others have their turn. */
#define CLIENTS_AT_ONCE 64

/* An error that persists, such as a lack of descriptors, wakes us up this often. In a flood, 64
 * times as many clients are turned away in a second, and the others wait. */
#define WAKE_UPS_PER_SECOND 20

struct spare_socket {
    char name[NAME_SIZE];
    int fd; /* owned */
    struct address address;
    sd_event_source *source;
};

/* Closing with a linger time of zero sends a reset, and the kernel keeps nothing of the connection.
 */
static void turn_away(int client)
{
    const struct linger at_once = {.l_onoff = 1};

    (void)setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    fd_close(client);
}

static int on_client(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events,
                     _unused_ void *userdata)
{
    for (unsigned i = 0; i < CLIENTS_AT_ONCE; i++) {
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

        if (client < 0)
            return 0;
        turn_away(client);
    }
    return 0;
}

static struct spare_socket *spare_socket_free(struct spare_socket *item)
{
    if (!item)
        return NULL;
    sd_event_source_disable_unref(item->source);
    fd_close(item->fd);
    free(item);
    return NULL;
}

static int watch(struct spare_socket *item, sd_event *event)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof(storage);

    if (getsockname(item->fd, (struct sockaddr *)&storage, &length) < 0)
        return -errno;
    item->address = address_from_sockaddr((struct sockaddr *)&storage, length);
    int r = fd_set_nonblocking(item->fd, true);
    if (r == 0)
        r = sd_event_add_io(event, &item->source, item->fd, EPOLLIN, on_client, item);
    if (r >= 0)
        r = sd_event_source_set_ratelimit(item->source, USEC_PER_SEC, WAKE_UPS_PER_SECOND);
    return r < 0 ? r : 0;
}

int spare_sockets_add(struct spare_sockets *spare, sd_event *event, const char *name, int *fd)
{
    _cleanup_fd_ int passed = take_fd(fd);
    struct spare_socket *item = calloc(1, sizeof(*item));
    struct spare_socket **items =
        reallocarray(spare->items, spare->n_items + 1, sizeof(*spare->items));

    if (items)
        spare->items = items;
    if (!items || !item) {
        free(item);
        return -ENOMEM;
    }
    snprintf(item->name, sizeof(item->name), "%s", name);
    item->fd = take_fd(&passed);
    int r = watch(item, event);
    if (r < 0) {
        spare_socket_free(item);
        return r;
    }
    spare->items[spare->n_items++] = item;
    return 0;
}

void spare_sockets_keep(struct spare_sockets *spare, struct service *service)
{
    char name[NAME_SIZE];

    while (service->n_listeners > 0) {
        size_t last = service->n_listeners - 1;
        bool is_tls = service->listeners[last].is_tls;
        _cleanup_fd_ int fd = listener_take(service, last);

        snprintf(name, sizeof(name), "%s%s", service->options->unit_name, is_tls ? "-tls" : "");
        (void)spare_sockets_add(spare, service->context->event, name, &fd);
    }
}

int spare_sockets_give(struct spare_sockets *spare, struct service *service)
{
    size_t n = 0;
    int result = 0;

    for (size_t i = 0; i < spare->n_items; i++) {
        struct spare_socket *item = spare->items[i];
        bool is_tls;

        if (!socket_match_name(&service, 1, item->name, &is_tls)) {
            spare->items[n++] = item;
            continue;
        }
        item->source = sd_event_source_disable_unref(item->source);
        int r = listener_add(service, &item->fd, is_tls, true);
        if (r < 0)
            result = r;
        spare_socket_free(item);
    }
    spare->n_items = n;
    return result;
}

void spare_sockets_describe(const struct spare_sockets *spare, size_t i, char *name, size_t size,
                            struct address *ret_address)
{
    const struct spare_socket *item = spare->items[i];
    size_t length = strlen(item->name);

    if (length > strlen("-tls") && str_equal_nocase(item->name + length - strlen("-tls"), "-tls"))
        length -= strlen("-tls");
    snprintf(name, size, "%.*s", (int)length, item->name);
    *ret_address = item->address;
}

void spare_sockets_clear(struct spare_sockets *spare)
{
    while (spare->n_items > 0)
        spare_socket_free(spare->items[--spare->n_items]);
    free(spare->items);
    *spare = (struct spare_sockets){0};
}
