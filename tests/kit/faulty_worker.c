/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A worker that echoes what its clients say, on one thread, and breaks one rule of
 * dispatcher-worker(7): the argument names its fault. `faulty_worker --list` prints all of them. */
#include "kit/faulty.h"

#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"
#include "protocol/channel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct faulty the_worker, *const w = &the_worker;

static const struct {
    const char *name;
    bool has_ring;
    const char *rule;
} faults[] = {
#define FAULT_ROW(id, name, ring, rule) [FAULT_##id] = {name, ring, rule},
    FAULTS(FAULT_ROW)
#undef FAULT_ROW
};

bool has(enum fault fault)
{
    return w->fault == fault;
}

static void say_hello(void)
{
    char bytes[256];
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_HELLO);

    message_text_add(&text, "VERSION_MIN", "1");
    if (!has(FAULT_NO_VERSION_MAX))
        message_text_add(&text, "VERSION_MAX", "1");
    if (w->has_ring)
        message_text_add(&text, "RING", "1");
    message_text_add(&text, "STOP", "1");
    message_text_add(&text, "LOG", "1");
    message_text_add(&text, "STRESS", "1");
    message_text_add(&text, "ANSWER", "1");
    tell_bytes(bytes, text.length);
    if (has(FAULT_READY_FIRST))
        tell_value(MESSAGE_READY, 1);
    if (has(FAULT_EARLY_NOTIFY))
        faulty_notify("READY=1");
}

static void use_log_file(int fd)
{
    if (fd < 0)
        return;
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    fd_close(fd);
}

void use_ring(const struct message *message, int fd)
{
    uint32_t n_entries;

    if (!w->has_ring || message_find_number(message, "RING", 1, 4096, &n_entries) < 0)
        return;
    if (has(FAULT_OLD_RING) && w->ring.memory)
        return;
    ring_writer_free(&w->ring);
    if (ring_writer_open(&w->ring, fd, n_entries, w->max_conns) < 0)
        _exit(9);
    w->acknowledged_at = 0;
    if (!has(FAULT_KEEPS_RING))
        fd_close(fd);
}

static void read_welcome(void)
{
    struct message message;
    int fds[MESSAGE_FDS_MAX];
    size_t n_fds;
    pid_t pid;
    uint32_t version = 0, alert = 0;

    (void)poll(&(struct pollfd){.fd = PROTOCOL_CHANNEL_FD, .events = POLLIN}, 1, -1);
    ssize_t length =
        channel_receive(PROTOCOL_CHANNEL_FD, w->bytes,
                        has(FAULT_SHORT_BUFFER) ? 4096 : sizeof(w->bytes), fds, &n_fds, &pid);
    if (length <= 0 || message_read(w->bytes, (size_t)length, &message) < 0)
        _exit(has(FAULT_CONTENT) && length == 0 ? 0 : 1);
    if (has(FAULT_VERSION_FIRST) && strcmp(message.text, "VERSION=1") != 0)
        _exit(1);
    (void)message_find_number(&message, "VERSION", 0, 100, &version);
    if ((version != 1 && !has(FAULT_ANY_VERSION)) || has(FAULT_NOT_READY))
        _exit(1);
    (void)message_find_number(&message, "MAX_CONNS", 1, 1024, &w->max_conns);
    /* No fault: a worker may have fewer places than MAX_CONNS, for it knows what it can do. */
    if (has(FAULT_FEW_PLACES) && w->max_conns > FEW_PLACES)
        w->max_conns = FEW_PLACES;
    (void)message_find_number(&message, "DRAIN_LIMIT", 0, UINT32_MAX, &w->drain_limit_sec);
    w->knows_alert = message_find_number(&message, "ALERT", 1, 1, &alert) == 0;
    if (w->has_ring)
        use_ring(&message, fds[0]);
    if (!has(FAULT_NO_LOG_FILE))
        use_log_file(n_fds > w->has_ring ? fds[n_fds - 1] : -1);
}

static void tell_ready(void)
{
    unsigned n = w->max_conns;

    if (has(FAULT_TOO_MANY_PLACES))
        n++;
    if (has(FAULT_NO_PLACES))
        n = 0;
    if (!has(FAULT_READY_FIRST))
        tell_value(MESSAGE_READY, n);
    if (has(FAULT_READY_TWICE))
        tell_value(MESSAGE_READY, n);
    if (has(FAULT_HELLO_TWICE))
        say_hello();
    if (has(FAULT_UNKNOWN_TYPE))
        tell_value(99, 0);
    if (has(FAULT_GARBAGE))
        tell_bytes("xyz", 3);
    if (has(FAULT_ALERTS_LOUDLY) || (has(FAULT_ALERTS_UNASKED) && !w->knows_alert))
        tell_alert();
    faulty_notify("READY=1");
}

static int start(void)
{
    sigset_t term;

    if (has(FAULT_NO_LISTEN_PID) && getenv("LISTEN_PID"))
        _exit(1);
    fd_set_cloexec(PROTOCOL_CHANNEL_FD, !has(FAULT_INHERITED));
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    w->cut_at = USEC_INFINITY;
    w->next_watchdog = USEC_INFINITY;
    w->channel_is_open = true;
    say_hello();
    read_welcome();
    tell_ready();
    if (getenv("WATCHDOG_USEC") && !has(FAULT_NO_WATCHDOG)) {
        w->watchdog_usec = strtoull(getenv("WATCHDOG_USEC"), NULL, 10) / 4;
        w->next_watchdog = 0;
    }
    return signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void attend_to_time(void)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (now >= w->cut_at)
        _exit(has(FAULT_CLEAN_LIMIT) ? 0 : 1);
    if (now >= w->next_watchdog && !(has(FAULT_UNWATCHED_DRAIN) && w->is_draining)) {
        faulty_notify("WATCHDOG=1");
        w->next_watchdog = now + w->watchdog_usec;
    }
    if (w->free_at != 0 && now >= w->free_at) {
        w->free_at = 0;
        w->n_lost = 0;
    }
    remind();
}

/* The channel, the signals, and the sessions. */
static void loop(int signals)
{
    struct pollfd fds[2 + PLACES_MAX];

    while (!(w->is_draining && w->n_busy == 0)) {
        nfds_t n = 2;

        fds[0] =
            (struct pollfd){.fd = w->channel_is_open ? PROTOCOL_CHANNEL_FD : -1, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = signals, .events = POLLIN};
        for (unsigned i = 0; i < PLACES_MAX; i++)
            if (w->sessions[i].is_busy)
                fds[n++] = (struct pollfd){.fd = w->sessions[i].fd, .events = POLLIN};
        (void)poll(fds, n, 5);
        attend_to_time();
        if (fds[1].revents)
            take_signal(signals);
        if (fds[0].revents)
            take_packet();
        for (nfds_t i = 2; i < n; i++)
            if (fds[i].revents)
                serve(fds[i].fd);
    }
}

int main(int argc, char *argv[])
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < ELEMENTSOF(faults); i++)
            printf("%s %s\n", faults[i].name, faults[i].rule);
        return 0;
    }
    for (size_t i = 0; i < ELEMENTSOF(faults); i++)
        if (argc == 2 && strcmp(argv[1], faults[i].name) == 0) {
            w->fault = (enum fault)i;
            w->has_ring = faults[i].has_ring;
            loop(start());
            return has(FAULT_FAILS_AT_EOF) && !w->channel_is_open ? 1 : 0;
        }
    fprintf(stderr, "faulty_worker: unknown fault\n");
    return 2;
}
