/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/fd.h"
#include "base/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE 4096

static int new_with_seals(int seals)
{
    int fd = memfd_new("test");

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, SIZE), 0);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

START_TEST(test_size_stays_and_bytes_change)
{
    _cleanup_fd_ int fd = memfd_new_sized("test", SIZE);
    char bytes[SIZE];

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(pread(fd, bytes, SIZE, 0), SIZE);
    for (size_t i = 0; i < SIZE; i++)
        ck_assert_int_eq(bytes[i], 0);
    ck_assert_int_eq(pwrite(fd, "x", 1, SIZE - 1), 1);
    ck_assert_int_lt(ftruncate(fd, SIZE - 1), 0);
    ck_assert_int_lt(ftruncate(fd, SIZE + 1), 0);
    ck_assert_int_lt(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    ck_assert(memfd_is_mappable(fd, SIZE));
}
END_TEST

START_TEST(test_frozen_is_final)
{
    _cleanup_fd_ int fd = memfd_new("test");
    struct stat st;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(write(fd, "text", 4), 4);
    ck_assert_int_eq(memfd_freeze(fd), 0);
    ck_assert_int_lt(pwrite(fd, "x", 1, 0), 0);
    ck_assert_int_lt(ftruncate(fd, 0), 0);
    ck_assert_int_lt(ftruncate(fd, SIZE), 0);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0400);
    ck_assert(memfd_is_mappable(fd, 4));
    ck_assert_int_eq(memfd_freeze(fd), -EPERM);
}
END_TEST

START_TEST(test_mapped_is_not_frozen)
{
    _cleanup_fd_ int fd = new_with_seals(F_SEAL_SHRINK);
    void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_int_eq(memfd_freeze(fd), -EBUSY);
    ck_assert_int_eq(munmap(memory, SIZE), 0);
    ck_assert_int_eq(memfd_freeze(fd), 0);
}
END_TEST

START_TEST(test_mappable_has_the_seal_and_the_size)
{
    _cleanup_fd_ int sealed = new_with_seals(F_SEAL_SHRINK);
    _cleanup_fd_ int unsealed = new_with_seals(F_SEAL_GROW);
    _cleanup_fd_ int file = open("/dev/null", O_RDWR | O_CLOEXEC);

    ck_assert(memfd_is_mappable(sealed, SIZE));
    ck_assert(!memfd_is_mappable(sealed, SIZE - 1));
    ck_assert(!memfd_is_mappable(sealed, SIZE + 1));
    ck_assert(!memfd_is_mappable(unsealed, SIZE));
    ck_assert(!memfd_is_mappable(file, 0));
    ck_assert(!memfd_is_mappable(-1, 0));
}
END_TEST

START_TEST(test_failure_is_said)
{
    char name[300];

    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    ck_assert_int_eq(memfd_new(name), -EINVAL);
    ck_assert_int_eq(memfd_new_sized(name, SIZE), -EINVAL);
    ck_assert_int_eq(memfd_freeze(-1), -EBADF);
}
END_TEST

SUITE("memfd", NULL, NULL, test_size_stays_and_bytes_change, test_frozen_is_final,
      test_mapped_is_not_frozen, test_mappable_has_the_seal_and_the_size, test_failure_is_said)
