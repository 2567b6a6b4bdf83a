/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* One way of a session that is relayed: bytes from one socket to the other, as fast as the other
 * takes them.
 *
 * What fits into one buffer is copied, through a buffer that all sessions share; who fills it gets
 * a pipe, and its bytes are moved by splice(2) until there are none left to read. So neither a
 * buffer nor a pipe belongs to a session at rest. Bytes that the receiver does not take at once are
 * kept, and nothing more is read until it has them. */
#pragma once

#include "workers/common/pipes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct end;

/* In place of the calls of an end whose bytes are not those of its socket, as with TLS. None of
 * them waits. */
struct end_calls {
    /* As recv(2) and send(2), with errno. What send() did not take is given to it again. */
    ssize_t (*receive)(struct end *end, void *buffer, size_t size);
    ssize_t (*send)(struct end *end, const void *bytes, size_t n_bytes);

    /* No more will be sent. Returns 0, or -EAGAIN: to be called again when it can be written. */
    int (*finish)(struct end *end);
};

/* A socket of a session, and what epoll(7) has said of it. Both flags hold until a system call says
 * EAGAIN. */
struct end {
    int fd;
    const struct end_calls *calls; /* NULL: those of the socket */
    void *userdata;                /* theirs */
    bool is_client;
    bool can_read;
    bool can_write;
    bool is_hung_up; /* its end is to be read: reading goes on until it is found */
    bool is_reset;   /* a write has found that, and a read will not find it again */
};

struct way {
    struct pipe_pair pipe; /* read_fd -1: none */
    char *rest;            /* owned: what was copied and not taken yet; NULL: none */
    size_t n_held;         /* bytes in the pipe, or of the rest from rest_at on */
    size_t rest_at;
    size_t n_burst; /* bytes that were moved by the pipe since it was taken */
    bool is_bulk;   /* the sender has filled a buffer at once */
    bool is_nonblocking;
    bool is_ending; /* its last byte was delivered; the receiver has no room to be told so */
    bool is_ended;  /* the receiver was told so */
    bool is_deaf;   /* the receiver takes nothing more; what comes is not read */
};

enum {
    WAY_BUFFER_BYTES = 16 * 1024
};

/* What all sessions of a thread share. */
struct way_tools {
    struct pipes pipes;
    uint64_t n_moved; /* bytes that went out, of all */
    bool cannot_splice;
    char buffer[WAY_BUFFER_BYTES];
};

enum way_result {
    WAY_WAITS,       /* for an event */
    WAY_HAS_MORE,    /* it is the turn of others first */
    WAY_ENDED,       /* is_ended */
    WAY_READ_FAILED, /* the sender's connection is broken */
    WAY_WRITE_FAILED /* the receiver's is */
};

#define WAY_EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

#define WAY_INIT                                                                                   \
    {                                                                                              \
        .pipe = { -1, -1 }                                                                         \
    }

enum way_result way_move(struct way *way, struct end *from, struct end *to,
                         struct way_tools *tools);

/* The receiver is broken: what is held is thrown away, and nothing more is read. */
void way_make_deaf(struct way *way, struct way_tools *tools);

void way_clear(struct way *way, struct way_tools *tools);

/* Notes the events of epoll(7), which are edge-triggered (WAY_EVENTS). */
void end_note_events(struct end *end, uint32_t events);
