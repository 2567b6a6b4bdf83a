/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "kit/faulty.h"

#include "base/notify_socket.h"
#include "base/time.h"
#include "protocol/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Patient: the channel may be full. */
static bool send_bytes(const void *bytes, size_t length, const int fds[], size_t n_fds)
{
    int r;

    while ((r = channel_send(PROTOCOL_CHANNEL_FD, bytes, length, fds, n_fds)) == -EAGAIN) {
        if (has(FAULT_DROPS) && ((const uint32_t *)bytes)[0] == MESSAGE_ENDED)
            return true;
        (void)poll(&(struct pollfd){.fd = PROTOCOL_CHANNEL_FD, .events = POLLOUT}, 1, 1000);
    }
    return r == 0;
}

void tell_bytes(const void *bytes, size_t length)
{
    (void)send_bytes(bytes, length, NULL, 0);
}

void tell_value(enum message_type type, uint32_t value)
{
    const struct message_header header = {.type = type, .value = value};

    tell_bytes(&header, sizeof(header));
}

void tell_alert(void)
{
    char bytes[1024], words[301];
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_ALERT);

    memset(words, 'x', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    message_text_add(&text, "TEXT", has(FAULT_ALERTS_LOUDLY) ? words : "none");
    tell_bytes(bytes, text.length);
}

static bool tell_message(enum message_type type, uint64_t id)
{
    struct {
        struct message_header header;
        uint64_t id;
    } message = {.header = {.type = type, .value = type != MESSAGE_DRAINING}, .id = id};
    size_t length = type == MESSAGE_DRAINING ? sizeof(message.header) : sizeof(message);
    int fd = STDIN_FILENO;

    return send_bytes(&message, length, &fd, has(FAULT_SENDS_DESCRIPTORS));
}

static void send_news(void)
{
    if (ring_poke(&w->ring) || has(FAULT_NEWS_EVER))
        tell_value(MESSAGE_NEWS, 0);
}

static bool is_unread(const struct faulty_session *session)
{
    return ring_head(&w->ring) < session->acknowledged_at;
}

static const struct faulty_session *session_of(uint64_t id)
{
    for (unsigned i = 0; i < PLACES_MAX; i++)
        if (w->sessions[i].record.id == id)
            return &w->sessions[i];
    return NULL;
}

static void news_of_end(uint64_t id)
{
    const struct faulty_session *session = session_of(id);

    if (w->is_draining && !has(FAULT_NO_NEWS_DRAINS))
        send_news();
    else if (!w->is_draining && session && is_unread(session) && !has(FAULT_NO_NEWS_UNREAD))
        send_news();
    else if (!w->is_draining && ring_is_wanted(&w->ring, RING_WANTS_ENDS) &&
             !has(FAULT_NO_NEWS_END))
        send_news();
    else if (!w->is_draining && !has(FAULT_NO_NEWS_LATER) && !has(FAULT_NO_NEWS_END) &&
             !has(FAULT_NO_NEWS_UNREAD))
        w->ended_at = time_now_usec(CLOCK_MONOTONIC);
}

static void news_of(enum message_type type, uint64_t id)
{
    switch (type) {
    case MESSAGE_ACKNOWLEDGE:
        w->acknowledged_at = w->ring.tail;
        if (ring_is_wanted(&w->ring, RING_WANTS_ANSWERS) && !has(FAULT_NO_NEWS_ANSWER))
            send_news();
        break;
    case MESSAGE_REFUSE:
        if (!has(FAULT_NO_NEWS_REFUSE))
            send_news();
        break;
    case MESSAGE_DRAINING:
        if (!has(FAULT_NO_NEWS_DRAINING))
            send_news();
        break;
    default:
        news_of_end(id);
    }
}

static bool tell_ring(enum message_type type, uint64_t id)
{
    const struct ring_entry entry = {.id = id, .type = has(FAULT_BAD_ENTRY) ? MESSAGE_READY : type};
    int r = ring_publish(&w->ring, &entry, 1);

    if (r < 0 && has(FAULT_STORES_TAIL))
        atomic_store(&w->ring.memory->tail, ++w->ring.tail);
    if (has(FAULT_BAD_TAIL))
        atomic_fetch_add(&w->ring.memory->tail, w->ring.n_entries + 1);
    if (r == 0)
        news_of(type, id);
    return r == 0;
}

bool tell(enum message_type type, uint64_t id)
{
    if (!w->has_ring)
        return tell_message(type, id);
    bool is_told = tell_ring(type, id);
    if (has(FAULT_BOTH_WAYS))
        tell_message(type, id);
    return is_told;
}

void remind(void)
{
    if (w->ended_at == 0 || time_now_usec(CLOCK_MONOTONIC) < w->ended_at + 5 * USEC_PER_MSEC)
        return;
    w->ended_at = 0;
    if (ring_head(&w->ring) < w->ring.tail)
        send_news();
}

void faulty_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");

    if (!path || has(FAULT_NO_NOTIFY) || (path[0] == '@' && has(FAULT_NO_ABSTRACT)))
        return;
    (void)notify_socket_send(state, -1);
}
