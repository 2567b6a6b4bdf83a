/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Every cell of the table of a connection's states: each step from each state. One that the table
 * does not allow ends the process. */
#include "support/suite.h"

#include "base/time.h"
#include "dispatcherd/control_scene.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum step {
    STEP_CHECK,
    STEP_WAIT,
    STEP_TAKE_BACK,
    STEP_HAND_OFF,
    STEP_ACTIVATE,
    STEP_PASS_ON,
    STEP_TAKE_UP,
    STEP_PUT_BACK,
    STEP_CLOSE,
    N_STEPS
};

static struct control_scene scene;
static struct service *service;
static struct worker *worker;
static uint64_t now;

static void setup(void)
{
    scene_init(&scene, "[SERVICE=TEST]\nPORT=25\nIMAGE=/bin/true\nMAX_CONNS=20\n");
    service = scene.services[0];
    worker = scene_add_worker(&scene, 0, 0, 4711);
    now = time_now_usec(CLOCK_MONOTONIC);
}

static void teardown(void)
{
    scene_clear(&scene);
}

static void take(struct connection *connection, enum step step)
{
    switch (step) {
    case STEP_CHECK:
        connection_check(connection);
        break;
    case STEP_WAIT:
        connection_wait(connection, now);
        break;
    case STEP_TAKE_BACK:
        connection_take_back(connection, now);
        break;
    case STEP_HAND_OFF:
        connection_hand_off(connection, worker, now);
        break;
    case STEP_ACTIVATE:
        connection_activate(connection, now);
        break;
    case STEP_PASS_ON:
        connection_pass_on(connection, now);
        break;
    case STEP_TAKE_UP:
        connection_take_up(connection, worker);
        break;
    case STEP_PUT_BACK: {
        int fd = eventfd(0, EFD_CLOEXEC);

        assert(connection->state >= CONNECTION_ACTIVE); /* nobody else has anything to put back */
        connection_put_back(connection, &fd, now);
        break;
    }
    default:
        connection_close(connection, now);
        break;
    }
}

/* By the shortest way. In the state closed there is no connection any more. */
static struct connection *bring_to(enum connection_state state)
{
    int fd = eventfd(0, EFD_CLOEXEC);
    struct connection *connection = connection_new(service, &fd, now);

    ck_assert_ptr_nonnull(connection);
    ck_assert_int_eq(fd, -1);
    if (state >= CONNECTION_CHECKING)
        take(connection, STEP_CHECK);
    if (state >= CONNECTION_WAITING)
        take(connection, STEP_WAIT);
    if (state >= CONNECTION_HANDOFF)
        take(connection, STEP_HAND_OFF);
    if (state >= CONNECTION_ACTIVE)
        take(connection, STEP_ACTIVATE);
    if (state >= CONNECTION_PASSED_ON)
        take(connection, STEP_PASS_ON);
    ck_assert_int_eq(connection->state, state);
    return connection;
}

/* The state afterwards; N_CONNECTION_STATES: it must not be. */
#define NOT N_CONNECTION_STATES
#define CHE CONNECTION_CHECKING
#define WAI CONNECTION_WAITING
#define HAN CONNECTION_HANDOFF
#define ACT CONNECTION_ACTIVE
#define PAS CONNECTION_PASSED_ON
#define CLO CONNECTION_CLOSED

static const enum connection_state outcomes[CONNECTION_CLOSED][N_STEPS] = {
    /*                        check wait back  hand act. pass take put  close */
    [CONNECTION_ACCEPTED] = {CHE, NOT, NOT, NOT, NOT, NOT, NOT, NOT, NOT},
    [CONNECTION_CHECKING] = {NOT, WAI, WAI, NOT, NOT, NOT, NOT, NOT, CLO},
    [CONNECTION_WAITING] = {NOT, NOT, NOT, HAN, NOT, NOT, NOT, NOT, CLO},
    [CONNECTION_HANDOFF] = {NOT, WAI, WAI, NOT, ACT, NOT, NOT, NOT, CLO},
    [CONNECTION_ACTIVE] = {NOT, NOT, NOT, NOT, NOT, PAS, NOT, WAI, CLO},
    [CONNECTION_PASSED_ON] = {NOT, NOT, NOT, NOT, NOT, NOT, ACT, WAI, CLO},
};

/* The counters that hold a connection, of the pool and of the worker. */
static void check_counters(enum connection_state state)
{
    const struct pool *pool = service->pool;

    ck_assert_uint_eq(pool->n_checking, state == CONNECTION_CHECKING);
    ck_assert_uint_eq(pool->n_waiting, state == CONNECTION_WAITING);
    ck_assert_uint_eq(pool->n_handoffs, state == CONNECTION_HANDOFF);
    ck_assert_uint_eq(pool->n_active, state == CONNECTION_ACTIVE);
    ck_assert_uint_eq(pool->n_passed_on, state == CONNECTION_PASSED_ON);
    ck_assert_uint_eq(pool_worker_load(worker_in_pool(worker)),
                      state == CONNECTION_HANDOFF || state == CONNECTION_ACTIVE);
    ck_assert_uint_eq(worker->n_held, state == CONNECTION_HANDOFF || state == CONNECTION_ACTIVE);
    ck_assert_int_eq(TAILQ_EMPTY(&service->waiting), state != CONNECTION_WAITING);
}

/* It frees what waits, and what workers have. */
static void leave_to_scene(struct connection *connection)
{
    if (connection->state == CONNECTION_ACCEPTED)
        connection_check(connection);
    if (connection->state == CONNECTION_CHECKING)
        connection_wait(connection, now);
    if (connection->state == CONNECTION_PASSED_ON)
        connection_close(connection, now);
}

static void check_allowed(enum connection_state state, enum step step)
{
    enum connection_state next = outcomes[state][step];
    struct connection *connection = bring_to(state);
    int fd = connection->fd;

    check_counters(state);
    take(connection, step);
    check_counters(next);
    /* Our copy of the socket is closed as soon as the worker has it. */
    ck_assert_int_eq(fd >= 0 && fcntl(fd, F_GETFD) >= 0,
                     next < CONNECTION_ACTIVE && state < CONNECTION_ACTIVE);
    if (next == CONNECTION_CLOSED)
        return;
    ck_assert_int_eq(connection->state, next);
    ck_assert_int_eq(connection->worker != NULL,
                     next == CONNECTION_HANDOFF || next == CONNECTION_ACTIVE);
    leave_to_scene(connection);
}

static void check_refused(enum connection_state state, enum step step)
{
    struct connection *connection = bring_to(state);
    int status = 0;
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        /* What assert() says is no news, and neither is a core file. */
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        take(connection, step);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "step %d when %s", step,
                  connection_state_to_string(state));
    leave_to_scene(connection);
}

START_TEST(test_each_step_from_each_state)
{
    for (unsigned state = 0; state < CONNECTION_CLOSED; state++)
        for (unsigned step = 0; step < N_STEPS; step++) {
            setup();
            if (outcomes[state][step] == NOT)
                check_refused(state, step);
            else
                check_allowed(state, step);
            teardown();
        }
}
END_TEST

/* One that a worker had, and could not keep, is the next one; one that was never sent to it is no
 * failed hand-off. */
START_TEST(test_what_comes_back_waits_before_all_others)
{
    for (int is_failed = 0; is_failed < 2; is_failed++) {
        setup();
        struct connection *first = bring_to(CONNECTION_HANDOFF);
        struct connection *second = bring_to(CONNECTION_WAITING);
        uint64_t since = first->waiting_since;

        now += USEC_PER_SEC;
        take(first, is_failed ? STEP_WAIT : STEP_TAKE_BACK);
        ck_assert_ptr_eq(TAILQ_FIRST(&service->waiting), first);
        ck_assert_ptr_eq(TAILQ_NEXT(first, queue_link), second);
        ck_assert_uint_eq(first->waiting_since, since);
        ck_assert_uint_eq(service->statistics->n_failed_handoffs, (unsigned)is_failed);
        teardown();
    }
}
END_TEST

START_TEST(test_an_adopted_connection_is_active_from_the_start)
{
    setup();
    struct connection *connection = connection_adopt(worker, 7, now);

    ck_assert_int_eq(connection->state, CONNECTION_ACTIVE);
    ck_assert_int_eq(connection->fd, -1);
    ck_assert_uint_eq(connection->id, 7);
    check_counters(CONNECTION_ACTIVE);
    connection_close(connection, now);
    check_counters(CONNECTION_CLOSED);
    teardown();
}
END_TEST

START_TEST(test_states_have_names)
{
    for (unsigned state = 0; state < N_CONNECTION_STATES; state++)
        ck_assert_uint_gt(strlen(connection_state_to_string(state)), 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("connection");

    ADD_TESTS(suite, "table", test_each_step_from_each_state,
              test_an_adopted_connection_is_active_from_the_start, test_states_have_names);
    ADD_TESTS(suite, "coming back", test_what_comes_back_waits_before_all_others);
    return suite;
}
