/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The control for large pools: connections go to so many processes in turn, and nothing is decided,
 * counted, acknowledged or kept. What a session costs more here with more processes is the price of
 * waking a process that has not run for long, and no dispatcher of connections can be without it.
 *
 * Usage: spread PORT PROCESSES THREADS. Each process has so many threads that wait for connections.
 * Says "ready" on standard output, and runs until it is killed. */
#include "base/fd.h"
#include "base/macro.h"
#include "bench/handler.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024 /* as the configuration of dispatcherd in this benchmark has it */

enum {
    STACK_BYTES = 64 * 1024
};

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static int listen_at(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
        die("spread: cannot listen");
    return fd;
}

/* As much as a record of dispatcherd's channel says of a connection. */
struct letter {
    char record[128];
    struct iovec content;
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))];
    struct msghdr header;
};

static void letter_begin(struct letter *letter)
{
    memset(letter, 0, sizeof(*letter));
    letter->content = (struct iovec){letter->record, sizeof(letter->record)};
    letter->header = (struct msghdr){.msg_iov = &letter->content,
                                     .msg_iovlen = 1,
                                     .msg_control = letter->room,
                                     .msg_controllen = sizeof(letter->room)};
}

static void *receive_and_serve(void *argument)
{
    const int *channel = argument;

    for (;;) {
        struct letter letter;

        letter_begin(&letter);
        if (recvmsg(*channel, &letter.header, MSG_CMSG_CLOEXEC) <= 0)
            return NULL;
        const struct cmsghdr *header = CMSG_FIRSTHDR(&letter.header);
        if (!header)
            continue;
        int fd;
        memcpy(&fd, CMSG_DATA(header), sizeof(fd));
        handler_serve(fd);
        fd_close(fd);
    }
}

static void serve(int channel, int n_threads)
{
    pthread_attr_t attributes;
    pthread_t thread;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    for (int i = 0; i < n_threads; i++)
        if (pthread_create(&thread, &attributes, receive_and_serve, &channel) != 0)
            die("spread: cannot create a thread");
    for (;;)
        pause();
}

/* Returns this side of the channel. */
static int start_process(int n_threads)
{
    int channel[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)
        die("spread: socketpair");
    pid_t pid = fork();
    if (pid < 0)
        die("spread: fork");
    if (pid == 0) {
        fd_close(channel[0]);
        serve(channel[1], n_threads);
    }
    fd_close(channel[1]);
    return channel[0];
}

static void pass_on(int channel, int fd)
{
    struct letter letter;

    letter_begin(&letter);
    struct cmsghdr *header = CMSG_FIRSTHDR(&letter.header);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(fd));
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    if (sendmsg(channel, &letter.header, MSG_NOSIGNAL) < 0)
        die("spread: sendmsg");
}

int main(int argc, char *argv[])
{
    if (argc != 4) {
        fprintf(stderr, "Usage: spread PORT PROCESSES THREADS\n");
        return 2;
    }
    int n_processes = atoi(argv[2]);
    int *channels = calloc((size_t)n_processes, sizeof(int));
    if (!channels)
        die("spread");
    for (int i = 0; i < n_processes; i++)
        channels[i] = start_process(atoi(argv[3]));
    int listener = listen_at((uint16_t)atoi(argv[1]));
    puts("ready");
    fflush(stdout);
    for (int next = 0;; next = (next + 1) % n_processes) {
        struct sockaddr_storage peer;
        socklen_t length = sizeof(peer);
        int fd = accept4(listener, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);

        if (fd < 0)
            continue;
        pass_on(channels[next], fd);
        fd_close(fd);
    }
}
