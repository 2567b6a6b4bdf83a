/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "files/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct config_paths paths = {
    .worker_dir = "/workers",
    .config_dir = "/tables",
    .log_dir = "/logs",
};

START_TEST(test_makes_paths_of_names)
{
    static const struct {
        const char *name, *path;
    } cases[] = {
        {"x", "/here/x"},
        {"a/x", "/here/a/x"},
        {"/a/x", "/a/x"},
        {"/a:b", "/a:b"},
        {"a/b:c", "/here/a/b:c"},
        {"IMTA_BIN:x", "/workers/x"},
        {"IMTA_LIB:x", "/workers/x"},
        {"PMDF_EXE:x", "/workers/x"},
        {"imta_log:x", "/logs/x"},
        {"PMDF_LOG:x", "/logs/x"},
        {"IMTA_TABLE:x", "/tables/x"},
        {"PMDF_TABLE:a/x", "/tables/a/x"},
    };
    char reason[PATHS_REASON_MAX];

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        char *path = NULL;

        ck_assert_int_eq(paths_resolve(&paths, "/here", cases[i].name, &path, reason), 0);
        ck_assert_str_eq(path, cases[i].path);
        free(path);
    }
}
END_TEST

START_TEST(test_refuses_names_of_no_folder)
{
    static const char *const names[] = {
        "SYS$LOGIN:x", ":x", "IMTA_BIN:", "IMTA_BIN:/x", "a:x", "IMTA_BINX:x"};
    char reason[PATHS_REASON_MAX];

    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        char *path = NULL;

        ck_assert_int_eq(paths_resolve(&paths, "/here", names[i], &path, reason), -EINVAL);
        ck_assert_ptr_nonnull(strstr(reason, "IMTA_BIN:"));
        ck_assert_ptr_null(path);
    }
}
END_TEST

SUITE("paths", NULL, NULL, test_makes_paths_of_names, test_refuses_names_of_no_folder)
