/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A configuration that is kept for a successor is the same when it is read back. */
#include "base/fd.h"
#include "dispatcherd/config/fingerprint.h"
#include "dispatcherd/config/last_config.h"
#include "support/suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CONFIG                                                                                     \
    "DEBUG=16%2\n[SERVICE=SMTP]\nPORT=25,2525\nTLS_PORT=465\nIMAGE=/bin/true\nMAX_CONNS=17\n"      \
    "PARAMETER=DOMAIN=example.org\nPARAMETER=\"a "                                                 \
    "b\"\n[SERVICE=POP3]\nPORT=110\nIMAGE=/bin/false\n"

#define MAPPINGS "PORT_ACCESS\n\n  TCP|*|*|192.0.2.1|*  $N500$ no\n  *  $Y\n"

/* The file with that text, by its path in `path`. */
static int make_file(const char *text, char path[32])
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

static struct config_version *read_version(void)
{
    struct config_version *version = NULL;
    struct problem_list problems = {0};
    char config[32], mappings[32];
    int config_fd = make_file(CONFIG, config), mapping_fd = make_file(MAPPINGS, mappings);

    ck_assert_int_eq(config_version_read(config, mappings, false, &problems, &version), 0);
    problem_list_clear(&problems);
    fd_close(config_fd);
    fd_close(mapping_fd);
    return version;
}

START_TEST(test_what_is_read_back_is_the_same)
{
    struct config_version *written = read_version(), *again = NULL;
    int fd = last_config_write(&written->config);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(last_config_read(fd, written->mapping_copy, &again), 0);
    ck_assert_uint_eq(again->config.n_services, 2);
    ck_assert_uint_eq(again->config.debug, written->config.debug);
    for (size_t i = 0; i < 2; i++) {
        const struct service_options *a = &written->config.services[i];
        const struct service_options *b = &again->config.services[i];

        ck_assert_str_eq(a->name, b->name);
        ck_assert_str_eq(a->image, b->image);
        ck_assert_uint_eq(a->max_conns, b->max_conns);
        ck_assert_uint_eq(a->port.n_ports, b->port.n_ports);
        ck_assert_uint_eq(a->parameters.n_items, b->parameters.n_items);
        /* Its workers are not replaced because of it. */
        ck_assert_uint_eq(fingerprint_of(a), fingerprint_of(b));
    }
    ck_assert_str_eq(again->config.services[0].parameters.items[1],
                     written->config.services[0].parameters.items[1]);
    const struct mapping_table *table = mapping_set_find(again->mappings, MAPPING_PORT_ACCESS);
    ck_assert_ptr_nonnull(table);
    ck_assert_uint_eq(table->n_entries, 2);
    fd_close(fd);
    config_version_unref(written);
    config_version_unref(again);
}
END_TEST

/* A predecessor's workers might have it open: nobody changes what a successor will read. */
START_TEST(test_it_is_sealed)
{
    struct config_version *version = read_version();
    int fd = last_config_write(&version->config);

    ck_assert_int_eq(write(fd, "x", 1), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(ftruncate(fd, 0), -1);
    fd_close(fd);
    config_version_unref(version);
}
END_TEST

START_TEST(test_without_mappings_there_are_none)
{
    struct config_version *version = read_version(), *again = NULL;
    int fd = last_config_write(&version->config);

    ck_assert_int_eq(last_config_read(fd, -1, &again), 0);
    ck_assert_ptr_null(mapping_set_find(again->mappings, MAPPING_PORT_ACCESS));
    fd_close(fd);
    config_version_unref(version);
    config_version_unref(again);
}
END_TEST

START_TEST(test_what_is_no_configuration_is_refused)
{
    struct config_version *version = NULL;
    char path[32];
    int fd = make_file("[SERVICE=SMTP]\nPORT=x\n", path);

    ck_assert_int_eq(last_config_read(fd, -1, &version), -EINVAL);
    ck_assert_ptr_null(version);
    fd_close(fd);
}
END_TEST

SUITE("last_config", NULL, NULL, test_what_is_read_back_is_the_same, test_it_is_sealed,
      test_without_mappings_there_are_none, test_what_is_no_configuration_is_refused)
