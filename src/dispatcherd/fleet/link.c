/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/fleet/link_internal.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/fleet/password.h"
#include "dispatcherd/sockets/fleet_socket.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#define ACCURACY_USEC USEC_PER_MSEC

/* How often to look whether a name has been looked up, and for how long: the next address may be
 * one that needs no name server. */
#define NAME_LOOK_USEC  (10 * USEC_PER_MSEC)
#define NAME_LIMIT_USEC (5 * USEC_PER_SEC)

static uint32_t random_number(void)
{
    uint32_t number = 0;

    if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
        number = (uint32_t)time_now_usec(CLOCK_MONOTONIC);
    return number;
}

static void link_close(struct fleet_link *link)
{
    link->source = sd_event_source_disable_unref(link->source);
    link->fd = fd_close(link->fd);
    link->awaits_output = false;
    fleet_reader_free(link->reader);
    link->reader = NULL;
    link->output.n_bytes = link->output.n_sent = 0;
}

static void set_since(struct fleet_link *link, bool was_up, uint64_t now)
{
    if (!was_up)
        link->figures.down_usec += now - link->since;
    link->since = now;
}

/* Addresses are tried one after the other without a pause, each once. */
static void plan_attempt(struct fleet_link *link)
{
    uint64_t delay = 0;

    link->moved[0] = '\0';
    link->is_redirected = false;
    link->store = (link->store + 1) % link->stores.n_items;
    if (++link->n_tried >= link->stores.n_items) {
        link->n_tried = 0;
        delay = breaker_fail(&link->breaker, random_number());
    }
    timer_set_in(&link->timer, delay);
}

void fleet_link_fail(struct fleet_link *link, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(link->reason, sizeof(link->reason), format, arguments);
    va_end(arguments);
    link->figures.n_failures++;
    link_close(link);
    if (link->state == LINK_UP)
        set_since(link, true, time_now_usec(CLOCK_MONOTONIC));
    link->state = LINK_DOWN;
    plan_attempt(link);
    link->callbacks.down(link->callbacks.userdata);
}

void fleet_link_set_deadline(struct fleet_link *link)
{
    uint64_t from = link->attempt_at;

    if (link->state == LINK_UP)
        from = link->callbacks.oldest(link->callbacks.userdata);
    timer_set_at(&link->timer, time_add_usec(from, FLEET_LINK_DEADLINE_USEC));
}

static void await(struct fleet_link *link, bool output)
{
    if (output == link->awaits_output)
        return;
    if (sd_event_source_set_io_events(link->source, output ? EPOLLIN | EPOLLOUT : EPOLLIN) >= 0)
        link->awaits_output = output;
}

static int link_write(struct fleet_link *link)
{
    struct fleet_output *output = &link->output;

    while (output->n_sent < output->n_bytes) {
        ssize_t n = send(link->fd, output->data + output->n_sent, output->n_bytes - output->n_sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return -errno;
        if (n < 0)
            break;
        output->n_sent += (size_t)n;
        link->figures.n_bytes_sent += (uint64_t)n;
    }
    await(link, output->n_sent < output->n_bytes);
    return 0;
}

static void request(struct fleet_link *link, int r)
{
    if (r == 0)
        r = link_write(link);
    if (r < 0)
        fleet_link_fail(link, "cannot send: %s", strerror(-r));
}

bool fleet_link_redirect(struct fleet_link *link, const char *store)
{
    size_t length = strlen(store);

    if (link->is_redirected || length >= sizeof(link->moved))
        return false;
    memmove(link->moved, store, length + 1);
    link->is_redirected = true;
    link_close(link);
    if (link->state == LINK_UP)
        set_since(link, true, time_now_usec(CLOCK_MONOTONIC));
    link->state = LINK_DOWN;
    timer_set_in(&link->timer, 0);
    link->callbacks.down(link->callbacks.userdata);
    return true;
}

void fleet_link_set_up(struct fleet_link *link)
{
    set_since(link, false, time_now_usec(CLOCK_MONOTONIC));
    link->state = LINK_UP;
    timer_stop(&link->timer);
    link->callbacks.up(link->callbacks.userdata);
}

static void greet(struct fleet_link *link)
{
    char password[FLEET_PASSWORD_MAX];
    int r = fleet_password_read(password);

    link->state = LINK_GREETING;
    link->attempt_at = time_now_usec(CLOCK_MONOTONIC);
    link->n_greetings = r > 0 ? 2 : 1;
    fleet_link_set_deadline(link);
    if (r < 0) {
        explicit_bzero(password, sizeof(password));
        fleet_link_fail(link, "cannot read the credential fleet.password: %s", strerror(-r));
        return;
    }
    if (r > 0)
        r = fleet_request_auth(&link->output, password);
    explicit_bzero(password, sizeof(password));
    if (r == 0)
        r = fleet_request_load(&link->output);
    request(link, r);
}

static int on_io(_unused_ sd_event_source *source, _unused_ int fd, uint32_t events, void *userdata)
{
    struct fleet_link *link = userdata;

    if (link->state == LINK_CONNECTING) {
        int error = fleet_socket_error(link->fd);

        if (error)
            fleet_link_fail(link, "cannot connect: %s", strerror(error));
        else
            greet(link);
        return 0;
    }
    if (events & EPOLLOUT)
        request(link, 0);
    if (link->fd >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        fleet_link_read(link);
    return 0;
}

/* The address of the store that is to be tried, by its name if it has one. NULL: it is not known,
 * and either awaited or given up. */
static const char *find_address(struct fleet_link *link, uint64_t now)
{
    struct fleet_address *name = link->names ? link->names[link->store] : NULL;

    link->used[0] = '\0';
    if (!name)
        return link->stores.items[link->store];
    fleet_address_follow(name, now);
    const char *address = fleet_address_text(name), *reason = fleet_address_reason(name);
    if (address) {
        strcpy(link->used, address);
    } else if (!reason && (link->named_at == 0 || now - link->named_at < NAME_LIMIT_USEC)) {
        if (link->named_at == 0)
            link->named_at = now;
        timer_set_in(&link->timer, NAME_LOOK_USEC);
        return NULL;
    } else {
        fleet_link_fail(link, "cannot look up its name: %s", reason ? reason : "no answer");
    }
    link->named_at = 0;
    return address;
}

/* If the name in use has got another address, connects to that. While there is no connection, the
 * next attempt finds what was looked up. */
static void on_name_timer(void *userdata)
{
    struct fleet_link *link = userdata;
    struct fleet_address *name = link->names[link->store];

    timer_set_in(&link->name_timer, USEC_PER_SEC);
    if (!name)
        return;
    fleet_address_follow(name, time_now_usec(CLOCK_MONOTONIC));
    if (link->state == LINK_UP && !link->moved[0] &&
        strcmp(fleet_address_text(name), link->used) != 0)
        (void)fleet_link_redirect(link, "");
}

static void link_begin(struct fleet_link *link)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    const char *store = link->moved;

    snprintf(link->shown, sizeof(link->shown), "%s",
             store[0] ? store : link->stores.items[link->store]);
    if (!store[0])
        store = find_address(link, now);
    if (!store)
        return;
    link->attempt_at = now;
    link->state = LINK_CONNECTING;
    int r = fleet_socket_connect(store, &link->fd);
    if (r == 0) {
        link->reader = fleet_reader_new();
        r = link->reader ? sd_event_add_io(link->event, &link->source, link->fd, EPOLLIN | EPOLLOUT,
                                           on_io, link)
                         : -ENOMEM;
    }
    if (r < 0) {
        fleet_link_fail(link, "cannot connect: %s", strerror(-r));
        return;
    }
    link->awaits_output = true;
    fleet_link_set_deadline(link);
}

static uint64_t awaited_since(const struct fleet_link *link)
{
    return link->state == LINK_UP ? link->callbacks.oldest(link->callbacks.userdata)
                                  : link->attempt_at;
}

/* If the loop itself was late, the answer is there. */
static void on_timer(void *userdata)
{
    struct fleet_link *link = userdata;

    if (link->state == LINK_DOWN) {
        link_begin(link);
        return;
    }
    if (link->state != LINK_CONNECTING)
        fleet_link_read(link);
    if (link->state == LINK_DOWN)
        return;
    if (time_now_usec(CLOCK_MONOTONIC) <
        time_add_usec(awaited_since(link), FLEET_LINK_DEADLINE_USEC)) {
        fleet_link_set_deadline(link);
        return;
    }
    link->figures.n_late++;
    fleet_link_fail(link, "no answer within %" PRIu64 " ms",
                    FLEET_LINK_DEADLINE_USEC / USEC_PER_MSEC);
}

void fleet_link_send(struct fleet_link *link, const struct fleet_batch *batch)
{
    if (link->state != LINK_UP)
        return;
    timer_set_no_later(&link->timer, time_add_usec(batch->sent_at, FLEET_LINK_DEADLINE_USEC));
    request(link, fleet_request_batch(&link->output, link->sha, link->name, link->epoch, batch));
}

static int make_names(struct fleet_link *link)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < link->stores.n_items; i++) {
        if (!fleet_address_has_name(link->stores.items[i]))
            continue;
        if (!link->names)
            link->names = calloc(link->stores.n_items, sizeof(*link->names));
        r = link->names ? fleet_address_new(link->stores.items[i], &link->names[i]) : -ENOMEM;
    }
    return r;
}

int fleet_link_new(sd_event *event, const struct fleet_link_settings *settings,
                   const struct fleet_link_callbacks *callbacks, struct fleet_link **ret)
{
    struct fleet_link *link = calloc(1, sizeof(*link));

    if (!link)
        return -ENOMEM;
    link->event = event;
    link->fd = -1;
    link->callbacks = *callbacks;
    link->since = time_now_usec(CLOCK_MONOTONIC);
    link->name = strdup(settings->name);
    snprintf(link->epoch, sizeof(link->epoch), "%08x%08x", random_number(), random_number());
    int r = link->name ? str_list_copy(settings->stores, &link->stores) : -ENOMEM;
    if (r == 0)
        r = make_names(link);
    if (r == 0)
        r = timer_init(&link->name_timer, event, USEC_PER_SEC / 10, on_name_timer, link);
    if (r == 0)
        r = timer_init(&link->timer, event, ACCURACY_USEC, on_timer, link);
    if (r < 0) {
        fleet_link_free(link);
        return r;
    }
    timer_set_in(&link->timer, 0);
    if (link->names)
        timer_set_in(&link->name_timer, USEC_PER_SEC);
    *ret = link;
    return 0;
}

void fleet_link_free(struct fleet_link *link)
{
    if (!link)
        return;
    link_close(link);
    timer_clear(&link->timer);
    timer_clear(&link->name_timer);
    for (size_t i = 0; link->names && i < link->stores.n_items; i++)
        fleet_address_free(link->names[i]);
    free(link->names);
    str_list_clear(&link->stores);
    free(link->output.data);
    free(link->name);
    free(link);
}

bool fleet_link_is_up(const struct fleet_link *link)
{
    return link->state == LINK_UP;
}

uint64_t fleet_link_since(const struct fleet_link *link)
{
    return link->since;
}

const char *fleet_link_store(const struct fleet_link *link)
{
    return link->shown;
}

const char *fleet_link_reason(const struct fleet_link *link)
{
    return link->reason;
}

void fleet_link_figures(const struct fleet_link *link, uint64_t now, struct fleet_link_figures *ret)
{
    *ret = link->figures;
    if (link->state != LINK_UP)
        ret->down_usec += now - link->since;
}
