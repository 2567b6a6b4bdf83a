/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The generator's units, in a /run of the test's own, which takes root. */
#include "base/macro.h"
#include "dispatcherd/config/units_due.h"
#include "generator/environment.h"
#include "generator/units.h"
#include "support/suite.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG    CONFIG_DIR "/dispatcher.cnf"
#define GENERATED "/run/systemd/generator"

static uint16_t port_25[] = {25}, port_110[] = {110};
static struct service_options services[2];
static const struct config config = {.services = services, .n_services = ELEMENTSOF(services)};
static struct unit_marks marks;
static struct due_list due;

static void set_up(void)
{
    services[0] = (struct service_options){
        .name = (char *)"SMTP",
        .unit_name = (char *)"smtp",
        .origin = {.file = CONFIG, .line = 7},
        .is_enabled = true,
        .port = {.ports = port_25, .n_ports = 1},
        .tls_port = {.ports = port_25, .n_ports = 1},
        .backlog = 50,
        .image = (char *)"/usr/libexec/dispatcherd/tcp_smtp_server",
    };
    services[1] = services[0];
    services[1].name = (char *)"POP3";
    services[1].unit_name = (char *)"pop3";
    services[1].port.ports = services[1].tls_port.ports = port_110;
}

static void tear_down(void)
{
    unit_marks_clear(&marks);
    due_clear(&due);
}

static void path_of(const char *name, char path[256])
{
    snprintf(path, 256, "%s/%s", GENERATED, name);
}

static void write_unit(const char *name, const char *text)
{
    char path[256];

    path_of(name, path);
    FILE *stream = fopen(path, "we");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs(text, stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
}

static void remove_unit(const char *name)
{
    char path[256];

    path_of(name, path);
    ck_assert_int_eq(unlink(path), 0);
}

/* What a daemon-reload writes for the services as they are. */
static void generate(void)
{
    const struct unit_environment environment = unit_environment_here(CONFIG);
    struct problem_list problems = {0};
    struct unit_list units = {0};

    ck_assert_int_eq(units_make(&config, &environment, &problems, &units), 0);
    ck_assert_uint_eq(problems.n_errors, 0);
    for (size_t i = 0; i < units.n_items; i++)
        if (!strchr(units.items[i].path, '/'))
            write_unit(units.items[i].path, units.items[i].text);
    problem_list_clear(&problems);
    unit_list_clear(&units);
}

/* Returns whether the test can have a /run of its own, as on a host with systemd. */
static bool begin(void)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0) {
        printf("# skipped: only root can mount a /run\n");
        return false;
    }
    ck_assert_int_eq(mkdir("/run/systemd", 0755), 0);
    ck_assert_int_eq(mkdir("/run/systemd/system", 0755), 0);
    ck_assert_int_eq(mkdir(GENERATED, 0755), 0);
    return true;
}

/* The same, with a daemon that has started with the units of both services. */
static bool begin_in_order(void)
{
    if (!begin())
        return false;
    generate();
    unit_marks_take(&marks);
    return true;
}

static void compare(const struct unit_marks *with)
{
    const struct units_due_question question = {
        .config = &config, .config_file = CONFIG, .marks = with};

    due_clear(&due);
    ck_assert_int_eq(units_due(&question, &due), 0);
}

static void check_nothing_due(void)
{
    compare(&marks);
    ck_assert_msg(due.n_items == 0, "%s", due.n_items > 0 ? due.items[0].text : "");
}

static void check_item(size_t i, const char *service, unsigned kinds, const char *text)
{
    ck_assert_uint_gt(due.n_items, i);
    ck_assert_str_eq(due.items[i].text, text);
    ck_assert_str_eq(due.items[i].service, service);
    ck_assert_uint_eq(due.items[i].kinds, kinds);
    ck_assert_str_eq(due.items[i].file, CONFIG);
}

/* That alone is due, for the first service. */
static void check_due(unsigned kinds, const char *text)
{
    compare(&marks);
    check_item(0, "SMTP", kinds, text);
    ck_assert_uint_eq(due.items[0].line, 7);
    ck_assert_uint_eq(due.n_items, 1);
}

START_TEST(test_applies_to_the_generators_file_under_systemd)
{
    if (!begin())
        return;
    ck_assert(units_due_applies(CONFIG));
    ck_assert(!units_due_applies("/tmp/dispatcher.cnf"));
    ck_assert_int_eq(rmdir("/run/systemd/system"), 0);
    ck_assert(!units_due_applies(CONFIG));
    check_nothing_due();
}
END_TEST

START_TEST(test_with_all_units_in_force_nothing_is_due)
{
    if (!begin_in_order())
        return;
    check_nothing_due();
    compare(NULL);
    ck_assert_uint_eq(due.n_items, 0);
}
END_TEST

START_TEST(test_each_unit_can_be_missing)
{
    static const char *const units[] = {"dispatcherd-smtp.socket", "dispatcherd-smtp-tls.socket",
                                        "dispatcherd-smtp-worker.socket",
                                        "dispatcherd-smtp-worker@.service"};

    if (!begin_in_order())
        return;
    for (size_t i = 0; i < ELEMENTSOF(units); i++) {
        remove_unit(units[i]);
        check_due(DUE_DAEMON_RELOAD | DUE_RESTART, "systemd has not loaded all units of SMTP yet");
        generate();
    }
    check_nothing_due();
}
END_TEST

START_TEST(test_other_sockets_take_a_reload_and_a_restart)
{
    static const char text[] = "the sockets of SMTP do not match the configuration yet";

    if (!begin_in_order())
        return;
    services[0].port.ports = port_110;
    check_due(DUE_DAEMON_RELOAD | DUE_RESTART, text);
    services[0].port.ports = port_25;
    services[0].tls_port.n_ports = 0;
    check_due(DUE_DAEMON_RELOAD | DUE_RESTART, text);
}
END_TEST

/* systemd listens already, but passes sockets only at a start. */
START_TEST(test_sockets_made_since_the_start_take_a_restart)
{
    static const char text[] = "dispatcherd does not have systemd's new sockets of SMTP yet";

    if (!begin_in_order())
        return;
    services[0].port.ports = port_110;
    generate();
    check_due(DUE_RESTART, text);
    compare(NULL); /* no daemon runs */
    ck_assert_uint_eq(due.n_items, 0);
    unit_marks_clear(&marks);
    unit_marks_take(&marks);
    check_nothing_due();
    unit_marks_clear(&marks); /* there were none at the start */
    compare(&marks);
    ck_assert_uint_eq(due.n_items, 2);
    check_item(0, "SMTP", DUE_RESTART, text);
}
END_TEST

/* The daemon sets it itself; the unit is for the next start. */
START_TEST(test_another_backlog_takes_no_restart)
{
    if (!begin_in_order())
        return;
    services[0].backlog = 51;
    check_due(DUE_DAEMON_RELOAD, "the BACKLOG of SMTP is in force, but not yet in its socket unit");
    generate();
    check_nothing_due();
}
END_TEST

START_TEST(test_another_unit_of_workers_takes_a_reload)
{
    static const char text[] = "systemd still starts workers of SMTP from their old unit";

    if (!begin_in_order())
        return;
    write_unit("dispatcherd-smtp-worker@.service", "[Service]\n");
    check_due(DUE_DAEMON_RELOAD | DUE_RELOAD, text);
    write_unit("dispatcherd-smtp.socket", "[Socket]\n");
    compare(&marks);
    ck_assert_uint_eq(due.n_items, 2);
    check_item(0, "SMTP", DUE_DAEMON_RELOAD | DUE_RESTART,
               "the sockets of SMTP do not match the configuration yet");
    check_item(1, "SMTP", DUE_DAEMON_RELOAD | DUE_RELOAD, text);
}
END_TEST

/* One was disabled, one is no longer in the file. */
START_TEST(test_sockets_of_nobody_are_due)
{
    if (!begin_in_order())
        return;
    services[1].is_enabled = false;
    compare(&marks);
    ck_assert_uint_eq(due.n_items, 1);
    check_item(0, "POP3", DUE_DAEMON_RELOAD | DUE_RESTART,
               "POP3 is no longer in force, but systemd still has its sockets: its clients are "
               "turned away");
    ck_assert_uint_eq(due.items[0].line, 0);
    write_unit("dispatcherd-imap-worker.socket", "[Socket]\n");
    compare(&marks);
    ck_assert_uint_eq(due.n_items, 2);
    ck_assert(due_has_service(&due, "IMAP"));
}
END_TEST

START_TEST(test_units_of_others_are_left_alone)
{
    static const char *const units[] = {
        "dispatcherd-imap.socket",          "dispatcherd-worker.socket",
        "dispatcherd--worker.socket",       "imap-worker.socket",
        "dispatcherd-imap-worker.socket.d", "dispatcherd-x-worker@.service"};

    if (!begin_in_order())
        return;
    for (size_t i = 0; i < ELEMENTSOF(units); i++) {
        write_unit(units[i], "[Socket]\n");
        check_nothing_due();
    }
}
END_TEST

START_TEST(test_without_a_generator_there_are_no_marks)
{
    if (!begin())
        return;
    unit_marks_take(&marks);
    ck_assert_uint_eq(marks.n_items, 0);
    ck_assert_int_eq(rmdir(GENERATED), 0);
    unit_marks_take(&marks);
    ck_assert_uint_eq(marks.n_items, 0);
    compare(&marks);
    ck_assert_uint_eq(due.n_items, 2);
    ck_assert_uint_eq(due.kinds, DUE_DAEMON_RELOAD | DUE_RESTART);
}
END_TEST

SUITE("units_due", set_up, tear_down, test_applies_to_the_generators_file_under_systemd,
      test_with_all_units_in_force_nothing_is_due, test_each_unit_can_be_missing,
      test_other_sockets_take_a_reload_and_a_restart,
      test_sockets_made_since_the_start_take_a_restart, test_another_backlog_takes_no_restart,
      test_another_unit_of_workers_takes_a_reload, test_sockets_of_nobody_are_due,
      test_units_of_others_are_left_alone, test_without_a_generator_there_are_no_marks)
