/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/state.h"

#include "base/fd.h"
#include "base/macro.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The head of the memory, which each version must find where its predecessor has it. */
enum {
    AT_MAGIC = 0,
    AT_VERSION = 8,
    AT_SERVICE_SIZE = 12,
    AT_N_USED = 16,
    AT_SERVICES = 32,
};

static struct state *state;

static void set_up(void)
{
    ck_assert_int_eq(state_new(&state), 0);
}

static void tear_down(void)
{
    state_free(state);
}

/* What a successor makes of the memory. */
static int open_again(struct state **ret)
{
    int fd = fcntl(state_fd(state), F_DUPFD_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    int r = state_open(&fd, ret);
    fd_close(fd);
    return r;
}

START_TEST(test_a_successor_finds_what_was_written)
{
    struct service_state *service = state_claim(state, "smtp");
    struct state *next;

    service->statistics.n_accepted = 7;
    service->pool.n_slots = POOL_WORKERS_MAX;
    *state_next_connection_id(state) = 4711;
    ck_assert_int_eq(open_again(&next), 0);
    const struct service_state *found = state_find(next, "smtp");
    ck_assert_ptr_nonnull(found);
    ck_assert_uint_eq(found->statistics.n_accepted, 7);
    ck_assert_uint_eq(*state_next_connection_id(next), 4711);
    ck_assert_ptr_null(state_find(next, "pop"));
    service->statistics.n_accepted++;
    ck_assert_uint_eq(found->statistics.n_accepted, 8);
    state_free(next);
}
END_TEST

START_TEST(test_another_layout_is_not_taken_over)
{
    static const struct {
        off_t at;
        uint64_t value;
        size_t size;
    } changes[] = {
        {AT_MAGIC, 1, 8},
        {AT_VERSION, 3, 4},
        {AT_SERVICE_SIZE, sizeof(struct service_state) + 8, 4},
        {AT_N_USED, STATE_SERVICES_MAX + 1, 8},
        {AT_SERVICES + offsetof(struct service_state, pool.n_slots), POOL_WORKERS_MAX + 1,
         sizeof(((struct pool *)NULL)->n_slots)},
    };
    struct state *next;
    char bytes[8];

    memset(state_claim(state, "smtp")->unit_name, 'x', sizeof("smtp") - 1);
    for (size_t i = 0; i < ELEMENTSOF(changes); i++) {
        ck_assert_int_eq(pread(state_fd(state), bytes, changes[i].size, changes[i].at),
                         (ssize_t)changes[i].size);
        ck_assert_int_eq(pwrite(state_fd(state), &changes[i].value, changes[i].size, changes[i].at),
                         (ssize_t)changes[i].size);
        ck_assert_msg(open_again(&next) == -EPROTO, "change %zu", i);
        (void)!pwrite(state_fd(state), bytes, changes[i].size, changes[i].at);
    }
    ck_assert_int_eq(open_again(&next), 0);
    state_free(next);
    memset(state_claim(state, "pop")->unit_name, 'x', 40);
    ck_assert_int_eq(open_again(&next), -EPROTO);
}
END_TEST

START_TEST(test_memory_of_another_size_is_not_taken_over)
{
    struct state *next;
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

    ck_assert_int_eq(state_open(&fd, &next), -EPROTO);
    ck_assert_int_ge(fd, 0);
    fd_close(fd);
}
END_TEST

START_TEST(test_a_place_that_is_free_again_is_empty)
{
    struct service_state *first = state_claim(state, "first");

    ck_assert_ptr_ne(state_claim(state, "second"), first);
    first->statistics.n_accepted = 1;
    first->pool.n_slots = 2;
    first->fingerprints[0] = 3;
    state_release(first);
    ck_assert_ptr_null(state_find(state, "first"));
    ck_assert_ptr_eq(state_claim(state, "third"), first);
    ck_assert_uint_eq(first->statistics.n_accepted, 0);
    ck_assert_uint_eq(first->pool.n_slots, 0);
    ck_assert_uint_eq(first->fingerprints[0], 0);
}
END_TEST

START_TEST(test_there_is_an_end_of_places)
{
    char name[40];

    for (unsigned i = 0; i < STATE_SERVICES_MAX; i++) {
        snprintf(name, sizeof(name), "s%u", i);
        ck_assert_ptr_nonnull(state_claim(state, name));
    }
    ck_assert_ptr_null(state_claim(state, "more"));
}
END_TEST

START_TEST(test_what_changes_after_the_farewell_is_private)
{
    struct service_state *service = state_claim(state, "smtp");
    struct state *next;

    service->statistics.n_accepted = 7;
    ck_assert_int_eq(state_detach(state), 0);
    service->statistics.n_accepted = 8;
    ck_assert_int_eq(open_again(&next), 0);
    ck_assert_uint_eq(state_find(next, "smtp")->statistics.n_accepted, 7);
    state_free(next);
}
END_TEST

START_TEST(test_services_of_the_same_name_go_on_counting)
{
    struct state *next;

    state_claim(state, "smtp")->statistics.n_accepted = 7;
    *state_next_connection_id(state) = 4711;
    ck_assert_int_eq(state_new(&next), 0);
    struct service_state *pop = state_claim(next, "pop"), *smtp = state_claim(next, "smtp");
    state_inherit(next, state, 1000000);
    ck_assert_uint_eq(smtp->statistics.n_accepted, 7);
    ck_assert_uint_eq(pop->statistics.n_accepted, 0);
    ck_assert_uint_eq(*state_next_connection_id(next), 4711);
    state_free(next);
}
END_TEST

START_TEST(test_records_are_used_again_and_have_an_end)
{
    struct passed_record *first = state_claim_record(state), *second = state_claim_record(state);

    ck_assert_uint_eq(state_record_number(state, second), 1);
    state_keep_record(second, 4711);
    ck_assert_uint_eq(state_record(state, 1)->id, 4711);
    state_release_record(state, first);
    ck_assert_ptr_eq(state_claim_record(state), first);
    state_release_record(state, second);
    ck_assert_uint_eq(second->id, 0);
    ck_assert_uint_eq(state_n_records(state), 2);
    ck_assert_ptr_eq(state_claim_record(state), second);
    for (unsigned i = 2; i < STATE_RECORDS_MAX; i++)
        ck_assert_ptr_nonnull(state_claim_record(state));
    ck_assert_ptr_null(state_claim_record(state));
}
END_TEST

SUITE("state", set_up, tear_down, test_a_successor_finds_what_was_written,
      test_another_layout_is_not_taken_over, test_memory_of_another_size_is_not_taken_over,
      test_a_place_that_is_free_again_is_empty, test_there_is_an_end_of_places,
      test_what_changes_after_the_farewell_is_private,
      test_services_of_the_same_name_go_on_counting, test_records_are_used_again_and_have_an_end)
