/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Where listening sockets come from: passed by name or address, or bound. */
#include "access/tcp.h"
#include "base/fd.h"
#include "dispatcherd/manager_scene.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/service/sockets.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PASSED_MAX = 4
};

static struct manager_scene scene;
static struct manager *manager;
static struct inherited_fd items[PASSED_MAX];
static struct inherited inherited;

static uint16_t port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t length = sizeof(address);

    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.sin_port);
}

static void begin(uint16_t smtp, uint16_t smtps, uint16_t pop3)
{
    char text[512];

    snprintf(text, sizeof(text),
             "INTERFACE_ADDRESS=127.0.0.1\n"
             "[SERVICE=SMTP]\nPORT=%u\nTLS_PORT=%u\nIMAGE=/bin/true\nMIN_PROCS=0\n"
             "[SERVICE=POP3]\nPORT=%u\nIMAGE=/bin/true\nMIN_PROCS=0\n",
             smtp, smtps, pop3);
    manager_scene_start(&scene, text, NULL);
    manager = &scene.manager;
    inherited = (struct inherited){.items = items};
}

static void tear_down(void)
{
    for (size_t i = 0; i < inherited.n_items; i++) {
        fd_close(items[i].fd);
        free(items[i].name);
    }
    inherited.n_items = 0;
    manager_scene_end(&scene);
}

static void pass(const char *name, int fd)
{
    ck_assert_uint_lt(inherited.n_items, PASSED_MAX);
    items[inherited.n_items++] = (struct inherited_fd){.fd = fd, .name = strdup(name)};
}

static void take(void)
{
    sockets_take_passed(manager->services, manager->n_services, &manager->spare_sockets,
                        manager->context.event, &inherited);
    for (size_t i = 0; i < inherited.n_items; i++)
        ck_assert_int_eq(items[i].fd, -1);
}

START_TEST(test_passed_sockets_go_where_their_names_say)
{
    int smtp = tcp_listen(false), smtps = tcp_listen(false), pop3 = tcp_listen(false);

    begin(port_of(smtp), port_of(smtps), port_of(pop3));
    pass("pop3", pop3);
    pass("smtp-tls", smtps);
    pass("SMTP", smtp);
    take();
    ck_assert_uint_eq(manager->services[0]->n_listeners, 2);
    ck_assert_int_eq(manager->services[0]->listeners[0].fd, smtps);
    ck_assert(manager->services[0]->listeners[0].is_tls);
    ck_assert_int_eq(manager->services[0]->listeners[1].fd, smtp);
    ck_assert(!manager->services[0]->listeners[1].is_tls);
    ck_assert_uint_eq(manager->services[1]->n_listeners, 1);
    ck_assert(manager->services[1]->listeners[0].is_inherited);
    ck_assert(!sockets_compare(manager->services[0]));
    ck_assert_str_eq(scene.lines, "");
}
END_TEST

START_TEST(test_a_socket_without_a_name_is_known_by_its_address)
{
    int smtp = tcp_listen(false), smtps = tcp_listen(false);

    begin(port_of(smtp), port_of(smtps), 110);
    pass("unknown", smtps);
    pass("", tcp_listen(false));
    take();
    ck_assert_uint_eq(manager->services[0]->n_listeners, 1);
    ck_assert(manager->services[0]->listeners[0].is_tls);
    ck_assert(manager_scene_has_logged(
        &scene, "was passed without a name; it was identified by its address and port"));
    ck_assert(manager_scene_has_logged(&scene, "no enabled service of dispatcher.cnf has that"));
    ck_assert_uint_eq(manager->spare_sockets.n_items, 0);
    fd_close(smtp);
}
END_TEST

START_TEST(test_a_socket_of_nobody_is_spare)
{
    begin(25, 465, 110);
    pass("imap", tcp_listen(false));
    take();
    ck_assert_uint_eq(manager->spare_sockets.n_items, 1);
    ck_assert(manager_scene_has_logged(
        &scene, "the socket named 'imap' belongs to no enabled service of dispatcher.cnf; its "
                "clients are turned away (FileDescriptorName= must name the service)"));
}
END_TEST

static char services_named[64];

static void note_service(_unused_ struct follower *of, json_t *event)
{
    const char *service = json_string_value(json_object_get(event, "service"));
    size_t length = strlen(services_named);

    snprintf(services_named + length, sizeof(services_named) - length, "%s ",
             service ? service : "-");
}

static struct follower follower = {.take = note_service};

START_TEST(test_what_is_no_listening_socket_is_not_used)
{
    begin(25, 465, 110);
    services_named[0] = '\0';
    events_follow(&follower);
    pass("smtp", eventfd(0, EFD_CLOEXEC));
    pass("imap", socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    pass("pop3", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    take();
    ck_assert_uint_eq(manager->services[0]->n_listeners, 0);
    ck_assert_uint_eq(manager->services[1]->n_listeners, 0);
    ck_assert_uint_eq(manager->spare_sockets.n_items, 0);
    ck_assert(manager_scene_has_logged(
        &scene, "ignoring the socket named 'smtp', which is not a listening stream socket\n"));
    ck_assert(manager_scene_has_logged(
        &scene, "ignoring the descriptor named 'imap', which is not a listening stream socket\n"));
    ck_assert(manager_scene_has_logged(
        &scene, "ignoring the socket named 'pop3', which is not a listening stream socket\n"));
    events_leave(&follower);
    ck_assert_int_eq(strncmp(services_named, "SMTP - POP3 ", 12), 0);
}
END_TEST

/* A drop-in of the socket unit takes precedence; an administrator hears of it. */
START_TEST(test_a_socket_that_differs_is_used_and_reported)
{
    int fd = tcp_listen(false);
    char line[128];

    begin(25, 465, 110);
    snprintf(line, sizeof(line), "listens on 127.0.0.1:%u, unlike dispatcher.cnf", port_of(fd));
    pass("pop3", fd);
    take();
    ck_assert_uint_eq(manager->services[1]->n_listeners, 1);
    ck_assert(manager_scene_has_logged(&scene, line));
    ck_assert(manager_scene_has_logged(&scene, "no socket listens on port 110, although "));
    ck_assert(sockets_compare(manager->services[1]));
}
END_TEST

static unsigned backlog_of(uint16_t port)
{
    char line[512];
    unsigned backlog = 0;
    FILE *stream = popen("ss -H -l -t -n 2>/dev/null", "re");

    while (stream && fgets(line, sizeof(line), stream)) {
        unsigned receives, sends;
        char local[128];

        if (sscanf(line, "LISTEN %u %u %127s", &receives, &sends, local) == 3 &&
            strtoul(strrchr(local, ':') + 1, NULL, 10) == port)
            backlog = sends;
    }
    if (stream)
        pclose(stream);
    return backlog;
}

/* The ports are free but for somebody else who is as quick. */
static void free_ports(uint16_t ports[3])
{
    int fds[3];

    for (unsigned i = 0; i < 3; i++) {
        fds[i] = tcp_listen(false);
        ports[i] = port_of(fds[i]);
    }
    for (unsigned i = 0; i < 3; i++)
        fd_close(fds[i]);
}

START_TEST(test_binds_each_port_once)
{
    uint16_t ports[3];
    struct address missing;

    free_ports(ports);
    begin(ports[0], ports[1], ports[2]);
    struct service *smtp = manager->services[0];
    ck_assert(sockets_find_missing(smtp, &missing));
    ck_assert_uint_eq(missing.port, ports[0]);
    ck_assert_int_eq(sockets_bind(smtp), 0);
    ck_assert_uint_eq(smtp->n_listeners, 2);
    ck_assert_uint_eq(smtp->listeners[0].address.port, ports[0]);
    ck_assert(smtp->listeners[1].is_tls);
    ck_assert(!smtp->listeners[0].is_inherited);
    int fd = smtp->listeners[0].fd;
    ck_assert_int_eq(sockets_bind(smtp), 0);
    ck_assert_uint_eq(smtp->n_listeners, 2);
    ck_assert_int_eq(smtp->listeners[0].fd, fd);
    ck_assert(!sockets_find_missing(smtp, &missing));
}
END_TEST

START_TEST(test_a_port_in_use_does_not_hold_up_the_others)
{
    uint16_t ports[3];
    struct address missing;
    char line[128];
    int fd = tcp_listen(false);

    free_ports(ports);
    begin(port_of(fd), ports[1], ports[2]);
    ck_assert_int_eq(sockets_bind(manager->services[0]), -EADDRINUSE);
    ck_assert_uint_eq(manager->services[0]->n_listeners, 1);
    ck_assert_uint_eq(manager->services[0]->listeners[0].address.port, ports[1]);
    snprintf(line, sizeof(line),
             "cannot listen on 127.0.0.1:%u: Address already in use; another program uses that "
             "port (ss -ltnp shows which)\n",
             port_of(fd));
    ck_assert_str_eq(scene.lines, line);
    ck_assert(sockets_find_missing(manager->services[0], &missing));
    ck_assert_uint_eq(missing.port, port_of(fd));
    fd_close(fd);
}
END_TEST

START_TEST(test_closes_what_is_no_longer_wanted)
{
    uint16_t ports[3];

    free_ports(ports);
    begin(ports[0], ports[1], ports[2]);
    struct service *smtp = manager->services[0];
    ck_assert_int_eq(sockets_bind(smtp), 0);
    /* The plain port is the same, the one of TLS is not. */
    struct service_options changed = *smtp->options;
    changed.tls_port.n_ports = 0;
    smtp->options = &changed;
    sockets_close_unwanted(smtp);
    ck_assert_uint_eq(smtp->n_listeners, 1);
    ck_assert_uint_eq(smtp->listeners[0].address.port, ports[0]);
    smtp->options = &manager->version->config.services[0];
}
END_TEST

START_TEST(test_sets_the_backlog_of_passed_sockets)
{
    int fd = tcp_listen(false);
    uint16_t port = port_of(fd);

    begin(port, 465, 110);
    if (backlog_of(port) != 128) {
        printf("# skipped: ss(8) shows no backlogs here\n");
        fd_close(fd);
        return;
    }
    pass("smtp", fd);
    take();
    ck_assert_uint_eq(backlog_of(port), manager->services[0]->options->backlog);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("sockets");

    ADD_FIXTURE_TESTS(
        suite, "passed", NULL, tear_down, test_passed_sockets_go_where_their_names_say,
        test_a_socket_without_a_name_is_known_by_its_address, test_a_socket_of_nobody_is_spare,
        test_what_is_no_listening_socket_is_not_used,
        test_a_socket_that_differs_is_used_and_reported, test_sets_the_backlog_of_passed_sockets);
    ADD_FIXTURE_TESTS(suite, "bound", NULL, tear_down, test_binds_each_port_once,
                      test_a_port_in_use_does_not_hold_up_the_others,
                      test_closes_what_is_no_longer_wanted);
    return suite;
}
