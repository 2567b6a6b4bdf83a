/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "generator/units.h"

#include <stdlib.h>
#include <string.h>

static const struct unit_environment usual = {
    .source_path = "/etc/dispatcherd/dispatcher.cnf", .user = "dispatcher", .has_ipv6 = true};

static uint16_t port_25[] = {25};

/* A service as the reader of dispatcher.cnf makes it; the tests change what they are about. */
static struct service_options smtp(void)
{
    return (struct service_options){
        .name = (char *)"SMTP",
        .unit_name = (char *)"smtp",
        .is_enabled = true,
        .port = {.ports = port_25, .n_ports = 1},
        .backlog = 50,
        .image = (char *)"/usr/libexec/dispatcherd/tcp_smtp_server",
    };
}

/* Makes the units of one service; ends the test where that fails or has problems. */
static struct unit_list make_with(struct service_options service,
                                  const struct unit_environment *environment)
{
    const struct config config = {.services = &service, .n_services = 1};
    struct problem_list problems = {0};
    struct unit_list units = {0};

    ck_assert_int_eq(units_make(&config, environment, &problems, &units), 0);
    ck_assert_uint_eq(problems.n_errors + problems.n_warnings, 0);
    return units;
}

static struct unit_list make(struct service_options service)
{
    return make_with(service, &usual);
}

static const char *text_of(const struct unit_list *units, const char *path)
{
    const struct unit_file *file = unit_list_find(units, path);

    ck_assert_msg(file != NULL, "no file %s", path);
    return file->text;
}

/* The whole line, and not in a comment. */
static bool has_line(const char *text, const char *line)
{
    size_t length = strlen(line);

    for (const char *s = text; (s = strstr(s, line)); s++)
        if ((s == text || s[-1] == '\n') && s[length] == '\n')
            return true;
    return false;
}

static unsigned count_lines(const char *text, const char *start)
{
    unsigned n = 0;

    for (const char *s = text; s; s = strchr(s, '\n') ? strchr(s, '\n') + 1 : NULL)
        n += strncmp(s, start, strlen(start)) == 0;
    return n;
}

static void assert_lines(const char *text, const char *const lines[])
{
    for (size_t i = 0; lines[i]; i++)
        ck_assert_msg(has_line(text, lines[i]), "no line '%s' in:\n%s", lines[i], text);
}

START_TEST(test_writes_every_file_of_a_service)
{
    static uint16_t ports[] = {465};
    static const char *const paths[] = {
        "dispatcherd-smtp.socket",
        "dispatcherd-smtp-tls.socket",
        "dispatcherd-smtp-worker.socket",
        "dispatcherd-smtp-worker@.service",
        "dispatcherd.service.d/50-sockets.conf",
    };
    struct service_options service = smtp();

    service.tls_port = (struct port_list){.ports = ports, .n_ports = 1};
    struct unit_list units = make(service);
    ck_assert_uint_eq(units.n_items, ELEMENTSOF(paths));
    for (size_t i = 0; i < ELEMENTSOF(paths); i++)
        ck_assert_msg(unit_list_find(&units, paths[i]) != NULL, "no file %s", paths[i]);
    unit_list_clear(&units);
}
END_TEST

START_TEST(test_daemon_wants_every_socket_and_starts_after_it)
{
    struct unit_list units = make(smtp());
    const char *text = text_of(&units, "dispatcherd.service.d/50-sockets.conf");

    assert_lines(text, (const char *const[]){"[Unit]", "Wants=dispatcherd-smtp.socket",
                                             "After=dispatcherd-smtp.socket",
                                             "Wants=dispatcherd-smtp-worker.socket",
                                             "After=dispatcherd-smtp-worker.socket", NULL});
    ck_assert_uint_eq(count_lines(text, "Wants="), 2);
    unit_list_clear(&units);
}
END_TEST

START_TEST(test_writes_the_socket)
{
    struct service_options service = smtp();

    service.backlog = 1024;
    struct unit_list units = make(service);
    const char *text = text_of(&units, "dispatcherd-smtp.socket");
    assert_lines(text, (const char *const[]){
                           "SourcePath=/etc/dispatcherd/dispatcher.cnf", "ListenStream=0.0.0.0:25",
                           "ListenStream=[::]:25", "BindIPv6Only=ipv6-only", "Backlog=1024",
                           "FileDescriptorName=smtp", "Service=dispatcherd.service",
                           "Slice=dispatcherd.slice", "TriggerLimitIntervalSec=0",
                           "StartLimitIntervalSec=0", "FreeBind=yes", NULL});
    ck_assert_uint_eq(count_lines(text, "ListenStream="), 2);
    ck_assert_uint_eq(count_lines(text, "ReusePort="), 0);
    /* Before it is closed: what runs between a stop and a start has clients refused. */
    ck_assert_uint_eq(count_lines(text, "ExecStopPre="), 1);
    ck_assert_uint_eq(count_lines(text, "ExecStopPost="), 0);
    unit_list_clear(&units);
}
END_TEST

START_TEST(test_names_the_tls_socket_after_the_service)
{
    static uint16_t ports[] = {465, 4650};
    struct service_options service = smtp();

    service.name = (char *)"SMTP_Submit";
    service.unit_name = (char *)"smtp_submit";
    service.tls_port = (struct port_list){.ports = ports, .n_ports = 2};
    struct unit_list units = make(service);
    const char *text = text_of(&units, "dispatcherd-smtp_submit-tls.socket");
    assert_lines(text, (const char *const[]){"ListenStream=0.0.0.0:465", "ListenStream=[::]:465",
                                             "ListenStream=0.0.0.0:4650", "ListenStream=[::]:4650",
                                             "FileDescriptorName=smtp_submit-tls", NULL});
    ck_assert_uint_eq(count_lines(text, "ListenStream="), 4);
    unit_list_clear(&units);
}
END_TEST

START_TEST(test_a_service_with_tls_ports_alone_has_no_other_socket)
{
    struct service_options service = smtp();

    service.tls_port = service.port;
    service.port = (struct port_list){0};
    struct unit_list units = make(service);
    ck_assert_ptr_null(unit_list_find(&units, "dispatcherd-smtp.socket"));
    ck_assert_ptr_nonnull(unit_list_find(&units, "dispatcherd-smtp-tls.socket"));
    ck_assert_ptr_null(strstr(text_of(&units, "dispatcherd.service.d/50-sockets.conf"),
                              "dispatcherd-smtp.socket"));
    unit_list_clear(&units);
}
END_TEST

START_TEST(test_leaves_ipv6_out_where_the_kernel_has_none)
{
    struct unit_environment environment = usual;

    environment.has_ipv6 = false;
    struct unit_list units = make_with(smtp(), &environment);
    const char *text = text_of(&units, "dispatcherd-smtp.socket");
    ck_assert(has_line(text, "ListenStream=0.0.0.0:25"));
    ck_assert_uint_eq(count_lines(text, "ListenStream="), 1);
    text = text_of(&units, "dispatcherd-web.socket.d/00-no-ipv6.conf");
    assert_lines(text, (const char *const[]){"[Socket]",
                                             "ListenStream=", "ListenStream=127.0.0.1:7633", NULL});
    unit_list_clear(&units);
}
END_TEST

START_TEST(test_binds_to_the_interface_address_alone)
{
    static const struct {
        const char *address, *line;
    } cases[] = {
        {"192.0.2.10", "ListenStream=192.0.2.10:25"},
        {"2001:DB8::a", "ListenStream=[2001:db8::a]:25"},
        {"fe80::1%eth0", "ListenStream=[fe80::1]:25%%eth0"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct service_options service = smtp();

        service.has_interface_address = true;
        ck_assert_ptr_null(interface_address_parse(cases[i].address, &service.interface_address));
        struct unit_list units = make(service);
        const char *text = text_of(&units, "dispatcherd-smtp.socket");
        assert_lines(text, (const char *const[]){cases[i].line, "FreeBind=yes", NULL});
        ck_assert_uint_eq(count_lines(text, "ListenStream="), 1);
        unit_list_clear(&units);
    }
}
END_TEST

START_TEST(test_writes_what_starts_a_worker)
{
    struct unit_list units = make(smtp());

    assert_lines(text_of(&units, "dispatcherd-smtp-worker.socket"),
                 (const char *const[]){"ListenSequentialPacket=/run/dispatcherd-worker/smtp",
                                       "Accept=yes", "SocketUser=dispatcher", "SocketMode=0600",
                                       "MaxConnections=1024", "TriggerLimitIntervalSec=0",
                                       "StartLimitIntervalSec=0", "PartOf=dispatcherd.slice",
                                       NULL});
    assert_lines(text_of(&units, "dispatcherd-smtp-worker@.service"),
                 (const char *const[]){"Type=notify",
                                       "ExecStart=/usr/libexec/dispatcherd/tcp_smtp_server",
                                       "CollectMode=inactive-or-failed", "StartLimitIntervalSec=0",
                                       "StateDirectory=dispatcherd-smtp", "SyslogIdentifier=SMTP",
                                       "Slice=dispatcherd.slice", "TimeoutStartSec=30",
                                       "WatchdogSec=30", "DynamicUser=yes", "PrivateNetwork=yes",
                                       "Environment=GLIBC_TUNABLES=glibc.rtld.nns=2",
                                       "NoNewPrivileges=yes", "CapabilityBoundingSet=", NULL});
    unit_list_clear(&units);
}
END_TEST

/* An older systemd warns of a line that it does not know, at every daemon-reload. */
/* A number of a line of the worker's unit. */
static uint64_t limit_of(const struct service_options *service, const char *name)
{
    struct unit_list units = make(*service);
    const char *line = strstr(text_of(&units, "dispatcherd-smtp-worker@.service"), name);

    ck_assert_msg(line != NULL, "no line %s", name);
    uint64_t value = strtoull(line + strlen(name), NULL, 10);
    unit_list_clear(&units);
    return value;
}

START_TEST(test_bounds_a_worker_with_room_for_all_its_sessions)
{
    static const struct {
        unsigned max_conns, stacksize_bytes;
        uint64_t stack_bytes;
    } cases[] = {
        {1, 65536, 65536},
        {50, 2048000, 2048000},
        {50, 0, UINT64_C(8) << 20},
        {50, INT32_MAX, INT32_MAX},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct service_options service = smtp();
        /* One thread more than sessions reads the channel. */
        unsigned n_threads = cases[i].max_conns + 1;

        service.max_conns = cases[i].max_conns;
        service.stacksize_bytes = cases[i].stacksize_bytes;
        uint64_t memory = limit_of(&service, "\nMemoryMax=");
        uint64_t tasks = limit_of(&service, "\nTasksMax=");
        ck_assert_uint_ge(memory, n_threads * cases[i].stack_bytes + (UINT64_C(128) << 20));
        ck_assert_uint_lt(memory, (n_threads + 1) * (cases[i].stack_bytes + (8 << 20)) +
                                      (UINT64_C(512) << 20));
        ck_assert_uint_ge(tasks, n_threads + 8);
        ck_assert_uint_lt(tasks, 3 * n_threads + 32);
    }
}
END_TEST

START_TEST(test_a_program_without_memory_ends_alone)
{
    struct service_options service = smtp();
    struct unit_list units = make(service);

    ck_assert(!has_line(text_of(&units, "dispatcherd-smtp-worker@.service"), "OOMPolicy=continue"));
    unit_list_clear(&units);
    service.image = (char *)WORKER_DIR "/inetd";
    units = make(service);
    ck_assert(has_line(text_of(&units, "dispatcherd-smtp-worker@.service"), "OOMPolicy=continue"));
    unit_list_clear(&units);
}
END_TEST

START_TEST(test_hides_from_a_worker_what_is_not_its_own)
{
    struct unit_list units = make(smtp());

    assert_lines(text_of(&units, "dispatcherd-smtp-worker@.service"),
                 (const char *const[]){"TemporaryFileSystem=/run:ro " CONFIG_DIR ":ro", NULL});
    unit_list_clear(&units);
}
END_TEST

START_TEST(test_says_what_is_new_in_systemd_only_where_it_is_known)
{
    static const struct {
        unsigned version;
        bool has_poll_limit;
    } cases[] = {{252, false}, {254, false}, {255, true}, {257, true}};
    struct unit_environment environment = usual;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        environment.systemd_version = cases[i].version;
        struct unit_list units = make_with(smtp(), &environment);
        const char *text = text_of(&units, "dispatcherd-smtp-worker.socket");
        ck_assert_int_eq(has_line(text, "PollLimitIntervalSec=0"), cases[i].has_poll_limit);
        unit_list_clear(&units);
    }
}
END_TEST

START_TEST(test_quotes_the_program_for_systemd)
{
    static const struct {
        const char *image, *line;
    } cases[] = {
        {"/usr/libexec/a-b_c.d+1", "ExecStart=/usr/libexec/a-b_c.d+1"},
        {"/opt/my mail/server", "ExecStart=:\"/opt/my mail/server\""},
        {"/opt/100%/server", "ExecStart=:\"/opt/100%%/server\""},
        {"/opt/$HOME/${X}", "ExecStart=:\"/opt/$HOME/${X}\""},
        {"/opt/a;b#c", "ExecStart=:\"/opt/a;b#c\""},
        {"/opt/caf\xc3\xa9", "ExecStart=:\"/opt/caf\xc3\xa9\""},
        {"/opt/@-:!", "ExecStart=:\"/opt/@-:!\""},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct service_options service = smtp();

        service.image = (char *)cases[i].image;
        struct unit_list units = make(service);
        assert_lines(text_of(&units, "dispatcherd-smtp-worker@.service"),
                     (const char *const[]){cases[i].line, NULL});
        unit_list_clear(&units);
    }
}
END_TEST

/* Its rules are for what we deliver. */
START_TEST(test_names_a_profile_of_apparmor_for_the_delivered_smtp_server_alone)
{
    static const struct {
        const char *image;
        bool has_profile;
    } cases[] = {
        {WORKER_DIR "/tcp_smtp_server", true},
        {WORKER_DIR "/tcp_smtp_server2", false},
        {WORKER_DIR "/proxy", false},
        {"/opt/tcp_smtp_server", false},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct service_options service = smtp();

        service.image = (char *)cases[i].image;
        struct unit_list units = make(service);
        const char *text = text_of(&units, "dispatcherd-smtp-worker@.service");
        ck_assert_uint_eq(count_lines(text, "AppArmorProfile="), cases[i].has_profile);
        ck_assert_int_eq(has_line(text, "AppArmorProfile=-dispatcherd-tcp_smtp_server"),
                         cases[i].has_profile);
        unit_list_clear(&units);
    }
}
END_TEST

START_TEST(test_escapes_the_source_path)
{
    struct unit_environment environment = usual;

    environment.source_path = "/opt/50%/my dispatcher.cnf";
    struct unit_list units = make_with(smtp(), &environment);
    assert_lines(text_of(&units, "dispatcherd-smtp.socket"),
                 (const char *const[]){"SourcePath=/opt/50%%/my dispatcher.cnf", NULL});
    unit_list_clear(&units);
}
END_TEST

START_TEST(test_leaves_out_what_systemd_would_not_run_and_says_where)
{
    static const char *const images[] = {
        "/opt/a\"b", "/opt/a'b",  "/opt/a\\b", "/opt/a\nb",    "/opt/a\tb",  "relative",
        "",          "/opt/\xff", "/opt/\x80", "/opt/caf\xc3", "/opt/a\x7f",
    };
    struct service_options services[2] = {smtp(), smtp()};
    const struct config config = {.services = services, .n_services = 2};

    services[0].name = (char *)"POP";
    services[0].unit_name = (char *)"pop";
    services[0].origins[OPTION_IMAGE] = (struct origin){.file = "/etc/d.cnf", .line = 7};
    for (size_t i = 0; i < ELEMENTSOF(images); i++) {
        struct problem_list problems = {0};
        struct unit_list units = {0};

        services[0].image = (char *)images[i];
        ck_assert_int_eq(units_make(&config, &usual, &problems, &units), 0);
        ck_assert_msg(problems.n_errors == 1, "'%s' was taken", images[i]);
        ck_assert_str_eq(problems.items[0].file, "/etc/d.cnf");
        ck_assert_uint_eq(problems.items[0].line, 7);
        ck_assert_ptr_null(unit_list_find(&units, "dispatcherd-pop.socket"));
        ck_assert_ptr_nonnull(unit_list_find(&units, "dispatcherd-smtp.socket"));
        unit_list_clear(&units);
        problem_list_clear(&problems);
    }
}
END_TEST

START_TEST(test_never_writes_a_name_that_could_lead_elsewhere)
{
    static const char *const names[] = {
        "../smtp", "a/b", "",    "a b", "a\nb", "-a",
        "_a",      ".",   "a.b", "a@b", "a%b",  "a23456789012345678901234567890123",
    };

    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        struct service_options service = smtp();
        const struct config config = {.services = &service, .n_services = 1};
        struct problem_list problems = {0};
        struct unit_list units = {0};

        service.name = service.unit_name = (char *)names[i];
        service.origin = (struct origin){.file = "/etc/d.cnf", .line = 3};
        ck_assert_int_eq(units_make(&config, &usual, &problems, &units), 0);
        ck_assert_msg(units.n_items == 0, "'%s' was taken", names[i]);
        ck_assert_uint_eq(problems.n_errors, 1);
        ck_assert_uint_eq(problems.items[0].line, 3);
        problem_list_clear(&problems);
    }
}
END_TEST

START_TEST(test_a_disabled_service_has_no_units)
{
    struct service_options services[2] = {smtp(), smtp()};
    const struct config config = {.services = services, .n_services = 2};
    struct problem_list problems = {0};
    struct unit_list units = {0};

    services[1].name = (char *)"LMTP";
    services[1].unit_name = (char *)"lmtp";
    services[1].is_enabled = false;
    services[1].image = NULL;
    services[1].port = (struct port_list){0};
    ck_assert_int_eq(units_make(&config, &usual, &problems, &units), 0);
    ck_assert_uint_eq(problems.n_errors, 0);
    for (size_t i = 0; i < units.n_items; i++) {
        ck_assert_ptr_null(strstr(units.items[i].path, "lmtp"));
        ck_assert_ptr_null(strstr(units.items[i].text, "lmtp"));
    }
    unit_list_clear(&units);
}
END_TEST

START_TEST(test_without_a_service_there_is_nothing_to_write)
{
    const struct config config = {0};
    struct problem_list problems = {0};
    struct unit_list units = {0};

    ck_assert_int_eq(units_make(&config, &usual, &problems, &units), 0);
    ck_assert_uint_eq(units.n_items, 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("units");

    ADD_TESTS(suite, "which files", test_writes_every_file_of_a_service,
              test_daemon_wants_every_socket_and_starts_after_it,
              test_a_service_with_tls_ports_alone_has_no_other_socket,
              test_a_disabled_service_has_no_units,
              test_without_a_service_there_is_nothing_to_write);
    ADD_TESTS(
        suite, "their text", test_writes_the_socket, test_names_the_tls_socket_after_the_service,
        test_leaves_ipv6_out_where_the_kernel_has_none, test_binds_to_the_interface_address_alone,
        test_writes_what_starts_a_worker, test_bounds_a_worker_with_room_for_all_its_sessions,
        test_a_program_without_memory_ends_alone, test_hides_from_a_worker_what_is_not_its_own,
        test_names_a_profile_of_apparmor_for_the_delivered_smtp_server_alone,
        test_says_what_is_new_in_systemd_only_where_it_is_known);
    ADD_TESTS(suite, "what comes from a file that is not trusted",
              test_quotes_the_program_for_systemd, test_escapes_the_source_path,
              test_leaves_out_what_systemd_would_not_run_and_says_where,
              test_never_writes_a_name_that_could_lead_elsewhere);
    return suite;
}
