/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/fd.h"
#include "base/macro.h"
#include "dispatcherd/process/spawner.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MSEC 60000

/* A worker that says what a variable of its environment is, and ends. */
static void write_image(const char *path, const char *variable)
{
    FILE *stream = fopen(path, "w");

    ck_assert_ptr_nonnull(stream);
    fprintf(stream, "#!/bin/sh\nprintf '%%s' \"${%s-unset}\" >&3\n", variable);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_int_eq(chmod(path, 0700), 0);
}

static void assert_worker_has(const char *variable, const char *expected)
{
    char folder[] = "/tmp/test_spawner_self.XXXXXX", path[64], text[128], error[256] = "";
    struct spawned spawned;
    int status;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/image", folder);
    write_image(path, variable);
    const struct service_options options = {.image = path};
    ck_assert_msg(spawner_self.start(&options, &spawned, error, sizeof(error)) == 0, "%s", error);
    struct pollfd channel = {.fd = spawned.channel, .events = POLLIN};
    ck_assert_int_eq(poll(&channel, 1, LIMIT_MSEC), 1);
    ssize_t length = recv(spawned.channel, text, sizeof(text) - 1, 0);
    ck_assert_int_gt(length, 0);
    text[length] = '\0';
    ck_assert_int_eq(waitpid(spawned.pid, &status, 0), spawned.pid);
    ck_assert_int_eq(status, 0);
    ck_assert_str_eq(text, expected);
    fd_close(spawned.channel);
    unlink(path);
    rmdir(folder);
}

/* dispatcherd(8), ENVIRONMENT */
START_TEST(test_worker_has_what_any_program_needs)
{
    static const char *const names[] = {"PATH", "HOME",   "USER",    "LANG",   "LANGUAGE",
                                        "TZ",   "LC_ALL", "LC_TIME", "TMPDIR", "LD_LIBRARY_PATH"};

    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        const char *value = strcmp(names[i], "PATH") == 0 ? "/usr/bin:/bin" : "/a value";

        setenv(names[i], value, 1);
        assert_worker_has(names[i], value);
    }
    assert_worker_has("LISTEN_FDS", "1");
}
END_TEST

/* Whatever systemd, a container or a shell has told dispatcherd; names that only begin like one of
 * the list, too. */
START_TEST(test_worker_has_nothing_else_of_ours)
{
    static const char *const names[] = {"WATCHDOG_USEC",   "WATCHDOG_PID",
                                        "NOTIFY_SOCKET",   "LISTEN_FDNAMES",
                                        "INVOCATION_ID",   "CREDENTIALS_DIRECTORY",
                                        "STATE_DIRECTORY", "RUNTIME_DIRECTORY",
                                        "LD_PRELOAD",      "SSH_AUTH_SOCK",
                                        "API_TOKEN",       "PATHS",
                                        "TZ_SECRET",       "LANGUAGES",
                                        "SOME_VARIABLE",   "IMTA_DISPATCHER_DEBUG"};

    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        setenv(names[i], "", 1);
        assert_worker_has(names[i], "unset");
    }
}
END_TEST

START_TEST(test_threads_need_less_memory_where_nobody_tuned_them)
{
    unsetenv("GLIBC_TUNABLES");
    assert_worker_has("GLIBC_TUNABLES", "glibc.rtld.nns=2");
    setenv("GLIBC_TUNABLES", "glibc.malloc.arena_max=2", 1);
    assert_worker_has("GLIBC_TUNABLES", "glibc.malloc.arena_max=2");
}
END_TEST

SUITE("spawner of our own", NULL, NULL, test_worker_has_what_any_program_needs,
      test_worker_has_nothing_else_of_ours, test_threads_need_less_memory_where_nobody_tuned_them)
