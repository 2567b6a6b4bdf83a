/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "libdispatcher/talkative_worker.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

static void describe_connection(const dispatcher_connection *c, FILE *out)
{
    struct sockaddr_in6 peer = {0};
    struct sockaddr_in local = {0};
    socklen_t peer_length = sizeof(peer), local_length = sizeof(local);

    dispatcher_connection_peer(c, (struct sockaddr *)&peer, &peer_length);
    dispatcher_connection_local(c, (struct sockaddr *)&local, &local_length);
    fprintf(out, "%s %s %u %s %u %d '%s' '%s' %u/%u %u/%u", dispatcher_connection_id(c),
            dispatcher_connection_peer_host(c), dispatcher_connection_peer_port(c),
            dispatcher_connection_local_host(c), dispatcher_connection_local_port(c),
            dispatcher_connection_is_tls(c), dispatcher_connection_access_tag(c),
            dispatcher_connection_access_note(c), peer_length, ntohs(peer.sin6_port), local_length,
            ntohs(local.sin_port));
}

static void describe_worker(const dispatcher_worker *w, FILE *out)
{
    const char *last = dispatcher_worker_parameter_value(w, "CHANNEL");

    fprintf(out, "%s %u %u %s '%s'", dispatcher_worker_service(w), dispatcher_worker_slot(w),
            dispatcher_worker_max_connections(w), dispatcher_worker_host_name(w),
            last ? last : "none");
    for (size_t i = 0; dispatcher_worker_parameter(w, i); i++)
        fprintf(out, " [%s]", dispatcher_worker_parameter(w, i));
}

static size_t stack_size(void)
{
    pthread_attr_t attributes;
    size_t size = 0;

    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstacksize(&attributes, &size);
        pthread_attr_destroy(&attributes);
    }
    return size;
}

static unsigned count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;

    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

static int is_readable(int fd)
{
    return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0);
}

/* The kind of the drain, and which of its descriptors say so. */
static void describe_drain(const dispatcher_worker *w, FILE *out)
{
    fprintf(out, "%d %d %d", (int)dispatcher_worker_drain(w),
            is_readable(dispatcher_worker_drain_fd(w, DISPATCHER_DRAIN_RECYCLE)),
            is_readable(dispatcher_worker_drain_fd(w, DISPATCHER_DRAIN_STOP)));
}

static void answer(dispatcher_connection *c, char command, FILE *out)
{
    dispatcher_worker *worker = dispatcher_connection_worker(c);

    if (command == 'c')
        describe_connection(c, out);
    else if (command == 'w')
        describe_worker(worker, out);
    else if (command == 'm')
        fprintf(out, "%" PRIx32, dispatcher_worker_debug(worker));
    else if (command == 's')
        fprintf(out, "%zu", stack_size());
    else if (command == 't')
        fprintf(out, "%d", (int)gettid());
    else if (command == 'd')
        fprintf(out, "%d", dispatcher_worker_is_draining(worker));
    else if (command == 'u')
        describe_drain(worker, out);
    else if (command == 'x')
        fprintf(out, "%d %d", dispatcher_worker_is_stressed(worker),
                is_readable(dispatcher_worker_stress_fd(worker)));
    else if (command == 'f')
        fprintf(out, "%u", count_descriptors());
    else if (command == 'k')
        raise(SIGKILL);
    else if (command == 'p')
        dprintf(STDOUT_FILENO, "to stdout\n"), dprintf(STDERR_FILENO, "to stderr\n");
    else if (command == 'l') {
        dispatcher_worker_log(worker, LOG_WARNING, "of the %s", "worker");
        dispatcher_connection_log(c, LOG_INFO, "two\nlines");
    }
}

static bool answer_line(dispatcher_connection *connection, char command)
{
    char text[2048];
    FILE *out = fmemopen(text, sizeof(text), "w");

    answer(connection, command, out);
    fputc('\n', out);
    long length = ftell(out);
    fclose(out);
    return write(dispatcher_connection_fd(connection), text, (size_t)length) >= 0;
}

void talkative_serve(dispatcher_connection *connection, void *userdata)
{
    int fd = dispatcher_connection_fd(connection);
    char command;

    (void)userdata;
    while (read(fd, &command, 1) == 1 && command != 'q' && answer_line(connection, command))
        ;
}

static void stop(dispatcher_worker *worker, void *userdata)
{
    (void)worker;
    (void)userdata;
    fprintf(stderr, "stop called\n");
}

const struct dispatcher_worker_callbacks talkative_worker = {
    .serve = talkative_serve,
    .stop = stop,
};

/* The event loop of the other one. */
static struct {
    int epoll;
    int end_fd; /* eventfd: it shall end */
    pthread_t thread;
} loop;

/* Returns false if the session is over. */
static bool attend(dispatcher_connection *connection)
{
    char command;
    ssize_t n = recv(dispatcher_connection_fd(connection), &command, 1, MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return true;
    return n == 1 && command != 'q' && answer_line(connection, command);
}

static void *run_loop(void *argument)
{
    struct epoll_event event;

    for (;;) {
        int n = epoll_wait(loop.epoll, &event, 1, -1);
        dispatcher_connection *connection = event.data.ptr;

        if (n > 0 && !connection)
            return argument;
        if (n > 0 && !attend(connection)) {
            /* The fake dispatcher may still have its copy. */
            epoll_ctl(loop.epoll, EPOLL_CTL_DEL, dispatcher_connection_fd(connection), NULL);
            dispatcher_connection_end(connection);
        }
    }
}

static int start_loop(dispatcher_worker *worker, void *userdata)
{
    struct epoll_event event = {.events = EPOLLIN};

    (void)worker;
    loop.epoll = epoll_create1(EPOLL_CLOEXEC);
    loop.end_fd = eventfd(0, EFD_CLOEXEC);
    if (loop.epoll < 0 || loop.end_fd < 0 ||
        epoll_ctl(loop.epoll, EPOLL_CTL_ADD, loop.end_fd, &event) < 0)
        return -errno;
    return -pthread_create(&loop.thread, NULL, run_loop, userdata);
}

static void take(dispatcher_connection *connection, void *userdata)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

    (void)userdata;
    /* Some sessions end before this function does. */
    if (!attend(connection))
        dispatcher_connection_end(connection);
    else
        epoll_ctl(loop.epoll, EPOLL_CTL_ADD, dispatcher_connection_fd(connection), &event);
}

static void stop_loop(dispatcher_worker *worker, void *userdata)
{
    const uint64_t one = 1;

    (void)!write(loop.end_fd, &one, sizeof(one));
    pthread_join(loop.thread, NULL);
    stop(worker, userdata);
}

const struct dispatcher_worker_callbacks taking_worker = {
    .start = start_loop,
    .take = take,
    .stop = stop_loop,
};
