/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "libdispatcher/alert.h"

#include "libdispatcher/internal.h"

#include "base/time.h"
#include "protocol/channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* How long to wait after the channel was full. */
#define RETRY_USEC (100 * USEC_PER_MSEC)

void alert_init(struct alert_news *news)
{
    pthread_mutex_init(&news->lock, NULL);
}

/* Must be called with the lock held. */
static void send_alert(struct alert_news *news, int channel)
{
    char bytes[ALERT_TEXT_MAX + 64];
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_ALERT);

    if (!news->is_known)
        return;
    if (news->text[0])
        message_text_add(&text, "TEXT", news->text);
    /* If the channel is closed, there is nobody to report to. */
    news->is_unsent = channel_send(channel, bytes, text.length, NULL, 0) == -EAGAIN;
}

void alert_meet(struct alert_news *news, bool is_known)
{
    pthread_mutex_lock(&news->lock);
    news->is_known = is_known;
    news->is_unsent = false;
    pthread_mutex_unlock(&news->lock);
}

void alert_tell(struct alert_news *news, int channel)
{
    pthread_mutex_lock(&news->lock);
    if (news->text[0])
        send_alert(news, channel);
    pthread_mutex_unlock(&news->lock);
}

uint64_t alert_attend(struct alert_news *news, int channel, uint64_t now)
{
    pthread_mutex_lock(&news->lock);
    if (news->is_unsent)
        send_alert(news, channel);
    uint64_t next = news->is_unsent ? now + RETRY_USEC : USEC_INFINITY;
    pthread_mutex_unlock(&news->lock);
    return next;
}

void dispatcher_worker_alert(dispatcher_worker *worker, const char *text)
{
    struct alert_news *news = &worker->alert;
    char copy[ALERT_TEXT_MAX];

    snprintf(copy, sizeof(copy), "%s", text ? text : "");
    pthread_mutex_lock(&news->lock);
    if (strcmp(copy, news->text) != 0) {
        memcpy(news->text, copy, sizeof(copy));
        send_alert(news, worker->channel);
    }
    bool is_unsent = news->is_unsent;
    pthread_mutex_unlock(&news->lock);
    if (is_unsent)
        worker_wake(worker);
}
