/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The test is the machine: fopen(3) finds the files below, and no others of /proc and /sys. And it
 * is the bus: the functions of systemd_bus.h, and the question itself, are its own. */
#include "dispatcherd/limits/task_limits.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/store/systemd_bus.h"
#include "support/suite.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILES_MAX 8

static struct {
    const char *path, *text;
} files[FILES_MAX];
static size_t n_files;

static bool has_bus, is_answered;
static uint64_t answer;
static char asked_about[192];
static unsigned n_lines;
static char last_line[1024];

/* Check opens its own. */
FILE *fopen(const char *restrict path, const char *restrict mode)
{
    union {
        void *found;
        FILE *(*call)(const char *, const char *);
    } other = {.found = dlsym(RTLD_NEXT, "fopen")};

    for (size_t i = 0; i < n_files; i++)
        if (strcmp(files[i].path, path) == 0)
            return fmemopen((char *)files[i].text, strlen(files[i].text), "r");
    if (strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/sys/", 5) == 0) {
        errno = ENOENT;
        return NULL;
    }
    return other.call(path, mode);
}

/* The texts must live as long as the test. */
static void add_file(const char *path, const char *text)
{
    ck_assert_uint_lt(n_files, FILES_MAX);
    files[n_files].path = path;
    files[n_files++].text = text;
}

static void check_group(const struct task_limits *limits, uint64_t max, const char *name)
{
    ck_assert_uint_eq(limits->group_max, max);
    ck_assert_str_eq(limits->group, name);
}

int systemd_bus_open(sd_bus **ret)
{
    *ret = NULL;
    return has_bus ? 0 : -ENOENT;
}

void systemd_bus_close(sd_bus **bus)
{
    (void)bus;
}

void systemd_bus_message_unref(sd_bus_message **message)
{
    (void)message;
}

int systemd_bus_find_own_unit(sd_bus *bus, char **ret_path)
{
    (void)bus;
    (void)ret_path;
    return -ENXIO;
}

int sd_bus_get_property_trivial(sd_bus *bus, const char *destination, const char *path,
                                const char *interface, const char *member, sd_bus_error *ret_error,
                                char type, void *ret)
{
    (void)bus;
    (void)ret_error;
    ck_assert_str_eq(destination, "org.freedesktop.systemd1");
    ck_assert_str_eq(interface, "org.freedesktop.systemd1.Service");
    ck_assert_str_eq(member, "TasksMax");
    ck_assert_int_eq(type, 't');
    snprintf(asked_about, sizeof(asked_about), "%s", path);
    if (!is_answered)
        return -ETIMEDOUT;
    memcpy(ret, &answer, sizeof(answer));
    return 0;
}

static void take(_unused_ struct follower *follower, json_t *event)
{
    const char *id = json_string_value(json_object_get(event, "message_id"));

    ck_assert_str_eq(id, MESSAGE_ID_CONFIG_WARNING);
    n_lines++;
    snprintf(last_line, sizeof(last_line), "%s", json_string_value(json_object_get(event, "text")));
}

static struct follower follower = {.take = take};

static void set_up(void)
{
    has_bus = is_answered = true;
    answer = 4915;
    n_files = 0;
    n_lines = 0;
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
}

START_TEST(test_reads_the_limits_of_the_kernel)
{
    struct task_limits limits;

    add_file("/proc/sys/kernel/pid_max", "4194304\n");
    add_file("/proc/sys/kernel/threads-max", "127000\n");
    task_limits_read(false, &limits);
    ck_assert_uint_eq(limits.pid_max, 4194304);
    ck_assert_uint_eq(limits.threads_max, 127000);
    check_group(&limits, 0, "");
}
END_TEST

START_TEST(test_what_cannot_be_read_is_not_known)
{
    struct task_limits limits;

    memset(&limits, 0xff, sizeof(limits));
    add_file("/proc/sys/kernel/pid_max", "");
    add_file("/proc/sys/kernel/threads-max", "many\n");
    task_limits_read(false, &limits);
    ck_assert_uint_eq(limits.pid_max, 0);
    ck_assert_uint_eq(limits.threads_max, 0);
    check_group(&limits, 0, "");
    n_files = 0;
    task_limits_read(true, &limits);
    ck_assert_uint_eq(limits.pid_max, 0);
    ck_assert_uint_eq(limits.threads_max, 0);
    check_group(&limits, 0, "");
}
END_TEST

START_TEST(test_units_are_in_their_slice)
{
    struct task_limits limits;

    add_file("/proc/self/cgroup", "0::/system.slice/dispatcherd.service\n");
    add_file("/sys/fs/cgroup/system.slice/dispatcherd.service/pids.max", "100\n");
    add_file("/sys/fs/cgroup/dispatcherd.slice/pids.max", "9000\n");
    task_limits_read(true, &limits);
    check_group(&limits, 9000, "dispatcherd.slice");
    task_limits_read(false, &limits);
    check_group(&limits, 100, "dispatcherd.service");
}
END_TEST

/* A limit of a group is one for all groups in it. */
START_TEST(test_the_lowest_limit_around_our_own_group_counts)
{
    struct task_limits limits;

    add_file("/proc/self/cgroup", "0::/a.slice/b.slice/c.service\n");
    add_file("/sys/fs/cgroup/a.slice/b.slice/c.service/pids.max", "300\n");
    add_file("/sys/fs/cgroup/a.slice/b.slice/pids.max", "200\n");
    add_file("/sys/fs/cgroup/a.slice/pids.max", "250\n");
    /* That of the root is none of a unit. */
    add_file("/sys/fs/cgroup/pids.max", "7\n");
    task_limits_read(false, &limits);
    check_group(&limits, 200, "b.slice");
}
END_TEST

START_TEST(test_of_equal_limits_the_inner_one_is_named)
{
    struct task_limits limits;

    add_file("/proc/self/cgroup", "0::/a.slice/b.service\n");
    add_file("/sys/fs/cgroup/a.slice/pids.max", "200\n");
    add_file("/sys/fs/cgroup/a.slice/b.service/pids.max", "200\n");
    task_limits_read(false, &limits);
    check_group(&limits, 200, "b.service");
}
END_TEST

START_TEST(test_a_group_without_a_limit_does_not_hide_that_around_it)
{
    struct task_limits limits;

    add_file("/proc/self/cgroup", "0::/a.slice/b.service\n");
    add_file("/sys/fs/cgroup/a.slice/b.service/pids.max", "max\n");
    task_limits_read(false, &limits);
    check_group(&limits, 0, "");
    add_file("/sys/fs/cgroup/a.slice/pids.max", "5000\n");
    task_limits_read(false, &limits);
    check_group(&limits, 5000, "a.slice");
}
END_TEST

START_TEST(test_only_groups_of_version_2_are_read)
{
    struct task_limits limits;

    add_file("/proc/self/cgroup", "8:pids:/a.slice\n1:cpu:/a.slice\n0::/b.slice\n");
    add_file("/sys/fs/cgroup/a.slice/pids.max", "5\n");
    add_file("/sys/fs/cgroup/b.slice/pids.max", "6\n");
    task_limits_read(false, &limits);
    check_group(&limits, 6, "b.slice");
    n_files = 0;
    add_file("/proc/self/cgroup", "8:pids:/a.slice\n");
    add_file("/sys/fs/cgroup/a.slice/pids.max", "5\n");
    task_limits_read(false, &limits);
    check_group(&limits, 0, "");
    n_files = 0;
    add_file("/proc/self/cgroup", "0::/\n"); /* the root group */
    add_file("/sys/fs/cgroup//pids.max", "7\n");
    task_limits_read(false, &limits);
    check_group(&limits, 0, "");
}
END_TEST

START_TEST(test_a_long_name_of_a_unit_is_cut)
{
    static const char name[] =
        "a-unit-whose-name-has-more-bytes-than-what-is-kept-of-it-for-the-log-line.service";
    static char group[128], path[192];
    struct task_limits limits;

    ck_assert_uint_gt(strlen(name), sizeof(limits.group));
    snprintf(group, sizeof(group), "0::/%s\n", name);
    snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/pids.max", name);
    add_file("/proc/self/cgroup", group);
    add_file(path, "5\n");
    task_limits_read(false, &limits);
    ck_assert_uint_eq(limits.group_max, 5);
    ck_assert_uint_eq(strlen(limits.group), sizeof(limits.group) - 1);
    ck_assert_mem_eq(limits.group, name, sizeof(limits.group) - 1);
}
END_TEST

/* A configuration of one service. */
static void report_for(bool is_unit, unsigned max_procs, unsigned max_conns)
{
    static char name[] = "SMTP", unit_name[] = "smtp";
    struct service_options service = {.name = name,
                                      .unit_name = unit_name,
                                      .is_enabled = true,
                                      .max_procs = max_procs,
                                      .max_conns = max_conns};
    const struct config config = {.services = &service, .n_services = 1};

    n_lines = 0;
    task_limits_report(&config, is_unit);
}

START_TEST(test_reports_a_configuration_that_does_not_fit)
{
    add_file("/proc/self/cgroup", "0::/a.slice\n");
    add_file("/sys/fs/cgroup/a.slice/pids.max", "10\n");
    add_file("/sys/fs/cgroup/dispatcherd.slice/pids.max", "1000\n");
    report_for(true, 100, 100);
    ck_assert_uint_eq(n_lines, 1);
    ck_assert_ptr_nonnull(strstr(last_line, "dispatcherd.slice"));
    report_for(true, 1, 50);
    ck_assert_uint_eq(n_lines, 0);
    report_for(false, 1, 50);
    ck_assert_uint_eq(n_lines, 1);
    ck_assert_ptr_nonnull(strstr(last_line, "a.slice"));
}
END_TEST

START_TEST(test_limits_that_are_not_known_are_not_reported)
{
    report_for(true, 1024, 8192);
    ck_assert_uint_eq(n_lines, 0);
}
END_TEST

START_TEST(test_asks_for_the_limit_of_a_worker)
{
    ck_assert_uint_eq(task_limits_of_worker("smtp"), 4915);
    ck_assert_str_eq(asked_about,
                     SYSTEMD_BUS_PATH "/unit/dispatcherd_2dsmtp_2dworker_40check_2eservice");
    answer = 1;
    ck_assert_uint_eq(task_limits_of_worker("smtp"), 1);
    /* The longest name of a service. */
    ck_assert_uint_eq(task_limits_of_worker("abcdefghijklmnopqrstuvwxyz123456"), 1);
    ck_assert_str_eq(asked_about, SYSTEMD_BUS_PATH
                     "/unit/dispatcherd_2dabcdefghijklmnopqrstuvwxyz123456_2dworker_40check"
                     "_2eservice");
}
END_TEST

START_TEST(test_an_unlimited_worker_has_none)
{
    answer = UINT64_MAX;
    ck_assert_uint_eq(task_limits_of_worker("smtp"), 0);
    answer = UINT64_MAX - 1;
    ck_assert_uint_eq(task_limits_of_worker("smtp"), UINT64_MAX - 1);
}
END_TEST

START_TEST(test_it_is_unknown_without_an_answer)
{
    is_answered = false;
    ck_assert_uint_eq(task_limits_of_worker("smtp"), 0);
    has_bus = false;
    asked_about[0] = '\0';
    ck_assert_uint_eq(task_limits_of_worker("smtp"), 0);
    ck_assert_str_eq(asked_about, "");
}
END_TEST

SUITE("task_limits", set_up, tear_down, test_reads_the_limits_of_the_kernel,
      test_what_cannot_be_read_is_not_known, test_units_are_in_their_slice,
      test_the_lowest_limit_around_our_own_group_counts,
      test_of_equal_limits_the_inner_one_is_named,
      test_a_group_without_a_limit_does_not_hide_that_around_it,
      test_only_groups_of_version_2_are_read, test_a_long_name_of_a_unit_is_cut,
      test_reports_a_configuration_that_does_not_fit,
      test_limits_that_are_not_known_are_not_reported, test_asks_for_the_limit_of_a_worker,
      test_an_unlimited_worker_has_none, test_it_is_unknown_without_an_answer)
