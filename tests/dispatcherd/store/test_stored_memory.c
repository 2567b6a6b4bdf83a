/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/fd.h"
#include "dispatcherd/store/played_systemd.h"
#include "dispatcherd/store/stored_memory.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SIZE = 10000
};

/* What is written before the daemon dies is there for its successor, and both see the same. */
START_TEST(test_a_successor_maps_what_was_stored)
{
    char text[PLAYED_TEXT_MAX];
    int fd, error;
    void *memory;

    played_systemd_start();
    ck_assert_int_eq(stored_memory_new("label", "name.1", SIZE, &memory, &error), 0);
    ck_assert_int_eq(error, 0);
    for (size_t i = 0; i < SIZE; i++)
        ck_assert_int_eq(((char *)memory)[i], 0);
    strcpy(memory, "counted");
    ck_assert(played_systemd_hears(text, &fd));
    ck_assert_ptr_nonnull(strstr(text, "FDSTORE=1"));
    ck_assert_ptr_nonnull(strstr(text, "FDNAME=name.1"));
    ck_assert_int_ge(fd, 0);
    char *again = stored_memory_open(&fd, SIZE);
    ck_assert_ptr_nonnull(again);
    ck_assert_int_eq(fd, -1);
    ck_assert_str_eq(again, "counted");
    again[0] = 'C';
    ck_assert_str_eq(memory, "Counted");
    ck_assert_int_eq(munmap(memory, SIZE), 0);
    ck_assert_int_eq(munmap(again, SIZE), 0);
    played_systemd_end();
}
END_TEST

/* Whoever has it could otherwise shrink it, and the daemon would die of SIGBUS. */
START_TEST(test_it_cannot_be_shrunk)
{
    char text[PLAYED_TEXT_MAX];
    int fd, error;
    void *memory;

    played_systemd_start();
    ck_assert_int_eq(stored_memory_new("label", "name.1", SIZE, &memory, &error), 0);
    ck_assert(played_systemd_hears(text, &fd));
    ck_assert_int_eq(ftruncate(fd, 1), -1);
    ck_assert_int_eq(errno, EPERM);
    fd_close(fd);
    ck_assert_int_eq(munmap(memory, SIZE), 0);
    played_systemd_end();
}
END_TEST

/* It works without a successor, too. */
START_TEST(test_memory_that_was_not_stored_is_used_all_the_same)
{
    int error = 0;
    void *memory;

    played_systemd_start();
    while (played_systemd_fill() > 0)
        ;
    ck_assert_int_eq(stored_memory_new("label", "name.1", SIZE, &memory, &error), 0);
    ck_assert_int_eq(error, -EAGAIN);
    memset(memory, 1, SIZE);
    ck_assert_int_eq(munmap(memory, SIZE), 0);
    played_systemd_end();
}
END_TEST

START_TEST(test_of_another_size_or_kind_it_is_not_used)
{
    int fds[] = {
        memfd_create("test", MFD_CLOEXEC),
        open("/dev/zero", O_RDWR | O_CLOEXEC),
        memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING),
    };

    ck_assert_int_eq(ftruncate(fds[0], SIZE), 0); /* that may shrink */
    ck_assert_int_eq(ftruncate(fds[2], SIZE - 1), 0);
    ck_assert_int_eq(fcntl(fds[2], F_ADD_SEALS, F_SEAL_SHRINK), 0);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_ptr_null(stored_memory_open(&fds[i], SIZE));
        ck_assert_int_eq(fds[i], -1);
    }
}
END_TEST

SUITE("stored_memory", NULL, NULL, test_a_successor_maps_what_was_stored, test_it_cannot_be_shrunk,
      test_memory_that_was_not_stored_is_used_all_the_same,
      test_of_another_size_or_kind_it_is_not_used)
