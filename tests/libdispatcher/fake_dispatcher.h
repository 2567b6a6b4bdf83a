/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A dispatcherd for tests of workers: it speaks the protocol, step by step as the test says, with
 * a real worker process, and checks what every worker must keep to. A failure fails the test;
 * nothing waits longer than FAKE_LIMIT_MSEC. */
#pragma once

#include "dispatcher/worker.h"
#include "protocol/message.h"
#include "protocol/ring.h"

#include <sys/types.h>

/* The mask of the welcome. */
#define FAKE_DEBUG 0xfffc8fffu

enum {
    FAKE_LIMIT_MSEC = 20000,
    FAKE_CONNECTIONS_MAX = 4096,
    FAKE_PLACES_MAX = 1024 /* that the ring has room for */
};

/* What became of a connection that was sent. Only the moves sent -> acknowledged -> ended and
 * sent -> refused are allowed, and only once. An answer to ADOPT says at once what was
 * acknowledged, and what has ended, of all that was sent before. */
enum fake_state {
    FAKE_UNUSED,
    FAKE_SENT,
    FAKE_HELD, /* in an answer to ADOPT that is not complete yet */
    FAKE_ACKNOWLEDGED,
    FAKE_REFUSED,
    FAKE_ENDED,
};

struct fake_connection {
    enum fake_state state;
    int client; /* the client's end; -1: closed */
    int server; /* our copy of what the worker gets, until it is acknowledged; -1: closed */
};

struct fake_dispatcher {
    int channel; /* -1: closed */
    pid_t worker;
    int errors; /* memfd: the worker's standard output and error */
    bool is_at_end;
    bool has_asked_ring;
    struct ring_reader ring; /* where it has asked for one */
    bool is_draining;        /* DRAINING was received */
    bool is_adopting;        /* ADOPT was sent, and its READY has not come */
    uint64_t number;         /* of the last ADOPT */
    uint64_t answered;       /* of the last ANSWER */
    unsigned n_old_answers;  /* READY in answer to an ADOPT before the last one */
    size_t n_asked;          /* connections that were sent before ADOPT */
    unsigned n_ready;        /* the value of READY; 0: not yet */
    size_t n_connections, n_acknowledged, n_refused, n_ended;
    size_t n_packets; /* messages that were received */
    size_t n_at_once; /* the most entries that were found in the ring together */
    bool has_more;    /* messages of the last packet are still to be read */
    size_t n_held;    /* in the answer to ADOPT so far */
    struct fake_connection connections[FAKE_CONNECTIONS_MAX]; /* a connection's id is its index
                                                                 and FAKE_FIRST_ID */
};

#define FAKE_FIRST_ID UINT64_C(0xfedcba9800000000)

/* What a welcome says; fake_welcome_default() has sensible values. */
struct fake_welcome {
    const char *version;
    const char *max_conns;
    const char *stacksize;
    const char *drain_limit;
    const char *parameters[4]; /* up to the first NULL */
    int log_fd;                /* -1: none */
};

struct fake_welcome fake_welcome_default(void);

/* Starts a worker process that runs `callbacks` within a fork of this one. `welcome_limit_msec` as
 * for worker_run(). The process exits with 0, or with the errno that run returned. */
void fake_start(struct fake_dispatcher *fake, const struct dispatcher_worker_callbacks *callbacks,
                int welcome_limit_msec);

/* Starts a program. */
void fake_start_program(struct fake_dispatcher *fake, char *const argv[]);

/* Receives HELLO and checks it. A worker that asks for a ring gets one with the welcome. */
void fake_expect_hello(struct fake_dispatcher *fake);
void fake_send_welcome(struct fake_dispatcher *fake, const struct fake_welcome *welcome);

/* HELLO, WELCOME with these values, READY. */
void fake_greet(struct fake_dispatcher *fake, const struct fake_welcome *welcome);

void fake_send_value(struct fake_dispatcher *fake, enum message_type type, uint32_t value);

/* Hands over one end of a new pair of stream sockets. Returns the connection's index. */
size_t fake_connect(struct fake_dispatcher *fake);

/* The same with what the worker is told of it; `id` is filled in. */
size_t fake_connect_as(struct fake_dispatcher *fake, struct connection_record record,
                       const char *tag, const char *note);

/* Writes to the client's end and reads one line, without its end, from it. `text` is static. */
const char *fake_ask(struct fake_dispatcher *fake, size_t connection, const char *question);

/* True where the client's end can be read now: an answer, or its end. */
bool fake_client_has_news(struct fake_dispatcher *fake, size_t connection);

/* Closes the client's end. */
void fake_hang_up(struct fake_dispatcher *fake, size_t connection);

/* Sends bytes that need be no message. */
void fake_send_packet(struct fake_dispatcher *fake, const void *bytes, size_t length,
                      const int fds[], size_t n_fds);

/* Counts what is there by now. */
void fake_look(struct fake_dispatcher *fake);

/* True where there is a packet, or the end of the channel, that was not read yet. */
bool fake_is_poked(struct fake_dispatcher *fake);

/* Waits for something in the ring, for one message or the end of the channel, and counts it. After
 * the end nothing counts any more that is written to the ring. */
void fake_read(struct fake_dispatcher *fake);

/* Reads until the condition, of a variable called `fake`, holds. */
#define FAKE_WAIT(condition)                                                                       \
    do {                                                                                           \
        while (!(condition))                                                                       \
            fake_read(fake);                                                                       \
    } while (0)

/* Asks as a new dispatcherd does, with a new ring. The answer is checked when it has come: the
 * worker must hold whatever it was sent before, but for what it has refused or what the client has
 * ended. */
void fake_adopt(struct fake_dispatcher *fake);

void fake_close_channel(struct fake_dispatcher *fake);

/* Stops the worker, and waits until it stands still. SIGCONT lets it go on. */
void fake_freeze(struct fake_dispatcher *fake);

/* Reads the channel to its end, waits for the process, and returns its wait status. */
int fake_wait_end(struct fake_dispatcher *fake);

/* What the worker wrote to a descriptor of a memfd. Static, cut at some KiB. */
const char *fake_text_of(int fd);
