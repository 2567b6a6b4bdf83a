/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/address.h"
#include "base/fd.h"
#include "generator/listening.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket that is bound to a port of its own; its address as systemctl would print it. */
static int bound_socket(const char *host, char text[128])
{
    struct sockaddr_storage storage;
    socklen_t length;
    struct address address;
    char words[ADDRESS_TEXT_MAX];

    ck_assert_int_eq(address_parse(host, &address), 0);
    length = address_to_sockaddr(&address, &storage);
    int fd = socket(address.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&storage, length) < 0) {
        fd_close(fd);
        return -1; /* no such family here */
    }
    length = sizeof(storage);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&storage, &length), 0);
    address = address_from_sockaddr((struct sockaddr *)&storage, length);
    snprintf(text, 128, "%s (Stream)", address_format(&address, words));
    return fd;
}

START_TEST(test_tells_a_port_that_listens_from_one_that_does_not)
{
    static const char *const hosts[] = {"127.0.0.1", "0.0.0.0", "::1", "::"};
    char text[128];

    for (size_t i = 0; i < ELEMENTSOF(hosts); i++) {
        int fd = bound_socket(hosts[i], text);

        if (fd < 0)
            continue;
        ck_assert_int_eq(listen(fd, 5), 0);
        ck_assert(listening_is_held(text));
        fd_close(fd);
        ck_assert_msg(!listening_is_held(text), "%s", text);
    }
}
END_TEST

START_TEST(test_tells_a_path_that_listens_from_one_that_does_not)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[] = "/tmp/listening-XXXXXX", text[128];

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
    snprintf(text, sizeof(text), "%s/socket (SequentialPacket)", folder);
    ck_assert(!listening_is_held(text));
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fd, 5), 0);
    ck_assert(listening_is_held(text));
    /* Nobody has connected. */
    ck_assert_int_lt(accept(fd, NULL, NULL), 0);
    fd_close(fd);
    ck_assert(!listening_is_held(text));
    ck_assert_int_eq(unlink(address.sun_path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(test_takes_for_held_what_it_cannot_judge)
{
    static const char *const texts[] = {
        "",
        "nonsense",
        "vsock::25 (Stream)",
        "@abstract (Stream)",
        "127.0.0.1:1 (Datagram)",
        "127.0.0.1:x (Stream)",
        "127.0.0.1:0 (Stream)",
        "/dev/input (Special)",
        "name:25 (Stream)",
    };

    for (size_t i = 0; i < ELEMENTSOF(texts); i++)
        ck_assert_msg(listening_is_held(texts[i]), "%s", texts[i]);
}
END_TEST

SUITE("listening", NULL, NULL, test_tells_a_port_that_listens_from_one_that_does_not,
      test_tells_a_path_that_listens_from_one_that_does_not,
      test_takes_for_held_what_it_cannot_judge)
