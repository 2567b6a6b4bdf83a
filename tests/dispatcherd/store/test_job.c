/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Why systemd stops the daemon, asked over a bus that a process of the test plays. */
#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/store/job.h"
#include "dispatcherd/store/systemd_bus.h"
#include "support/suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNIT_PATH SYSTEMD_BUS_PATH "/unit/dispatcherd_2eservice"
#define JOB_PATH  SYSTEMD_BUS_PATH "/job/4711"

/* Far more than two seconds, and far less than what libsystemd waits for of its own. */
#define PATIENCE_USEC (15 * USEC_PER_SEC)

/* What the played systemd answers. */
struct played {
    bool has_no_unit;
    bool has_odd_job;      /* its property is of another type */
    const char *job_type;  /* NULL: there is no job */
    const char *silent_at; /* the method, or property, that is not answered */
};

static char folder[] = "/tmp/job-XXXXXX";
static char path[64];
static int listener = -1;
static pid_t player;
static char line[256];

static void take(_unused_ struct follower *follower, json_t *event)
{
    snprintf(line, sizeof(line), "%s", json_string_value(json_object_get(event, "text")));
}

static struct follower follower = {.take = take};

static void set_up(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char variable[80];

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/bus", folder);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    snprintf(variable, sizeof(variable), "unix:path=%s", path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, 8), 0);
    ck_assert_int_eq(setenv("DBUS_SYSTEM_BUS_ADDRESS", variable, true), 0);
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    if (player > 0) {
        kill(player, SIGKILL);
        waitpid(player, NULL, 0);
    }
    fd_close(listener);
    unlink(path);
    rmdir(folder);
}

static int answer_property(sd_bus_message *message, const struct played *played)
{
    const char *interface, *name;
    int r = sd_bus_message_read(message, "ss", &interface, &name);

    if (r < 0)
        return r;
    if (played->silent_at && strcmp(name, played->silent_at) == 0)
        return 1;
    if (strcmp(name, "JobType") == 0 && strcmp(sd_bus_message_get_path(message), JOB_PATH) == 0)
        return sd_bus_reply_method_return(message, "v", "s", played->job_type);
    if (strcmp(name, "Job") != 0 || strcmp(sd_bus_message_get_path(message), UNIT_PATH) != 0)
        return 0;
    if (played->has_odd_job)
        return sd_bus_reply_method_return(message, "v", "s", "none");
    return sd_bus_reply_method_return(message, "v", "(uo)", played->job_type ? 4711 : 0,
                                      played->job_type ? JOB_PATH : "/");
}

static int answer(sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
    const struct played *played = userdata;
    const char *member = sd_bus_message_get_member(message);
    uint32_t pid;

    if (!member || (played->silent_at && strcmp(member, played->silent_at) == 0))
        return 1;
    if (strcmp(member, "Hello") == 0)
        return sd_bus_reply_method_return(message, "s", ":1.1");
    if (strcmp(member, "Get") == 0)
        return answer_property(message, played);
    if (strcmp(member, "GetUnitByPID") != 0)
        return 0;
    if (played->has_no_unit || sd_bus_message_read(message, "u", &pid) < 0 || pid != 0)
        return sd_bus_reply_method_errorf(message, SYSTEMD_BUS_NAME ".NoUnitForPID", "No unit");
    return sd_bus_reply_method_return(message, "o", UNIT_PATH);
}

static int serve(const struct played *played)
{
    sd_id128_t id;
    sd_bus *bus;

    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 || sd_id128_randomize(&id) < 0 || sd_bus_new(&bus) < 0 ||
        sd_bus_set_fd(bus, fd, fd) < 0 || sd_bus_set_server(bus, true, id) < 0 ||
        sd_bus_start(bus) < 0 || sd_bus_add_filter(bus, NULL, answer, (void *)played) < 0)
        return EXIT_FAILURE;
    for (;;) {
        int r = sd_bus_process(bus, NULL);

        if (r < 0 || (r == 0 && sd_bus_wait(bus, UINT64_MAX) < 0))
            return EXIT_SUCCESS;
    }
}

/* What job_ask() says of a systemd that answers so. */
static enum job_type ask(const struct played *played)
{
    player = fork();
    ck_assert_int_ge(player, 0);
    if (player == 0)
        _exit(serve(played));
    enum job_type type = job_ask();
    kill(player, SIGKILL);
    waitpid(player, NULL, 0);
    player = 0;
    return type;
}

static void check(const struct played *played, enum job_type wanted)
{
    line[0] = '\0';
    enum job_type type = ask(played);
    ck_assert_str_eq(job_type_to_string(type), job_type_to_string(wanted));
    if (wanted == JOB_UNKNOWN)
        ck_assert_int_eq(strncmp(line, "cannot ask systemd why it stops this process: ", 46), 0);
    else
        ck_assert_str_eq(line, "");
}

START_TEST(test_a_job_is_a_stop_or_begins_anew)
{
    static const struct {
        const char *job;
        enum job_type type;
    } cases[] = {{NULL, JOB_NONE},
                 {"stop", JOB_STOP},
                 {"restart", JOB_RESTART},
                 {"try-restart", JOB_RESTART},
                 {"start", JOB_RESTART}};

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        check(&(struct played){.job_type = cases[i].job}, cases[i].type);
}
END_TEST

START_TEST(test_each_type_has_a_name)
{
    ck_assert_str_eq(job_type_to_string(JOB_NONE), "none");
    ck_assert_str_eq(job_type_to_string(JOB_STOP), "stop");
    ck_assert_str_eq(job_type_to_string(JOB_RESTART), "restart");
    ck_assert_str_eq(job_type_to_string(JOB_UNKNOWN), "unknown");
}
END_TEST

/* Started by hand; or a job that ends between two questions. */
START_TEST(test_what_systemd_does_not_know_is_unknown)
{
    check(&(struct played){.has_no_unit = true}, JOB_UNKNOWN);
    check(&(struct played){.job_type = "stop", .has_odd_job = true}, JOB_UNKNOWN);
}
END_TEST

START_TEST(test_without_a_bus_it_is_unknown)
{
    listener = fd_close(listener);
    ck_assert_int_eq(job_ask(), JOB_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(line, "Connection refused"));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(job_ask(), JOB_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(line, "No such file or directory"));
}
END_TEST

/* A systemd that hangs must not keep the daemon from its end. */
START_TEST(test_a_silent_systemd_is_not_waited_for)
{
    static const char *const questions[] = {"GetUnitByPID", "JobType"};

    for (size_t i = 0; i < ELEMENTSOF(questions); i++) {
        uint64_t at = time_now_usec(CLOCK_MONOTONIC);

        check(&(struct played){.job_type = "stop", .silent_at = questions[i]}, JOB_UNKNOWN);
        ck_assert_uint_lt(time_now_usec(CLOCK_MONOTONIC) - at, PATIENCE_USEC);
    }
}
END_TEST

/* Nor must a bus: one that does not greet, and one that takes connections and reads nothing. */
START_TEST(test_a_silent_bus_is_not_waited_for)
{
    uint64_t at = time_now_usec(CLOCK_MONOTONIC);

    check(&(struct played){.job_type = "stop", .silent_at = "Hello"}, JOB_UNKNOWN);
    ck_assert_uint_lt(time_now_usec(CLOCK_MONOTONIC) - at, PATIENCE_USEC);
    at = time_now_usec(CLOCK_MONOTONIC);
    ck_assert_int_eq(job_ask(), JOB_UNKNOWN);
    ck_assert_uint_lt(time_now_usec(CLOCK_MONOTONIC) - at, PATIENCE_USEC);
}
END_TEST

SUITE("job", set_up, tear_down, test_a_job_is_a_stop_or_begins_anew, test_each_type_has_a_name,
      test_what_systemd_does_not_know_is_unknown, test_without_a_bus_it_is_unknown,
      test_a_silent_systemd_is_not_waited_for, test_a_silent_bus_is_not_waited_for)
