/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "simulate/memory.h"
#include "support/random.h"
#include "support/suite.h"

#define LOOKS_MAX 200

static struct recorded_memory looks[LOOKS_MAX];
static struct recorded_service service;

static void begin(void)
{
    service = (struct recorded_service){.memories = looks};
}

static struct record_memory *add(uint16_t n_workers, uint64_t kib)
{
    struct recorded_memory *look = &looks[service.n_memories++];

    *look = (struct recorded_memory){0};
    look->memory =
        (struct record_memory){.n_workers = n_workers, .n_in_pool = n_workers, .kib = kib};
    return &look->memory;
}

/* Looks at up to ten workers, in which each number is independent of the others. */
static void add_random(struct random_source *random, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct record_memory *memory = add((uint16_t)random_between(random, 1, 10), 0);

        memory->n_sessions = (uint32_t)random_between(random, 0, 50);
        memory->n_peak = (uint32_t)random_between(random, 0, 50);
        memory->n_total = random_between(random, 0, 50);
    }
}

START_TEST(test_nothing_is_known_without_a_look)
{
    begin();
    ck_assert_uint_eq(memory_model_of(&service).n_samples, 0);
    /* One that saw no worker. */
    add(0, 0);
    ck_assert_uint_eq(memory_model_of(&service).n_samples, 0);
}
END_TEST

START_TEST(test_exact_figures_are_found_again)
{
    struct random_source random = random_start();

    for (unsigned cause = 0; cause < N_MEMORY_CAUSES; cause++) {
        begin();
        add_random(&random, LOOKS_MAX);
        for (size_t i = 0; i < service.n_memories; i++) {
            struct record_memory *memory = &looks[i].memory;
            uint64_t counts[] = {memory->n_sessions, memory->n_peak, memory->n_total};

            memory->kib = 3000ull * memory->n_workers + 250 * counts[cause];
        }
        const struct memory_model model = memory_model_of(&service);
        ck_assert_uint_eq(model.n_samples, LOOKS_MAX);
        ck_assert_int_eq(model.cause, cause);
        ck_assert_double_eq_tol(model.worker_kib, 3000, 1e-3);
        ck_assert_double_eq_tol(model.each_kib, 250, 1e-3);
        ck_assert_double_lt(model.error, 1e-6);
    }
}
END_TEST

START_TEST(test_the_error_is_known)
{
    begin();
    /* Ten more and ten less of each 1000: 1 %. */
    for (unsigned i = 0; i < 4; i++)
        add(1, i % 2 ? 990 : 1010);
    const struct memory_model model = memory_model_of(&service);
    ck_assert_double_eq_tol(model.worker_kib, 1000, 1e-9);
    ck_assert_double_eq(model.each_kib, 0);
    ck_assert_double_eq_tol(model.error, 0.01, 1e-9);
}
END_TEST

START_TEST(test_no_part_is_negative)
{
    begin();
    /* Less with more sessions. */
    add(1, 1000);
    add(1, 500)->n_sessions = 10;
    struct memory_model model = memory_model_of(&service);
    ck_assert_double_eq(model.each_kib, 0);
    ck_assert_double_eq_tol(model.worker_kib, 750, 1e-9);
    /* Less than nothing without one. */
    begin();
    add(1, 10)->n_sessions = 10;
    add(1, 1000)->n_sessions = 20;
    model = memory_model_of(&service);
    ck_assert_double_eq(model.worker_kib, 0);
    ck_assert_double_eq_tol(model.each_kib, (10 * 10 + 20 * 1000) / 500.0, 1e-9);
}
END_TEST

START_TEST(test_of_a_pool)
{
    static struct pool pool;
    struct memory_model model = {.n_samples = 1, .worker_kib = 100, .each_kib = 10};

    /* The third one is not ready. */
    for (unsigned slot = 0; slot < 3; slot++)
        pool_worker_started(&pool, slot, 1);
    for (unsigned slot = 0; slot < 2; slot++)
        pool_worker_ready(&pool, slot, 5, 2);
    for (unsigned i = 0; i < 3; i++) {
        pool_handoff_begun(&pool, 0);
        pool_handoff_acknowledged(&pool, 0);
    }
    for (unsigned i = 0; i < 2; i++)
        pool_connection_ended(&pool, 0, 3);
    pool_handoff_begun(&pool, 0);
    pool_handoff_acknowledged(&pool, 0);
    ck_assert_double_eq(memory_of_pool(&model, &pool), 200 + 2 * 10);
    model.cause = MEMORY_PEAK;
    ck_assert_double_eq(memory_of_pool(&model, &pool), 200 + 3 * 10);
    model.cause = MEMORY_CONNECTIONS;
    ck_assert_double_eq(memory_of_pool(&model, &pool), 200 + 4 * 10);
    pool_worker_draining(&pool, 0, 4);
    ck_assert_double_eq(memory_of_pool(&model, &pool), 200 + 4 * 10);
    model.n_samples = 0;
    ck_assert_double_eq(memory_of_pool(&model, &pool), 0);
}
END_TEST

START_TEST(test_some_stand_for_all)
{
    const struct record_memory some = {.n_workers = 2, .n_in_pool = 6, .kib = 500};
    const struct record_memory none = {.n_in_pool = 6};

    ck_assert_double_eq(memory_measured(&some), 1500);
    ck_assert_double_eq(memory_measured(&none), 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("memory");

    ADD_TESTS(suite, "memory", test_nothing_is_known_without_a_look,
              test_exact_figures_are_found_again, test_the_error_is_known, test_no_part_is_negative,
              test_of_a_pool, test_some_stand_for_all);
    return suite;
}
