/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "dispatcherd/checks/throttle_store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct siphash_key key = {{1, 2}};
static struct address client = {.family = AF_INET, .bytes = {192, 0, 2, 9}};

static int new_memfd(size_t size, unsigned seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static bool is_over(struct throttle *throttle)
{
    return throttle_is_over(throttle, THROTTLE_PLAIN, &client, 1, 1000);
}

START_TEST(test_a_new_table_is_empty)
{
    struct throttle *throttle;
    int store_error;

    ck_assert_int_eq(throttle_store_new("name.1", &key, &throttle, &store_error), 0);
    ck_assert_int_eq(store_error, 0);
    ck_assert_uint_eq(throttle_n_keys(throttle), 0);
    ck_assert(!is_over(throttle));
    throttle_free(throttle);
}
END_TEST

START_TEST(test_a_table_goes_on_with_its_counts)
{
    size_t size = throttle_size(THROTTLE_KEYS_MAX);
    int fd = new_memfd(size, F_SEAL_SHRINK | F_SEAL_GROW);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert(!is_over(throttle_format(memory, THROTTLE_KEYS_MAX, &key)));
    ck_assert_int_eq(munmap(memory, size), 0);
    struct throttle *throttle = throttle_store_open(&fd);
    ck_assert_ptr_nonnull(throttle);
    ck_assert_int_lt(fd, 0);
    ck_assert(is_over(throttle));
    throttle_free(throttle);
}
END_TEST

START_TEST(test_what_is_no_table_is_not_used)
{
    size_t size = throttle_size(THROTTLE_KEYS_MAX);
    int fds[] = {
        new_memfd(size, F_SEAL_SHRINK),     /* all zero */
        new_memfd(size, F_SEAL_GROW),       /* may shrink */
        new_memfd(size - 1, F_SEAL_SHRINK), /* too small */
        new_memfd(0, F_SEAL_SHRINK),        /* empty */
        open("/dev/null", O_RDWR | O_CLOEXEC),
    };

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        ck_assert_ptr_null(throttle_store_open(&fds[i]));
        ck_assert_int_lt(fds[i], 0);
    }
}
END_TEST

SUITE("throttle_store", NULL, NULL, test_a_new_table_is_empty, test_a_table_goes_on_with_its_counts,
      test_what_is_no_table_is_not_used)
