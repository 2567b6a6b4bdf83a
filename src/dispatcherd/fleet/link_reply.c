/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/fleet/link_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* What is read at a time, and how often in one round of the loop. */
#define CHUNK_BYTES  16384
#define CHUNKS_ROUND 8

/* NOSCRIPT: the store was told to forget all scripts; the greeting brings it again. "MOVED 3999
 * 127.0.0.1:6381" names a node of a cluster. */
static bool follow(struct fleet_link *link, const char *error)
{
    if (strncmp(error, "NOSCRIPT", 8) == 0)
        return fleet_link_redirect(link, link->moved);
    if (strncmp(error, "MOVED ", 6) == 0 && strrchr(error, ' ')[1] != ':')
        return fleet_link_redirect(link, strrchr(error, ' ') + 1);
    return false;
}

static void take_greeting(struct fleet_link *link, const struct redisReply *reply)
{
    const char *text = fleet_reply_text(reply);

    if (--link->n_greetings > 0)
        return;
    if (!text || strlen(text) != SHA_MAX - 1) {
        fleet_link_fail(link, "it does not take the script");
        return;
    }
    strcpy(link->sha, text);
    fleet_link_set_up(link);
}

static void take_answer(struct fleet_link *link, const struct redisReply *reply)
{
    if (!fleet_reply_answer(reply, &link->answer) ||
        !link->callbacks.answered(&link->answer, link->callbacks.userdata)) {
        fleet_link_fail(link, "it sends what is no answer");
        return;
    }
    link->figures.n_answers++;
    link->n_tried = 0;
    link->is_redirected = false;
    breaker_succeed(&link->breaker);
    fleet_link_set_deadline(link);
}

static void take_reply(struct fleet_link *link, const struct redisReply *reply)
{
    const char *error = fleet_reply_error(reply);

    if (error && follow(link, error))
        return;
    if (error)
        fleet_link_fail(link, "it refuses: %.100s", error);
    else if (link->state == LINK_GREETING)
        take_greeting(link, reply);
    else
        take_answer(link, reply);
}

/* Returns false if there is nothing more. */
static bool read_chunk(struct fleet_link *link)
{
    char chunk[CHUNK_BYTES];
    ssize_t n = recv(link->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        fleet_link_fail(link, "it has closed the connection%s%s", n < 0 ? ": " : "",
                        n < 0 ? strerror(errno) : "");
        return false;
    }
    link->figures.n_bytes_received += (uint64_t)n;
    int r = fleet_reader_feed(link->reader, chunk, (size_t)n);
    for (const struct redisReply *reply; r == 0;) {
        r = fleet_reader_next(link->reader, &reply);
        if (r < 0 || !reply)
            break;
        take_reply(link, reply);
        if (!link->reader)
            return false;
    }
    if (r < 0)
        fleet_link_fail(link, "it sends what is no reply of Redis or Valkey");
    return r == 0;
}

void fleet_link_read(struct fleet_link *link)
{
    for (unsigned i = 0; i < CHUNKS_ROUND && read_chunk(link); i++)
        ;
}
