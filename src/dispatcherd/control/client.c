/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control/client.h"

#include "base/event_source.h"
#include "base/fd.h"
#include "base/macro.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/closer.h"
#include "varlink/memory.h"
#include "varlink/message.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Far more than a call needs: it has names of a method and a service. */
#define CALL_MAX_BYTES 65536

/* A limit may be noticed this much late. */
#define LIMIT_ACCURACY_USEC (USEC_PER_SEC / 10)

/* How many bytes a follower may be behind: some thousand events. Further events are dropped, and
 * their number is reported to it. */
#define EVENTS_MAX_BYTES (1024 * 1024)

static bool make_room(struct control_client *client, size_t size)
{
    size_t capacity = client->events_capacity > 0 ? client->events_capacity : 4096;

    if (size > EVENTS_MAX_BYTES - client->events_size)
        return false;
    while (capacity < client->events_size + size)
        capacity *= 2;
    if (capacity == client->events_capacity)
        return true;
    char *events = realloc(client->events, capacity);
    if (!events)
        return false;
    client->events = events;
    client->events_capacity = capacity;
    return true;
}

static bool append_event(struct control_client *client, json_t *event)
{
    json_auto_t *reply = varlink_reply_of_many(json_incref(event));
    size_t size = 0;
    char *text = reply ? varlink_message_text(reply, &size) : NULL;
    bool has_room = !varlink_memory_was_short() && text && make_room(client, size);

    if (has_room) {
        memcpy(client->events + client->events_size, text, size);
        client->events_size += size;
    }
    free(text);
    return has_room;
}

static bool append_loss(struct control_client *client)
{
    char text[96];

    snprintf(text, sizeof(text), "%" PRIu64 " %s lost: events are not read fast enough",
             client->n_lost_events, str_plural(client->n_lost_events, "event was", "events were"));
    json_auto_t *event = events_object("lost", LOG_WARNING, &(struct subject){0}, text);
    if (!event || !append_event(client, event))
        return false;
    client->n_lost_events = 0;
    return true;
}

/* May be called at any point, so the events are only collected here, and sent later. */
static void take_event(struct follower *follower, json_t *event)
{
    struct control_client *client = CONTAINER_OF(follower, struct control_client, follower);

    if ((client->n_lost_events > 0 && !append_loss(client)) || !append_event(client, event))
        client->n_lost_events++;
    event_source_defer(client->again_source);
    control_share_touch(client->share);
}

/* Makes the next reply to a follower of all events since the last one. */
static void take_up_events(struct control_client *client)
{
    if (client->reply || client->events_size == 0)
        return;
    client->reply = STEAL(client->events);
    client->reply_size = client->events_size;
    client->n_sent = 0;
    client->events_size = 0;
    client->events_capacity = 0;
}

/* Sends the rest of the reply. Returns 0, also if the client does not read now, or a negative
 * errno. */
static int send_reply(struct control_client *client)
{
    while (client->reply) {
        ssize_t n = send(client->fd, client->reply + client->n_sent,
                         client->reply_size - client->n_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? 0 : -errno;
        client->n_sent += (size_t)n;
        client->moved_at = time_now_usec(CLOCK_MONOTONIC);
        if (client->n_sent < client->reply_size)
            continue;
        free(client->reply);
        client->reply = NULL;
    }
    return 0;
}

static void stop_waiting(struct control_client *client)
{
    client->wait = CONTROL_WAIT_NOTHING;
    timer_stop(&client->limit);
}

/* There is no memory for any other answer. No reply is under way, so the socket has room, or the
 * client does not read. */
static int say_out_of_memory(const struct control_client *client)
{
    ssize_t size = (ssize_t)strlen(control_out_of_memory) + 1;

    report_daemon(LOG_ERR,
                  "out of memory for a call to the control socket by process %d of user %u",
                  (int)client->caller.pid, (unsigned)client->caller.uid);
    ssize_t n = send(client->fd, control_out_of_memory, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n == size ? 0 : -ENOMEM;
}

/* All earlier replies to the follower are sent: sends the events since then. Returns 0 or a
 * negative errno. */
static int send_events(struct control_client *client)
{
    if (!client->reply)
        stop_waiting(client);
    take_up_events(client);
    return send_reply(client);
}

/* Answers one call, if the last reply is sent. Returns 1 if there may be further calls, 0 if not,
 * or a negative errno. */
static int answer_call(struct control_client *client)
{
    const char *text;
    size_t length;

    int r = send_reply(client);
    if (r < 0)
        return r;
    if (client->follower.is_following)
        return send_events(client);
    if (client->reply || !varlink_frames_next(&client->frames, &text, &length))
        return 0;
    stop_waiting(client);
    client->n_sent = 0;
    r = control_answer(client->operations, client->userdata, &client->caller, &client->follower,
                       text, length, &client->reply, &client->reply_size);
    if (r == -ENOMEM)
        r = say_out_of_memory(client);
    if (r < 0)
        return r;
    client->n_answered++;
    r = send_reply(client);
    return r < 0 ? r : !client->reply;
}

static void on_limit(void *userdata)
{
    struct control_client *client = userdata;

    client->gone(client);
}

static enum control_wait awaited(const struct control_client *client)
{
    if (client->reply)
        return CONTROL_WAIT_READER;
    if (client->has_calls || client->follower.is_following)
        return CONTROL_WAIT_NOTHING;
    return varlink_frames_is_pending(&client->frames) ? CONTROL_WAIT_MESSAGE : CONTROL_WAIT_CALL;
}

static void limit_wait(struct control_client *client)
{
    const uint64_t limits[] = {
        [CONTROL_WAIT_CALL] = client->limits.call_usec,
        [CONTROL_WAIT_MESSAGE] = client->limits.message_usec,
        [CONTROL_WAIT_READER] = client->limits.reader_usec,
    };
    enum control_wait wait = awaited(client);

    if (wait == client->wait)
        return;
    stop_waiting(client);
    client->wait = wait;
    if (wait != CONTROL_WAIT_NOTHING)
        timer_set_in(&client->limit, limits[wait]);
}

static uint32_t wanted_events(const struct control_client *client)
{
    if (client->reply)
        return EPOLLOUT;
    return client->has_ended || client->has_calls ? 0 : EPOLLIN;
}

/* Prepares the sources and the limit for what is awaited next. Returns 0 or a negative errno. */
static int wait_for_more(struct control_client *client)
{
    limit_wait(client);
    int r = sd_event_source_set_io_events(client->io_source, wanted_events(client));
    if (client->has_calls)
        event_source_defer(client->again_source);
    else
        event_source_off(client->again_source);
    return r;
}

/* Goes on as far as possible after any event. May call gone(). */
static void go_on(struct control_client *client)
{
    /* Calls of a follower are not answered until it ends. */
    if (client->follower.is_following && client->has_ended) {
        client->gone(client);
        return;
    }
    int r = answer_call(client);

    client->has_calls = r > 0;
    bool is_over = client->has_ended && !client->has_calls && !client->reply;
    if (r < 0 || is_over || wait_for_more(client) < 0)
        client->gone(client);
}

/* Returns 0 or a negative errno. */
static int read_some(struct control_client *client)
{
    char *room;
    size_t size;

    int r = varlink_frames_room(&client->frames, &room, &size);
    if (r < 0)
        return r;
    ssize_t n = closer_receive(client->fd, room, size);
    if (n < 0)
        return n == -EAGAIN ? 0 : (int)n;
    if (n == 0)
        client->has_ended = true;
    client->moved_at = time_now_usec(CLOCK_MONOTONIC);
    varlink_frames_added(&client->frames, (size_t)n);
    return 0;
}

static int on_io(_unused_ sd_event_source *source, _unused_ int fd, uint32_t events, void *userdata)
{
    struct control_client *client = userdata;

    /* A hang-up is always reported. If it cannot be found by reading, the client is gone. */
    bool may_read = !client->reply && !client->has_calls;
    bool is_hung_up = (events & (EPOLLHUP | EPOLLERR)) && !may_read;
    if (is_hung_up || (may_read && read_some(client) < 0))
        client->gone(client);
    else
        go_on(client);
    return 0;
}

static int on_again(_unused_ sd_event_source *source, void *userdata)
{
    go_on(userdata);
    return 0;
}

bool control_client_is_idle(const struct control_client *client)
{
    struct pollfd poll_fd = {.fd = client->fd, .events = client->reply ? POLLOUT : POLLIN};

    return !client->follower.is_following && !client->has_calls && poll(&poll_fd, 1, 0) == 0;
}

static int add_sources(struct control_client *client, sd_event *event)
{
    int r = sd_event_add_io(event, &client->io_source, client->fd, EPOLLIN, on_io, client);
    if (r >= 0)
        r = sd_event_source_set_priority(client->io_source, client->priority);
    if (r >= 0)
        r = sd_event_add_defer(event, &client->again_source, on_again, client);
    if (r >= 0)
        r = sd_event_source_set_priority(client->again_source, client->priority);
    if (r >= 0)
        event_source_off(client->again_source);
    if (r >= 0)
        r = timer_init(&client->limit, event, LIMIT_ACCURACY_USEC, on_limit, client);
    return r;
}

int control_client_start(struct control_client *client)
{
    client->frames = VARLINK_FRAMES_INIT(CALL_MAX_BYTES);
    client->follower.take = take_event;
    client->moved_at = time_now_usec(CLOCK_MONOTONIC);
    int r = add_sources(client, control_share_event(client->share));
    if (r >= 0)
        limit_wait(client);
    control_share_touch(client->share);
    return r < 0 ? r : 0;
}

void control_client_flush(struct control_client *client)
{
    if (send_reply(client) == 0)
        (void)send_events(client);
}

void control_client_free(struct control_client *client)
{
    events_leave(&client->follower);
    sd_event_source_disable_unref(client->io_source);
    sd_event_source_disable_unref(client->again_source);
    timer_clear(&client->limit);
    varlink_frames_clear(&client->frames);
    free(client->events);
    free(client->reply);
    closer_drain(client->fd);
    fd_close(client->fd);
    free(client);
}
