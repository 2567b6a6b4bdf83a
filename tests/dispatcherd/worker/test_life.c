/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Every cell of a worker's table: each event in each state, what it comes to, and why. */
#include "support/suite.h"

#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/messages/orders.h"
#include "dispatcherd/process/spawner.h"
#include "dispatcherd/worker/channel.h"
#include "dispatcherd/worker/life.h"
#include "protocol/channel.h"
#include "protocol/message.h"

#include <signal.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    N_PLACES = 20,
    NUMBER = 4711, /* of an ADOPT */
    STOP_LIMIT_SEC = 100
};

static struct control_scene scene;
static struct service *service;
static struct worker *worker;
static int theirs;
static alignas(8) uint8_t bytes[512];
static struct message message;
static struct worker_happening how;

static void setup(void)
{
    scene_init(&scene, "[SERVICE=TEST]\nPORT=25\nIMAGE=/bin/true\nMAX_CONNS=20\n");
    scene.context.spawner = &spawner_unit;
    scene.context.stop_limit_sec = STOP_LIMIT_SEC;
    service = scene.services[0];
    worker = NULL;
    theirs = -1;
}

static void teardown(void)
{
    fd_close(theirs);
    scene_clear(&scene);
}

/* `pid` 0: its process is not known. */
static void make_worker(enum decision_reason reason, pid_t pid, bool is_child)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    theirs = pair[1];
    worker = worker_new(service, 0, reason, &pair[0], time_now_usec(CLOCK_MONOTONIC));
    ck_assert_ptr_nonnull(worker);
    ck_assert_int_eq(worker_channel_watch(worker), 0);
    ck_assert_int_eq(worker_life_begin(worker), 0);
    if (pid > 0)
        ck_assert_int_eq(worker_watch_process(worker, pid, is_child), 0);
}

static void read_message(size_t length)
{
    ck_assert_int_eq(message_read(bytes, length, &message), 0);
    how.message = &message;
}

static void make_hello(void)
{
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_HELLO);

    message_text_add_number(&text, "VERSION_MIN", PROTOCOL_VERSION);
    message_text_add_number(&text, "VERSION_MAX", PROTOCOL_VERSION);
    read_message(text.length);
}

static void make_answer(uint64_t number)
{
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_ANSWER);

    message_text_add_number(&text, "NUMBER", number);
    read_message(text.length);
}

static const struct worker_cause cause = {.result = "success", .code = "exited", .status = "0"};

/* What comes with an event. */
static void prepare(enum worker_event event)
{
    const struct connection_record record = {.id = 7};

    how = (struct worker_happening){.reason = REASON_SURPLUS, .limit_sec = 50, .cause = &cause};
    how.fault = (struct worker_fault){"is tested", NULL};
    if (event == WORKER_SAYS_HELLO)
        make_hello();
    else if (event == WORKER_SAYS_ANSWER)
        make_answer(NUMBER);
    else if (event == WORKER_SAYS_HELD)
        read_message(message_write_connection(bytes, sizeof(bytes), MESSAGE_HELD, &record, "", ""));
    else if (event == WORKER_SAYS_READY)
        read_message(message_write_value(bytes, sizeof(bytes), MESSAGE_READY, N_PLACES));
}

static void happen(enum worker_event event)
{
    prepare(event);
    worker_happens(worker, event, &how);
}

/* Brings a new worker there, by the shortest way. It is a unit's, and its process does not end. */
static void bring_to(enum worker_state state)
{
    make_worker(state == WORKER_ADOPTED ? REASON_ADOPTED : REASON_MINIMUM, getpid(), false);
    if (state >= WORKER_WELCOMED)
        happen(WORKER_SAYS_HELLO);
    if (state >= WORKER_READY)
        happen(WORKER_SAYS_READY);
    if (state == WORKER_DRAINING)
        happen(WORKER_SAYS_DRAINS);
    if (state == WORKER_LINGERING)
        happen(WORKER_CAUSE_IS_KNOWN);
    if (state == WORKER_CLOSED)
        happen(WORKER_CHANNEL_ENDS);
    if (state == WORKER_EXITED || state == WORKER_LINGERING)
        happen(WORKER_PROCESS_ENDS);
    ck_assert_int_eq(worker->state, state);
    ck_assert_ptr_null(worker->lost_reason);
}

/* The state afterwards, in the order of the states before; and the reason for which the worker was
 * given up by that, where it was. */
struct outcome {
    enum worker_state next[N_WORKER_STATES];
    const char *reason[N_WORKER_STATES];
};

#define STA WORKER_STARTING
#define ADO WORKER_ADOPTED
#define WEL WORKER_WELCOMED
#define REA WORKER_READY
#define DRA WORKER_DRAINING
#define CLO WORKER_CLOSED
#define EXI WORKER_EXITED
#define LIN WORKER_LINGERING

static const char twice[] = "has sent HELLO twice";
static const char unasked[] = "has sent HELD without being asked";
static const char answered[] = "has sent ANSWER without being asked";
static const char untimely[] = "has sent READY out of order or with an invalid number";
static const char late[] = "was not ready within 30 s";
static const char silent[] =
    "has not answered the new dispatcherd, which asked for its connections";
static const char stuck[] = "has lost its channel and does not exit";
static const char unneeded[] = "was no longer needed";

static const struct outcome outcomes[N_WORKER_EVENTS] = {
    [WORKER_SAYS_HELLO] = {{WEL, CLO, CLO, CLO, CLO, CLO, EXI, LIN},
                           {NULL, twice, twice, twice, twice, NULL, NULL, NULL}},
    /* Without ADOPT having had a number. */
    [WORKER_SAYS_ANSWER] = {{CLO, CLO, CLO, CLO, CLO, CLO, EXI, LIN},
                            {answered, answered, answered, answered, answered, NULL, NULL, NULL}},
    [WORKER_SAYS_HELD] = {{CLO, ADO, CLO, CLO, CLO, CLO, EXI, LIN},
                          {unasked, NULL, unasked, unasked, unasked, NULL, NULL, NULL}},
    [WORKER_SAYS_READY] = {{CLO, REA, REA, CLO, DRA, CLO, EXI, LIN},
                           {untimely, NULL, NULL, untimely, NULL, NULL, NULL, NULL}},
    [WORKER_SAYS_DRAINS] = {{STA, ADO, WEL, DRA, DRA, CLO, EXI, LIN}, {NULL}},
    [WORKER_BREAKS_RULE] = {{CLO, CLO, CLO, CLO, CLO, CLO, EXI, LIN},
                            {"is tested", "is tested", "is tested", "is tested", "is tested"}},
    [WORKER_HAS_FAULT] = {{CLO, CLO, CLO, CLO, CLO, CLO, EXI, LIN},
                          {"is tested", "is tested", "is tested", "is tested", "is tested"}},
    [WORKER_CHANNEL_ENDS] = {{CLO, CLO, CLO, CLO, CLO, CLO, EXI, LIN}, {NULL}},
    [WORKER_TIME_IS_OVER] = {{CLO, CLO, CLO, REA, DRA, CLO, LIN, LIN},
                             {late, silent, late, NULL, NULL, stuck, NULL, NULL}},
    [WORKER_RETIRE] = {{CLO, CLO, CLO, DRA, DRA, CLO, EXI, LIN},
                       {unneeded, unneeded, unneeded, NULL, NULL, unneeded, unneeded, NULL}},
    [WORKER_HURRY] = {{STA, ADO, WEL, REA, DRA, CLO, EXI, LIN}, {NULL}},
    [WORKER_CUT] = {{CLO, CLO, CLO, CLO, CLO, CLO, EXI, LIN},
                    {"cut", "cut", "cut", "cut", "cut", "cut", "cut", "cut"}},
    [WORKER_PROCESS_ENDS] = {{EXI, EXI, EXI, EXI, EXI, EXI, EXI, LIN}, {NULL}},
    [WORKER_CAUSE_IS_KNOWN] = {{STA, ADO, WEL, REA, DRA, CLO, LIN, LIN}, {NULL}},
};

static void say(enum worker_event event)
{
    happen(event);
    ck_assert_ptr_null(worker->lost_reason);
}

static void answer(uint64_t number)
{
    make_answer(number);
    worker_happens(worker, WORKER_SAYS_ANSWER, &how);
}

/* Two predecessors have died before they read what they had asked for. */
START_TEST(test_answers_to_predecessors_do_not_count)
{
    setup();
    bring_to(WORKER_ADOPTED);
    worker->awaited_answer = NUMBER;
    /* The beginning of this one was read. */
    say(WORKER_SAYS_HELD);
    say(WORKER_SAYS_READY);
    answer(NUMBER - 1);
    say(WORKER_SAYS_HELD);
    say(WORKER_SAYS_READY);
    ck_assert_int_eq(worker->state, WORKER_ADOPTED);
    ck_assert_uint_eq(worker->n_held, 0);
    say(WORKER_SAYS_ANSWER);
    say(WORKER_SAYS_HELD);
    say(WORKER_SAYS_READY);
    ck_assert_int_eq(worker->state, WORKER_READY);
    ck_assert_uint_eq(worker->n_held, 1);
    teardown();
}
END_TEST

START_TEST(test_an_answer_has_a_number_and_comes_once)
{
    setup();
    bring_to(WORKER_ADOPTED);
    worker->awaited_answer = NUMBER;
    read_message(message_write_value(bytes, sizeof(bytes), MESSAGE_ANSWER, 0));
    worker_happens(worker, WORKER_SAYS_ANSWER, &how);
    ck_assert_str_eq(worker->lost_reason, "has sent ANSWER without a number");
    teardown();
    setup();
    bring_to(WORKER_ADOPTED);
    worker->awaited_answer = NUMBER;
    say(WORKER_SAYS_ANSWER);
    happen(WORKER_SAYS_ANSWER);
    ck_assert_str_eq(worker->lost_reason, answered);
    teardown();
}
END_TEST

static void check_agreement(void)
{
    enum pool_worker_state in_pool = worker_in_pool(worker)->state;

    ck_assert_int_eq(worker->channel >= 0, worker->state < WORKER_CLOSED);
    ck_assert_int_eq(worker->channel_source != NULL, worker->state < WORKER_CLOSED);
    ck_assert_int_eq(worker->exit_source != NULL, worker->state < WORKER_EXITED);
    ck_assert_int_eq(in_pool == POOL_WORKER_READY, worker->state == WORKER_READY);
    if (worker->state < WORKER_READY)
        ck_assert_int_eq(in_pool, POOL_WORKER_STARTING);
    if (worker->state == WORKER_DRAINING || worker->state == WORKER_LINGERING)
        ck_assert_int_eq(in_pool, POOL_WORKER_DRAINING);
}

/* What an event leaves behind beside the state. */
static void check_effect(enum worker_event event, enum worker_state before)
{
    bool drains = before == WORKER_DRAINING;

    if (event == WORKER_SAYS_DRAINS)
        drains |= before == WORKER_STARTING || before == WORKER_WELCOMED || before == WORKER_READY;
    ck_assert_int_eq(worker->has_drained, drains);
    ck_assert_int_eq(worker->is_told_to_stop, event == WORKER_HURRY && before == WORKER_DRAINING);
    ck_assert_int_eq(worker->retire_reason, event == WORKER_RETIRE && before != WORKER_LINGERING
                                                ? REASON_SURPLUS
                                                : REASON_NONE);
    ck_assert_int_eq(worker->cause[0] != '\0',
                     event == WORKER_CAUSE_IS_KNOWN || before == WORKER_LINGERING);
    ck_assert_uint_eq(worker->n_held, event == WORKER_SAYS_HELD && before == WORKER_ADOPTED);
}

START_TEST(test_each_event_in_each_state)
{
    for (unsigned event = 0; event < N_WORKER_EVENTS; event++)
        for (unsigned state = 0; state < N_WORKER_STATES; state++) {
            const char *reason = outcomes[event].reason[state];

            setup();
            bring_to(state);
            happen(event);
            ck_assert_msg(worker->state == outcomes[event].next[state], "%s when %s: %s",
                          worker_event_to_string(event), worker_state_to_string(state),
                          worker_state_to_string(worker->state));
            ck_assert_msg((worker->lost_reason == NULL) == (reason == NULL),
                          "%s when %s: reason %s", worker_event_to_string(event),
                          worker_state_to_string(state),
                          worker->lost_reason ? worker->lost_reason : "none");
            if (reason)
                ck_assert_str_eq(worker->lost_reason, reason);
            check_agreement();
            check_effect(event, state);
            teardown();
        }
}
END_TEST

/* Microseconds until its timer rings; UINT64_MAX: it does not. */
static uint64_t time_left(void)
{
    uint64_t at = worker->limit_timer.at, now = time_now_usec(CLOCK_MONOTONIC);

    ck_assert(timer_is_made(&worker->limit_timer));
    return at == UINT64_MAX ? UINT64_MAX : at > now ? at - now : 0;
}

static void check_time_left(uint64_t usec)
{
    ck_assert_uint_le(time_left(), usec);
    ck_assert_uint_ge(time_left() + USEC_PER_SEC / 2, usec);
}

START_TEST(test_each_state_has_one_time_limit)
{
    static const uint64_t limits[N_WORKER_STATES] = {
        [WORKER_STARTING] = 30 * USEC_PER_SEC, [WORKER_ADOPTED] = 10 * USEC_PER_SEC,
        [WORKER_WELCOMED] = 30 * USEC_PER_SEC, [WORKER_READY] = UINT64_MAX,
        [WORKER_DRAINING] = 5 * USEC_PER_SEC,  [WORKER_CLOSED] = 5 * USEC_PER_SEC,
        [WORKER_EXITED] = 3 * USEC_PER_SEC,    [WORKER_LINGERING] = 20 * USEC_PER_MSEC,
    };

    for (unsigned state = 0; state < N_WORKER_STATES; state++) {
        setup();
        bring_to(state);
        if (limits[state] == UINT64_MAX)
            ck_assert_uint_eq(time_left(), UINT64_MAX);
        else
            check_time_left(limits[state]);
        teardown();
    }
}
END_TEST

static struct connection *hand_off(void)
{
    struct connection *connection = scene_add_connection(&scene, 0, NULL);

    connection_hand_off(connection, worker, time_now_usec(CLOCK_MONOTONIC));
    return connection;
}

/* The limit begins with the oldest of them. */
START_TEST(test_a_handoff_that_is_not_acknowledged_is_the_end)
{
    for (int drains = 0; drains < 2; drains++) {
        setup();
        bring_to(WORKER_READY);
        struct connection *first = hand_off(), *last = hand_off();
        first->handed_at -= 4 * USEC_PER_SEC;
        if (drains)
            happen(WORKER_SAYS_DRAINS);
        happen(WORKER_TIME_IS_OVER);
        ck_assert_int_eq(worker->state, drains ? WORKER_DRAINING : WORKER_READY);
        check_time_left(USEC_PER_SEC);
        first->handed_at -= USEC_PER_SEC;
        happen(WORKER_TIME_IS_OVER);
        ck_assert_int_eq(worker->state, WORKER_CLOSED);
        ck_assert_str_eq(worker->lost_reason, "has not acknowledged a connection for 5 s");
        ck_assert_int_eq(first->state, CONNECTION_WAITING);
        ck_assert_int_eq(last->state, CONNECTION_WAITING);
        teardown();
    }
}
END_TEST

START_TEST(test_a_drain_has_an_end)
{
    static const struct {
        bool has_session;
        unsigned age_sec;
        const char *reason;
    } cases[] = {
        {false, 29, NULL},
        {false, 30, "drains, has no sessions, and does not exit"},
        {true, 30, NULL},
        {true, STOP_LIMIT_SEC + 4, NULL},
        {true, STOP_LIMIT_SEC + 5, "drains for longer than its limit"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        uint64_t age = cases[i].age_sec * USEC_PER_SEC;

        setup();
        bring_to(WORKER_READY);
        if (cases[i].has_session)
            connection_activate(hand_off(), time_now_usec(CLOCK_MONOTONIC));
        happen(WORKER_SAYS_DRAINS);
        service->pool->workers[0].idle_since -= age;
        worker->drains_since -= age;
        worker->drains_until -= age;
        happen(WORKER_TIME_IS_OVER);
        ck_assert_int_eq(worker->state, cases[i].reason ? WORKER_CLOSED : WORKER_DRAINING);
        if (cases[i].reason)
            ck_assert_str_eq(worker->lost_reason, cases[i].reason);
        teardown();
    }
}
END_TEST

/* Sessions have the time of a stop, and no more than what was left of a drain's. */
START_TEST(test_sessions_go_on_without_a_channel)
{
    for (int drains = 0; drains < 2; drains++) {
        setup();
        bring_to(WORKER_READY);
        struct connection *connection = hand_off();
        connection_activate(connection, time_now_usec(CLOCK_MONOTONIC));
        if (drains)
            happen(WORKER_RETIRE);
        happen(WORKER_CHANNEL_ENDS);
        ck_assert_int_eq(connection->state, CONNECTION_ACTIVE);
        check_time_left((drains ? 50 + 5 : STOP_LIMIT_SEC + 5) * USEC_PER_SEC);
        happen(WORKER_TIME_IS_OVER);
        ck_assert_str_eq(worker->lost_reason, stuck);
        check_time_left(10 * USEC_PER_SEC);
        teardown();
    }
}
END_TEST

/* Whichever it says first: it gets no connection. */
START_TEST(test_a_worker_that_drains_before_it_is_ready_gets_nothing)
{
    setup();
    bring_to(WORKER_WELCOMED);
    happen(WORKER_SAYS_DRAINS);
    happen(WORKER_SAYS_READY);
    ck_assert_int_eq(worker->state, WORKER_DRAINING);
    ck_assert_ptr_null(worker->lost_reason);
    check_agreement();
    teardown();
}
END_TEST

START_TEST(test_ready_for_none_or_too_many_is_a_lie)
{
    static const uint32_t numbers[] = {0, N_PLACES + 1, UINT32_MAX};

    for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
        setup();
        bring_to(WORKER_WELCOMED);
        read_message(message_write_value(bytes, sizeof(bytes), MESSAGE_READY, numbers[i]));
        worker_happens(worker, WORKER_SAYS_READY, &how);
        ck_assert_int_eq(worker->state, WORKER_CLOSED);
        ck_assert_str_eq(worker->lost_reason, untimely);
        teardown();
    }
}
END_TEST

/* Returns the type of the next message that the worker got; 0: there is none. */
static uint32_t heard(void)
{
    static uint64_t buffer[MESSAGE_BYTES_MAX / sizeof(uint64_t)];
    struct message got;
    int fds[MESSAGE_FDS_MAX];
    size_t n_fds;
    pid_t pid;
    ssize_t length = channel_receive(theirs, buffer, sizeof(buffer), fds, &n_fds, &pid);

    if (length <= 0)
        return 0;
    ck_assert_int_eq(message_read(buffer, (size_t)length, &got), 0);
    return got.type;
}

START_TEST(test_it_is_told_what_it_must_know)
{
    setup();
    bring_to(WORKER_WELCOMED);
    ck_assert_uint_eq(heard(), MESSAGE_WELCOME);
    happen(WORKER_SAYS_READY);
    worker->knows.stop = true;
    happen(WORKER_RETIRE);
    ck_assert_uint_eq(heard(), MESSAGE_DRAIN);
    happen(WORKER_HURRY);
    ck_assert_uint_eq(heard(), MESSAGE_STOP);
    happen(WORKER_HURRY);
    ck_assert_uint_eq(heard(), 0);
    teardown();
}
END_TEST

/* What changed before it was ready, and what its predecessor may have told it. */
START_TEST(test_it_knows_the_debug_mask_when_it_is_ready)
{
    setup();
    bring_to(WORKER_WELCOMED);
    ck_assert_uint_eq(heard(), MESSAGE_WELCOME);
    order_debug_all(service);
    ck_assert_uint_eq(heard(), 0);
    happen(WORKER_SAYS_READY);
    ck_assert_uint_eq(heard(), MESSAGE_DEBUG);
    ck_assert_uint_eq(heard(), 0);
    order_debug_all(service);
    ck_assert_uint_eq(heard(), MESSAGE_DEBUG);
    teardown();
    setup();
    bring_to(WORKER_ADOPTED);
    happen(WORKER_SAYS_READY);
    ck_assert_uint_eq(heard(), MESSAGE_DEBUG);
    ck_assert_uint_eq(heard(), 0);
    teardown();
    setup();
    bring_to(WORKER_READY);
    ck_assert_uint_eq(heard(), MESSAGE_WELCOME);
    ck_assert_uint_eq(heard(), 0);
    teardown();
}
END_TEST

static bool is_gone(void)
{
    return service->workers[0] == NULL && service->pool->workers[0].state == POOL_WORKER_NONE;
}

/* A unit's that is never known by its process, and one whose process and unit are gone. */
START_TEST(test_the_end_of_a_unit_frees_its_place)
{
    setup();
    make_worker(REASON_MINIMUM, 0, false);
    happen(WORKER_CHANNEL_ENDS);
    ck_assert_int_eq(worker->state, WORKER_CLOSED);
    theirs = fd_close(theirs);
    ck_assert_int_ge(sd_event_run(scene.context.event, UINT64_MAX), 0);
    ck_assert(is_gone());
    teardown();

    for (unsigned state = WORKER_EXITED; state <= WORKER_LINGERING; state++) {
        setup();
        bring_to(state);
        theirs = fd_close(theirs);
        happen(WORKER_TIME_IS_OVER);
        ck_assert(is_gone());
        teardown();
    }
}
END_TEST

/* In each state that it can be in by then. */
START_TEST(test_the_end_of_a_child_frees_its_place)
{
    for (unsigned state = WORKER_STARTING; state <= WORKER_CLOSED; state++) {
        pid_t pid = fork();

        if (pid == 0)
            for (;;)
                pause();
        ck_assert_int_gt(pid, 0);
        setup();
        make_worker(state == WORKER_ADOPTED ? REASON_ADOPTED : REASON_MINIMUM, pid, true);
        if (state >= WORKER_WELCOMED)
            happen(WORKER_SAYS_HELLO);
        if (state >= WORKER_READY)
            happen(WORKER_SAYS_READY);
        if (state == WORKER_DRAINING)
            happen(WORKER_RETIRE);
        if (state == WORKER_CLOSED)
            happen(WORKER_CHANNEL_ENDS);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        while (service->workers[0])
            ck_assert_int_ge(sd_event_run(scene.context.event, UINT64_MAX), 0);
        ck_assert(is_gone());
        ck_assert_int_lt(waitpid(pid, NULL, WNOHANG), 0);
        teardown();
    }
}
END_TEST

START_TEST(test_states_and_events_have_names)
{
    for (unsigned state = 0; state < N_WORKER_STATES; state++)
        ck_assert_uint_gt(strlen(worker_state_to_string(state)), 0);
    for (unsigned event = 0; event < N_WORKER_EVENTS; event++)
        ck_assert_uint_gt(strlen(worker_event_to_string(event)), 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("life");

    ADD_TESTS(suite, "table", test_each_event_in_each_state, test_states_and_events_have_names,
              test_answers_to_predecessors_do_not_count,
              test_an_answer_has_a_number_and_comes_once);
    ADD_TESTS(suite, "limits", test_each_state_has_one_time_limit,
              test_a_handoff_that_is_not_acknowledged_is_the_end, test_a_drain_has_an_end,
              test_sessions_go_on_without_a_channel);
    ADD_TESTS(suite, "words", test_a_worker_that_drains_before_it_is_ready_gets_nothing,
              test_ready_for_none_or_too_many_is_a_lie, test_it_is_told_what_it_must_know,
              test_it_knows_the_debug_mask_when_it_is_ready);
    ADD_TESTS(suite, "end", test_the_end_of_a_unit_frees_its_place,
              test_the_end_of_a_child_frees_its_place);
    return suite;
}
