/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "dns/resolv_conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *text, *servers;
} files[] = {
    {"nameserver 192.0.2.1\n", "192.0.2.1:53"},
    {"nameserver 192.0.2.1", "192.0.2.1:53"},
    {"# by DHCP\nsearch example.org\nnameserver\t192.0.2.1  # ours\noptions edns0\n"
     "nameserver 2001:db8::1\n",
     "192.0.2.1:53,[2001:db8::1]:53"},
    {"nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n",
     "192.0.2.1:53,192.0.2.2:53,192.0.2.3:53"},
    {"", "127.0.0.1:53"},
    {"domain example.org\n", "127.0.0.1:53"},
    {"nameserver\nnameserver \nnameserver x\nnameservers 192.0.2.1\n;nameserver 192.0.2.1\n"
     " nameserver 192.0.2.1\nnameserver 192.0.2.256\n",
     "127.0.0.1:53"},
    {"nameserver x\nnameserver 192.0.2.2\r\n", "192.0.2.2:53"},
    {"nameserver fe80::1%lo\nnameserver 192.0.2.2\n", "192.0.2.2:53"},
};

START_TEST(test_reads_name_servers)
{
    char servers[RESOLV_CONF_TEXT_MAX];

    resolv_conf_parse(files[_i].text, strlen(files[_i].text), servers);
    ck_assert_str_eq(servers, files[_i].servers);
}
END_TEST

START_TEST(test_bytes_that_are_no_text)
{
    static const char bytes[] = "nameserver \0\xff\nnameserver 192.0.2.1\0\nnameserver 192.0.2.2";
    char servers[RESOLV_CONF_TEXT_MAX];

    resolv_conf_parse(bytes, sizeof(bytes) - 1, servers);
    ck_assert_str_eq(servers, "192.0.2.1:53,192.0.2.2:53");
}
END_TEST

#define TEMPLATE "/tmp/resolv-conf-XXXXXX"

static char folder[sizeof(TEMPLATE)];
static char path[sizeof(folder) + 16], other_path[sizeof(folder) + 16];
static struct resolv_conf file;

static void write_file(const char *name, const char *text)
{
    FILE *stream = fopen(name, "w");

    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs(text, stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
}

static void set_up(void)
{
    strcpy(folder, TEMPLATE);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/resolv.conf", folder);
    snprintf(other_path, sizeof(other_path), "%s/new", folder);
    file = (struct resolv_conf){.path = path};
}

static void tear_down(void)
{
    (void)unlink(path);
    (void)unlink(other_path);
    ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(test_follows_what_is_written_or_put_in_its_place)
{
    write_file(path, "nameserver 192.0.2.1\n");
    ck_assert_int_eq(resolv_conf_refresh(&file), 1);
    ck_assert_str_eq(file.servers, "192.0.2.1:53");
    ck_assert_int_eq(resolv_conf_refresh(&file), 0);
    write_file(path, "nameserver 192.0.2.22\n");
    ck_assert_int_eq(resolv_conf_refresh(&file), 1);
    ck_assert_str_eq(file.servers, "192.0.2.22:53");
    write_file(other_path, "nameserver 192.0.2.3\n");
    ck_assert_int_eq(rename(other_path, path), 0);
    ck_assert_int_eq(resolv_conf_refresh(&file), 1);
    ck_assert_str_eq(file.servers, "192.0.2.3:53");
    /* Another file that says the same. */
    write_file(other_path, "# new\nnameserver 192.0.2.3\n");
    ck_assert_int_eq(rename(other_path, path), 0);
    ck_assert_int_eq(resolv_conf_refresh(&file), 0);
}
END_TEST

/* A file that comes later, as with DHCP; and one that goes away leaves what it said. */
START_TEST(test_without_a_file_this_host_is_asked)
{
    ck_assert_int_eq(resolv_conf_refresh(&file), -ENOENT);
    ck_assert_str_eq(file.servers, "127.0.0.1:53");
    write_file(path, "nameserver 192.0.2.1\n");
    ck_assert_int_eq(resolv_conf_refresh(&file), 1);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(resolv_conf_refresh(&file), -ENOENT);
    ck_assert_str_eq(file.servers, "192.0.2.1:53");
}
END_TEST

/* Nobody writes to it: the test would hang. */
START_TEST(test_waits_for_no_fifo)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(resolv_conf_refresh(&file), -EINVAL);
    ck_assert_str_eq(file.servers, "127.0.0.1:53");
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("resolv_conf");
    TCase *tables = tcase_create("lines"), *changes = tcase_create("changes");

    tcase_add_loop_test(tables, test_reads_name_servers, 0, (int)ELEMENTSOF(files));
    tcase_add_test(tables, test_bytes_that_are_no_text);
    suite_add_tcase(suite, tables);
    tcase_add_checked_fixture(changes, set_up, tear_down);
    tcase_add_test(changes, test_follows_what_is_written_or_put_in_its_place);
    tcase_add_test(changes, test_without_a_file_this_host_is_asked);
    tcase_add_test(changes, test_waits_for_no_fifo);
    suite_add_tcase(suite, changes);
    return suite;
}
