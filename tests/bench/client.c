/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The load: many sessions at a time from one thread, each measured from connect() to the first byte
 * of the greeting.
 *
 *   client run PORT AT_A_TIME SECONDS   short sessions, AT_A_TIME of them always open; prints
 *                                       "sessions seconds median p99 failed", times to the greeting
 *                                       in microseconds
 *   client hold PORT SESSIONS [SOURCES] opens SESSIONS, prints "ready", keeps them until standard
 *                                       input ends, then quits them. They come from as many
 *                                       addresses in 127.1.0.0/16: one has some 28,000 ports */
#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"
#include "bench/handler.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS_AT_ONCE = 256,
    OPENING_MAX = 100, /* of `hold`: sessions that wait for their greeting */
    SOURCES_MAX = 60000,
    STALL_MSEC = 10000, /* nothing has happened for so long: the server hangs */
    SAMPLES_MAX = 1 << 20,
};

struct session {
    int fd;
    bool is_greeted;
    uint64_t began_at_usec;
};

struct client {
    int epoll;
    struct sockaddr_in server;
    unsigned n_sources; /* 0: the kernel chooses the address */
    unsigned n_bound;
    struct session *sessions; /* owned */
    unsigned n_open;
    unsigned n_greeted; /* of those that are open */
    unsigned long n_done;
    unsigned long n_failed;
    uint32_t *samples_usec; /* room for SAMPLES_MAX, owned */
    size_t n_samples;
};

static void die(const char *what)
{
    fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void init(struct client *client, const char *port, unsigned n_sessions)
{
    struct rlimit limit;

    *client = (struct client){
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .server = {.sin_family = AF_INET,
                   .sin_port = htons((uint16_t)atoi(port)),
                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
        .sessions = calloc(n_sessions, sizeof(struct session)),
        .samples_usec = calloc(SAMPLES_MAX, sizeof(uint32_t)),
    };
    if (client->epoll < 0 || !client->sessions || !client->samples_usec)
        die("cannot begin");
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void bind_to_next_source(struct client *client, int fd)
{
    uint32_t host = client->n_bound++ % client->n_sources;
    const struct sockaddr_in source = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl((127U << 24) + (1U << 16) + (host / 250 << 8) + host % 250 + 1)};

    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int)) < 0 ||
        bind(fd, (const struct sockaddr *)&source, sizeof(source)) < 0)
        die("bind");
}

static void open_session(struct client *client, struct session *session)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = session};

    session->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (session->fd < 0)
        die("socket");
    if (client->n_sources > 0)
        bind_to_next_source(client, session->fd);
    session->is_greeted = false;
    session->began_at_usec = time_now_usec(CLOCK_MONOTONIC);
    if (connect(session->fd, (const struct sockaddr *)&client->server, sizeof(client->server)) <
            0 &&
        errno != EINPROGRESS)
        die("connect");
    if (epoll_ctl(client->epoll, EPOLL_CTL_ADD, session->fd, &event) < 0)
        die("epoll_ctl");
    client->n_open++;
}

/* The server has closed first. A reset leaves nothing behind in the kernel, neither here nor
 * there, so that a million sessions are as good as one. */
static void close_session(struct client *client, struct session *session)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};

    setsockopt(session->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    session->fd = fd_close(session->fd);
    client->n_open--;
    if (session->is_greeted)
        client->n_greeted--;
}

static void take_greeting(struct client *client, struct session *session)
{
    uint64_t waited = time_now_usec(CLOCK_MONOTONIC) - session->began_at_usec;

    if (client->n_samples < SAMPLES_MAX)
        client->samples_usec[client->n_samples++] = (uint32_t)waited;
    session->is_greeted = true;
    client->n_greeted++;
}

static void quit(const struct session *session)
{
    (void)!send(session->fd, QUIT, strlen(QUIT), MSG_NOSIGNAL);
}

/* One event. Returns true where the session is over. */
static bool handle(struct client *client, struct session *session, bool quits)
{
    char bytes[256];
    ssize_t length = recv(session->fd, bytes, sizeof(bytes), 0);

    if (length < 0 && errno == EAGAIN)
        return false;
    if (length > 0 && !session->is_greeted) {
        take_greeting(client, session);
        if (quits)
            quit(session);
        return false;
    }
    if (length > 0)
        return false; /* the farewell; then comes the end */
    if (length == 0 && session->is_greeted)
        client->n_done++;
    else
        client->n_failed++;
    close_session(client, session);
    return true;
}

static int wait_for_events(struct client *client, struct epoll_event events[])
{
    int n = epoll_wait(client->epoll, events, EVENTS_AT_ONCE, STALL_MSEC);

    if (n == 0) {
        fprintf(stderr, "client: nothing has happened for %d s; %u sessions are open\n",
                STALL_MSEC / 1000, client->n_open);
        exit(EXIT_FAILURE);
    }
    return n;
}

static int compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void print_result(struct client *client, uint64_t usec)
{
    size_t n = client->n_samples;

    qsort(client->samples_usec, n, sizeof(*client->samples_usec), compare);
    printf("%lu %.6f %u %u %lu\n", client->n_done, (double)usec / (double)USEC_PER_SEC,
           n > 0 ? client->samples_usec[n / 2] : 0, n > 0 ? client->samples_usec[n * 99 / 100] : 0,
           client->n_failed);
}

static void run(struct client *client, unsigned at_a_time, double seconds)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    uint64_t began_at = time_now_usec(CLOCK_MONOTONIC);
    uint64_t end_at = began_at + (uint64_t)(seconds * (double)USEC_PER_SEC);
    bool is_over = false;

    for (unsigned i = 0; i < at_a_time; i++)
        open_session(client, &client->sessions[i]);
    while (client->n_open > 0) {
        int n = wait_for_events(client, events);

        is_over = is_over || time_now_usec(CLOCK_MONOTONIC) >= end_at;
        for (int i = 0; i < n; i++)
            if (handle(client, events[i].data.ptr, true) && !is_over)
                open_session(client, events[i].data.ptr);
    }
    print_result(client, time_now_usec(CLOCK_MONOTONIC) - began_at);
}

static void hold(struct client *client, unsigned n_sessions)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    char byte;

    for (unsigned n = 0; client->n_greeted < n_sessions && client->n_failed == 0;) {
        while (n < n_sessions && client->n_open - client->n_greeted < OPENING_MAX)
            open_session(client, &client->sessions[n++]);
        int n_events = wait_for_events(client, events);
        for (int i = 0; i < n_events; i++)
            handle(client, events[i].data.ptr, false);
    }
    puts(client->n_failed == 0 ? "ready" : "failed");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    for (unsigned i = 0; i < n_sessions; i++)
        if (client->sessions[i].fd > 0)
            quit(&client->sessions[i]);
    while (client->n_open > 0) {
        int n_events = wait_for_events(client, events);
        for (int i = 0; i < n_events; i++)
            handle(client, events[i].data.ptr, false);
    }
}

int main(int argc, char *argv[])
{
    struct client client;
    bool is_run = argc == 5 && strcmp(argv[1], "run") == 0;

    if (!is_run && !((argc == 4 || argc == 5) && strcmp(argv[1], "hold") == 0)) {
        fprintf(stderr, "Usage: client run PORT AT_A_TIME SECONDS\n"
                        "       client hold PORT SESSIONS [SOURCES]\n");
        return 2;
    }
    unsigned n_sessions = (unsigned)atoi(argv[3]);
    init(&client, argv[2], n_sessions);
    if (!is_run && argc == 5)
        client.n_sources = (unsigned)atoi(argv[4]) % SOURCES_MAX;
    if (is_run)
        run(&client, n_sessions, atof(argv[4]));
    else
        hold(&client, n_sessions);
    free(client.sessions);
    free(client.samples_usec);
    fd_close(client.epoll);
    return client.n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
