/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "dispatcherd/limits/task_room.h"

#include <string.h>

static struct service_options services[3];
static struct config config;

/* 1,000 workers of 50, ten of one, and a thousand of a service that is off. */
static void setup(void)
{
    static char names[3][8] = {"SMTP", "POP3", "OFF"};
    static const unsigned procs[] = {1000, 10, 1000}, conns[] = {50, 1, 100};

    config = (struct config){.services = services, .n_services = 3};
    for (size_t i = 0; i < 3; i++)
        services[i] = (struct service_options){
            .name = names[i],
            .unit_name = names[i],
            .is_enabled = i < 2,
            .max_procs = procs[i],
            .max_conns = conns[i],
            .origin = {.file = "dispatcher.cnf", .line = (unsigned)i + 1},
        };
}

static void expect(struct task_limits limits, const char *part)
{
    char text[TASK_ROOM_TEXT_MAX];

    ck_assert_int_eq(task_room_fits(&config, &limits, text), part == NULL);
    ck_assert_msg(!part || strstr(text, part), "%s", text);
}

START_TEST(test_whatever_does_not_fit_is_named_with_the_figures)
{
    setup();
    ck_assert_uint_eq(task_room_needed(&config), 1000 * 51 + 10 * 2);
    expect((struct task_limits){0}, NULL);
    expect((struct task_limits){.pid_max = 4194304, .threads_max = 200000}, NULL);
    expect((struct task_limits){.pid_max = 32768},
           "51020 threads (MAX_PROCS times MAX_CONNS; SMTP: 1000 times 50), but the sysctl "
           "kernel.pid_max allows 32768 on the whole machine");
    expect((struct task_limits){.pid_max = 32768}, "sysctl kernel.pid_max=52020");
    expect((struct task_limits){.pid_max = 52019}, "kernel.pid_max");
    expect((struct task_limits){.pid_max = 52020}, NULL);
    expect((struct task_limits){.threads_max = 52019}, "kernel.threads-max allows 52019");
    expect((struct task_limits){.group_max = 51019, .group = "dispatcherd.slice"},
           "but dispatcherd.slice allows 51019: workers could not be started when they are needed");
    expect((struct task_limits){.group_max = 51020}, NULL);
}
END_TEST

static size_t n_warnings(const struct problem_list *problems, const char *beginning)
{
    char text[1024];

    for (size_t i = 0; i < problems->n_items; i++) {
        problem_format(&problems->items[i], text, sizeof(text));
        ck_assert_msg(strncmp(text, beginning, strlen(beginning)) == 0, "%s", text);
    }
    ck_assert_uint_eq(problems->n_errors, 0);
    return problems->n_items;
}

START_TEST(test_a_warning_stands_at_its_option)
{
    struct problem_list problems = {0};

    setup();
    task_room_check(&config, &(struct task_limits){.pid_max = 60000}, &problems);
    ck_assert_uint_eq(n_warnings(&problems, ""), 0);
    services[0].origins[OPTION_MAX_PROCS] = (struct origin){.file = "dispatcher.cnf", .line = 17};
    task_room_check(&config, &(struct task_limits){.pid_max = 32768}, &problems);
    ck_assert_uint_eq(n_warnings(&problems, "dispatcher.cnf:17: warning: the workers of all"), 1);
    problem_list_clear(&problems);

    problems = (struct problem_list){0};
    task_room_check_worker(&services[0], 0, &problems);
    task_room_check_worker(&services[0], 51, &problems);
    ck_assert_uint_eq(n_warnings(&problems, ""), 0);
    task_room_check_worker(&services[0], 50, &problems);
    ck_assert_uint_eq(
        n_warnings(&problems, "dispatcher.cnf:1: warning: a worker of SMTP needs 51 threads"), 1);
    problem_list_clear(&problems);
}
END_TEST

SUITE("task_room", NULL, NULL, test_whatever_does_not_fit_is_named_with_the_figures,
      test_a_warning_stands_at_its_option)
