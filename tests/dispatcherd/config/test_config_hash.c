/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Equal configurations have equal hashes, however they are written; others have others. */
#include "base/fd.h"
#include "base/macro.h"
#include "config/load.h"
#include "dispatcherd/config/config_hash.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The hash of a dispatcher.cnf with that text. */
static const char *hash_of(const char *text, char hash[CONFIG_HASH_MAX])
{
    const struct config_paths paths = config_paths_default();
    char path[] = "/tmp/test_config_hash.XXXXXX", reason[1400] = "";
    struct problem_list problems = {0};
    struct config config = {0};
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    int r = config_load(path, &paths, &problems, &config);
    if (problems.n_errors > 0)
        problem_format(&problems.items[0], reason, sizeof(reason));
    ck_assert_msg(r == 0, "%s", reason);
    unlink(path);
    config_hash(&config, hash);
    ck_assert_uint_eq(strlen(hash), CONFIG_HASH_MAX - 1);
    config_clear(&config);
    problem_list_clear(&problems);
    return hash;
}

#define A "[SERVICE=A]\nPORT=2501\nIMAGE=/bin/true\nPARAMETER=x\nPARAMETER=y\n"
#define B "[SERVICE=B]\nPORT=2502\nIMAGE=/bin/true\n"

START_TEST(test_ignores_how_it_is_written)
{
    static const char *const texts[] = {
        A B,
        B A,
        "! a comment\n\n" A "\n! another\n" B,
        /* The default, written. */
        A "MAX_PROCS=5\n" B,
        "[SERVICE=a]\nimage = /bin/true\nPARAMETER=x\nport=2501\nPARAMETER=y\n" B,
        /* Each host has its own; it is not part of the hash. */
        "[SERVICE=DISPATCHER]\nFLEET_NAME=one\n" A B,
    };
    char first[CONFIG_HASH_MAX], other[CONFIG_HASH_MAX];

    hash_of(texts[0], first);
    for (size_t i = 1; i < ELEMENTSOF(texts); i++)
        ck_assert_msg(strcmp(hash_of(texts[i], other), first) == 0, "%s", texts[i]);
}
END_TEST

START_TEST(test_differs_if_anything_in_force_does)
{
    static const char *const texts[] = {
        A B,
        A,
        B,
        A "MAX_PROCS=11\n" B,
        "MAX_PROCS=11\n" A B,
        A B "ENABLE=0\n",
        "[SERVICE=DISPATCHER]\nRECORD=/tmp/r\n" A B,
        "[SERVICE=DISPATCHER]\nFLEET=unix:/s\n" A B,
        "[SERVICE=DISPATCHER]\nFLEET=unix:/s\nFLEET_WAIT=5\n" A B,
        "[SERVICE=DISPATCHER]\nFLEET=unix:/s\nFLEET_ADDRESSES=1\n" A B,
        "[SERVICE=DISPATCHER]\nDEBUG=3\n" A B,
        /* The order of a list is in force. */
        "[SERVICE=A]\nPORT=2501\nIMAGE=/bin/true\nPARAMETER=y\nPARAMETER=x\n" B,
        "[SERVICE=A]\nPORT=2502\nIMAGE=/bin/true\nPARAMETER=x\nPARAMETER=y\n"
        "[SERVICE=B]\nPORT=2501\nIMAGE=/bin/true\n",
    };
    char hashes[ELEMENTSOF(texts)][CONFIG_HASH_MAX];

    for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
        hash_of(texts[i], hashes[i]);
        for (size_t k = 0; k < i; k++)
            ck_assert_msg(strcmp(hashes[i], hashes[k]) != 0, "%s and %s", texts[i], texts[k]);
    }
}
END_TEST

static const char *hash_of_mappings(const char *text, char hash[CONFIG_HASH_MAX])
{
    _cleanup_fd_ int fd = memfd_create("mappings", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    config_hash_mappings(fd, hash);
    ck_assert_uint_eq(strlen(hash), CONFIG_HASH_MAX - 1);
    return hash;
}

START_TEST(test_compares_mapping_files)
{
    static const char *const same[] = {
        "T\n\n  a  $Y\n  b  $N\n",
        "! comment\nT\n\n\n  a  $Y  \r\n! b\n  b  $N",
    };
    static const char *const others[] = {"", "T\n\n  b  $N\n  a  $Y\n", "T\n\n  a  $Y\n"};
    char first[CONFIG_HASH_MAX], other[CONFIG_HASH_MAX];

    ck_assert_str_eq(hash_of_mappings(same[0], first), hash_of_mappings(same[1], other));
    for (size_t i = 0; i < ELEMENTSOF(others); i++)
        ck_assert_str_ne(hash_of_mappings(others[i], other), first);
    config_hash_mappings(-1, other);
    ck_assert_str_eq(other, "");
}
END_TEST

SUITE("config_hash", NULL, NULL, test_ignores_how_it_is_written,
      test_differs_if_anything_in_force_does, test_compares_mapping_files)
