/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which name servers are asked about DNS lists, and when that changes. */
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/checks/name_servers.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/report/events.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct control_scene scene;
static struct dns_lists *lists;
static struct name_servers servers;
static char path[40];
static unsigned n_lines;
static char last_line[512];

static void take(_unused_ struct follower *follower, json_t *event)
{
    n_lines++;
    snprintf(last_line, sizeof(last_line), "%s", json_string_value(json_object_get(event, "text")));
}

static struct follower follower = {.take = take};

static void write_host_file(const char *text)
{
    FILE *stream = fopen(path, "we");

    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs(text, stream), 0);
    fclose(stream);
}

static void set_up(void)
{
    strcpy(path, "/tmp/resolv-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    write_host_file("nameserver 192.0.2.1\nnameserver 192.0.2.2\n");
    scene_init(&scene, "[SERVICE=SMTP]\nPORT=25\nIMAGE=/bin/true\n");
    scene_admit(&scene, "");
    lists = admission_lists(scene.context.admission);
    memset(&servers, 0, sizeof(servers));
    servers.host.path = path;
    n_lines = 0;
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    name_servers_clear(&servers);
    scene_clear(&scene);
    unlink(path);
}

/* Those of dispatcher.cnf: up to two; NULL: none. */
static void configure(const char *first, const char *second)
{
    struct str_list list = {0};

    if (first)
        ck_assert_int_eq(str_list_append(&list, first), 0);
    if (second)
        ck_assert_int_eq(str_list_append(&list, second), 0);
    ck_assert_int_eq(name_servers_configure(&servers, &list), 0);
    str_list_clear(&list);
}

START_TEST(test_the_command_line_wins_over_the_file_and_that_over_the_host)
{
    ck_assert_str_eq(name_servers_current(&servers), "192.0.2.1:53,192.0.2.2:53");
    configure("192.0.2.7:5353", "192.0.2.8:53");
    ck_assert_str_eq(name_servers_current(&servers), "192.0.2.7:5353,192.0.2.8:53");
    servers.forced = "127.0.0.1:53";
    ck_assert_str_eq(name_servers_current(&servers), "127.0.0.1:53");
    servers.forced = NULL;
    configure(NULL, NULL);
    ck_assert_str_eq(name_servers_current(&servers), "192.0.2.1:53,192.0.2.2:53");
}
END_TEST

START_TEST(test_a_change_is_reported_once_with_its_origin)
{
    configure("192.0.2.7:53", NULL);
    name_servers_follow_now(&servers, lists);
    ck_assert_uint_eq(n_lines, 1);
    ck_assert_str_eq(
        last_line, "now querying DNS lists at other name servers: 192.0.2.7:53, from DNS_SERVERS");
    name_servers_follow_now(&servers, lists);
    ck_assert_uint_eq(n_lines, 1);
    configure(NULL, NULL);
    name_servers_follow_now(&servers, lists);
    ck_assert_uint_eq(n_lines, 2);
    ck_assert_ptr_nonnull(strstr(last_line, ", from /tmp/resolv-"));
}
END_TEST

/* The host's file is looked at once a second at most, and only if its servers are asked. */
START_TEST(test_the_hosts_file_is_followed)
{
    name_servers_follow_now(&servers, lists);
    ck_assert_uint_eq(n_lines, 1);
    write_host_file("nameserver 192.0.2.33\n");
    name_servers_follow(&servers, lists);
    ck_assert_uint_eq(n_lines, 1);
    servers.looked_at = 0;
    name_servers_follow(&servers, lists);
    ck_assert_uint_eq(n_lines, 2);
    ck_assert_str_eq(servers.asked, "192.0.2.33:53");
    configure("192.0.2.7:53", NULL);
    name_servers_follow_now(&servers, lists);
    write_host_file("nameserver 192.0.2.34\n");
    servers.looked_at = 0;
    name_servers_follow(&servers, lists);
    ck_assert_str_eq(servers.asked, "192.0.2.7:53");
}
END_TEST

START_TEST(test_a_file_that_is_gone_leaves_the_servers)
{
    name_servers_follow_now(&servers, lists);
    ck_assert_int_eq(unlink(path), 0);
    name_servers_follow_now(&servers, lists);
    ck_assert_uint_eq(n_lines, 1);
    ck_assert_str_eq(servers.asked, "192.0.2.1:53,192.0.2.2:53");
    write_host_file("");
}
END_TEST

START_TEST(test_servers_that_cannot_be_used_are_reported_and_the_others_stay)
{
    configure("192.0.2.7:53", NULL);
    name_servers_follow_now(&servers, lists);
    configure("nobody", NULL);
    name_servers_follow_now(&servers, lists);
    ck_assert_str_eq(last_line, "cannot use the name servers nobody (from DNS_SERVERS) for DNS "
                                "lists: Invalid argument; still using 192.0.2.7:53");
    ck_assert_str_eq(servers.asked, "192.0.2.7:53");
}
END_TEST

SUITE("name_servers", set_up, tear_down,
      test_the_command_line_wins_over_the_file_and_that_over_the_host,
      test_a_change_is_reported_once_with_its_origin, test_the_hosts_file_is_followed,
      test_a_file_that_is_gone_leaves_the_servers,
      test_servers_that_cannot_be_used_are_reported_and_the_others_stay)
