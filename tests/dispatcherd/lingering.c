/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/lingering.h"

#include "base/fd.h"
#include "base/time.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

struct lingering lingering_make(void)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = LINGER_SEC};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    const int little = 2048;
    static char bytes[65536];

    _cleanup_fd_ int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little)), 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&address, length), 0);
    int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_eq(setsockopt(server, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    while (send(server, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        ;
    return (struct lingering){.client = client, .server = server};
}

void lingering_read_to_end(struct lingering *lingering)
{
    static char bytes[65536];

    while (read(lingering->client, bytes, sizeof(bytes)) > 0)
        ;
    lingering->client = fd_close(lingering->client);
}

unsigned seconds_since(uint64_t since)
{
    return (unsigned)((time_now_usec(CLOCK_MONOTONIC) - since) / USEC_PER_SEC);
}
