/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The yardstick: the handler in one process whose threads call accept() themselves. Nothing that
 * passes connections on can be faster; the question is how much slower it is.
 *
 * Usage: direct PORT THREADS. Says "ready" on standard output, and runs until it is killed. */
#include "base/fd.h"
#include "base/macro.h"
#include "bench/handler.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024 /* as the configuration of dispatcherd in this benchmark has it */

static int listen_at(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, BACKLOG) < 0) {
        perror("direct");
        exit(EXIT_FAILURE);
    }
    return fd;
}

static void *accept_and_serve(void *argument)
{
    const int *listener = argument;

    for (;;) {
        /* With the address, which dispatcherd's workers get too. */
        struct sockaddr_storage peer;
        socklen_t length = sizeof(peer);
        int fd = accept4(*listener, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);

        if (fd < 0)
            continue;
        handler_serve(fd);
        fd_close(fd);
    }
    return NULL;
}

int main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "Usage: direct PORT THREADS\n");
        return 2;
    }
    int listener = listen_at((uint16_t)atoi(argv[1]));

    for (int i = atoi(argv[2]); i > 0; i--) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, accept_and_serve, &listener) != 0) {
            fprintf(stderr, "direct: cannot create a thread\n");
            return EXIT_FAILURE;
        }
    }
    puts("ready");
    fflush(stdout);
    for (;;)
        pause();
}
