/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/closer.h"

#include "base/event_source.h"
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/closer_process.h"
#include "dispatcherd/store/stall_guard.h"
#include "protocol/channel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How many descriptors may wait for the process. Further ones are closed here. */
#define WAITING_MAX 1024

/* How many packets may be unconfirmed. The socket always has room for this many. */
#define BATCHES_MAX 8

/* Forking takes about a millisecond, and closing what the child does not need takes as long again.
 */
#define START_LIMIT_MSEC 1000

/* How long to wait after it could not be started. */
#define RETRY_USEC USEC_PER_SEC

static struct {
    sd_event *event;
    sd_event_source *flush_source; /* runs once a turn of the loop */
    sd_event_source *io_source;
    int fd; /* to the process; -1: it does not run */
    pid_t pid;
    uint64_t retry_at;
    unsigned n_unconfirmed;
    int waiting[WAITING_MAX]; /* n_waiting of them */
    unsigned n_waiting;
} closer = {.fd = -1};

static void close_ourselves(unsigned n)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    for (unsigned i = 0; i < n; i++)
        (void)stall_guard_close(closer.waiting[i], now);
    closer.n_waiting -= n;
    memmove(closer.waiting, closer.waiting + n, closer.n_waiting * sizeof(closer.waiting[0]));
}

static void lose_process(void)
{
    closer.io_source = sd_event_source_disable_unref(closer.io_source);
    closer.fd = fd_close(closer.fd);
    closer.n_unconfirmed = 0;
    (void)kill(closer.pid, SIGKILL);
}

static int on_confirmed(sd_event_source *source, int fd, uint32_t events, void *userdata);

/* Waits until the process has closed what it does not need: until then it has copies of ours. */
static int wait_for_process(int fd)
{
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + START_LIMIT_MSEC * USEC_PER_MSEC;
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    char byte;
    int r;

    do /* interrupted by the ticks of stall_guard.h */
        r = poll(&pollfd, 1, START_LIMIT_MSEC);
    while (r < 0 && errno == EINTR && time_now_usec(CLOCK_MONOTONIC) < end);
    return r == 1 && recv(fd, &byte, 1, MSG_DONTWAIT) == 1 ? 0 : -ETIMEDOUT;
}

static int start_process(void)
{
    int pair[2];

    if (closer.pid > 0)
        (void)waitpid(closer.pid, NULL, WNOHANG);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return -errno;
    _cleanup_fd_ int ours = pair[0], theirs = pair[1];
    closer.pid = fork();
    if (closer.pid < 0)
        return -errno;
    if (closer.pid == 0)
        closer_process_run(theirs);
    int r = wait_for_process(ours);
    if (r == 0 && closer.event)
        r = sd_event_add_io(closer.event, &closer.io_source, ours, EPOLLIN, on_confirmed, NULL);
    if (r < 0) {
        (void)kill(closer.pid, SIGKILL);
        return r;
    }
    closer.fd = take_fd(&ours);
    return 0;
}

static bool has_process(void)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (closer.fd >= 0)
        return true;
    if (now < closer.retry_at)
        return false;
    int r = start_process();
    if (r < 0) {
        closer.retry_at = now + RETRY_USEC;
        report_daemon(LOG_WARNING,
                      "cannot start the process that closes descriptors: %s; closing them in this "
                      "one, which may delay all services by up to 5 ms for each",
                      strerror(-r));
    }
    return r == 0;
}

static void take_confirmations(void)
{
    char byte;
    ssize_t n;

    while ((n = recv(closer.fd, &byte, 1, MSG_DONTWAIT)) > 0)
        if (closer.n_unconfirmed > 0)
            closer.n_unconfirmed--;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        lose_process();
}

/* Until the process is told that our copies are closed, the ones under way are not the last. */
static int send_batch(unsigned n)
{
    int r = channel_send(closer.fd, "F", 1, closer.waiting, n);

    if (r < 0)
        return r;
    close_ourselves(n);
    closer.n_unconfirmed++;
    return channel_send(closer.fd, "G", 1, NULL, 0);
}

static void flush(void)
{
    if (closer.fd >= 0)
        take_confirmations();
    while (closer.n_waiting > 0 && closer.n_unconfirmed < BATCHES_MAX) {
        unsigned n =
            closer.n_waiting < CLOSER_BATCH_MAX ? closer.n_waiting : (unsigned)CLOSER_BATCH_MAX;
        int r = has_process() ? send_batch(n) : -EPIPE;

        if (r == 0)
            continue;
        /* Too many descriptors are under way in the kernel, or the process is gone. */
        if (r != -EAGAIN && r != -ETOOMANYREFS && closer.fd >= 0)
            lose_process();
        close_ourselves(closer.n_waiting);
    }
}

static int on_flush(_unused_ sd_event_source *source, _unused_ void *userdata)
{
    flush();
    return 0;
}

static int on_confirmed(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events,
                        _unused_ void *userdata)
{
    flush();
    return 0;
}

int closer_start(sd_event *event)
{
    closer.event = event;
    int r = sd_event_add_defer(event, &closer.flush_source, on_flush, NULL);
    if (r >= 0)
        event_source_off(closer.flush_source);
    return r < 0 ? r : 0;
}

void closer_end(void)
{
    closer.n_unconfirmed = 0;
    flush();
    closer.flush_source = sd_event_source_disable_unref(closer.flush_source);
    closer.io_source = sd_event_source_disable_unref(closer.io_source);
    closer.event = NULL;
    closer.fd = fd_close(closer.fd);
    if (closer.pid > 0)
        (void)waitpid(closer.pid, NULL, WNOHANG);
}

void closer_close(int fd)
{
    if (fd < 0)
        return;
    if (closer.n_waiting == WAITING_MAX)
        close_ourselves(closer.n_waiting);
    closer.waiting[closer.n_waiting++] = fd;
    if (closer.n_waiting % CLOSER_BATCH_MAX == 0 || !closer.flush_source)
        flush();
    else
        event_source_defer(closer.flush_source);
}

static void close_all(const int fds[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        closer_close(fds[i]);
}

/* A limit: after the shutdown no more can be sent, and the sender's SO_SNDBUF bounds what is under
 * way. */
void closer_drain(int fd)
{
    int fds[CHANNEL_FDS_MAX];
    size_t n_fds;
    pid_t pid;
    ssize_t length;
    char bytes[4096];

    (void)shutdown(fd, SHUT_RDWR);
    do {
        length = channel_receive_any(fd, bytes, sizeof(bytes), fds, &n_fds, &pid);
        close_all(fds, n_fds);
    } while (length > 0 || length == -EBADMSG);
}

ssize_t closer_receive(int fd, void *bytes, size_t size)
{
    int fds[CHANNEL_FDS_MAX];
    size_t n_fds;
    pid_t pid;
    ssize_t length = channel_receive_any(fd, bytes, size, fds, &n_fds, &pid);

    close_all(fds, n_fds);
    return n_fds > 0 ? -EBADMSG : length;
}
