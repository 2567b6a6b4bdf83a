/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/time.h"
#include "dispatcherd/checks/decisions_store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct address client = {.family = AF_INET, .bytes = {192, 0, 2, 9}};

static int new_memfd(size_t size, unsigned seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

START_TEST(test_a_new_log_is_empty)
{
    struct decisions *decisions;
    int store_error;

    ck_assert_int_eq(decisions_store_new("name.1", &decisions, &store_error), 0);
    ck_assert_int_eq(store_error, 0);
    ck_assert_uint_eq(decisions_n(decisions), 0);
    ck_assert_uint_le(decisions_since(decisions), time_now_usec(CLOCK_MONOTONIC));
    decisions_free(decisions);
}
END_TEST

START_TEST(test_a_log_goes_on_with_its_decisions)
{
    size_t size = decisions_size(DECISIONS_MAX);
    int fd = new_memfd(size, F_SEAL_SHRINK | F_SEAL_GROW);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    decisions_note(
        decisions_format(memory, DECISIONS_MAX, 1),
        &(struct access_decision_facts){
            .at = 2, .client = &client, .local = &client, .service = "SMTP", .reason = "mapping"});
    ck_assert_int_eq(munmap(memory, size), 0);
    struct decisions *decisions = decisions_store_open(&fd);
    ck_assert_ptr_nonnull(decisions);
    ck_assert_int_lt(fd, 0);
    const struct access_decision *decision = decisions_next(decisions, &client, NULL, NULL);
    ck_assert_ptr_nonnull(decision);
    ck_assert_str_eq(decision->reason, "mapping");
    decisions_free(decisions);
}
END_TEST

START_TEST(test_what_is_no_log_is_not_used)
{
    size_t size = decisions_size(DECISIONS_MAX);
    int fds[] = {
        new_memfd(size, F_SEAL_SHRINK),     /* all zero */
        new_memfd(size, F_SEAL_GROW),       /* may shrink */
        new_memfd(size - 1, F_SEAL_SHRINK), /* too small */
        new_memfd(0, F_SEAL_SHRINK),        /* empty */
        open("/dev/null", O_RDWR | O_CLOEXEC),
    };

    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        ck_assert_ptr_null(decisions_store_open(&fds[i]));
        ck_assert_int_lt(fds[i], 0);
    }
}
END_TEST

SUITE("decisions_store", NULL, NULL, test_a_new_log_is_empty, test_a_log_goes_on_with_its_decisions,
      test_what_is_no_log_is_not_used)
