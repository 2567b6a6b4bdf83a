/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the units can see. The test plays the host: whether it is root's, has systemd and the
 * daemon's user. Rights are really changed, and really missing if the test is not run by root. */
#include "base/fd.h"
#include "base/macro.h"
#include "dispatcherd/config/unit_view.h"
#include "support/suite.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONFIG   CONFIG_DIR "/dispatcher.cnf"
#define MAPPINGS CONFIG_DIR "/mappings"

#define USER_ID   4711
#define NOBODY_ID 65534

static struct passwd user = {
    .pw_name = (char *)DISPATCHER_USER, .pw_uid = USER_ID, .pw_gid = USER_ID};
static bool is_played_root = true, has_systemd = true, has_user = true;

uid_t geteuid(void)
{
    return is_played_root ? 0 : 1000;
}

int access(const char *path, int mode)
{
    if (strcmp(path, "/run/systemd/system") == 0)
        return has_systemd ? 0 : -1;
    return (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}

struct passwd *getpwnam(const char *name)
{
    return has_user && strcmp(name, DISPATCHER_USER) == 0 ? &user : NULL;
}

/* Lets the descriptor lead into memory, from where what was written is read. */
static int catch_output(int fd)
{
    int memory = memfd_create("output", MFD_CLOEXEC);

    ck_assert_int_ge(memory, 0);
    ck_assert_int_ge(dup2(memory, fd), 0);
    return memory;
}

static const char *output_of(int memory)
{
    static char text[512];

    ssize_t n = pread(memory, text, sizeof(text) - 1, 0);
    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    return text;
}

START_TEST(test_applies_to_the_installed_files_of_root)
{
    ck_assert(unit_view_applies(CONFIG, MAPPINGS));
    ck_assert(!unit_view_applies("dispatcher.cnf", MAPPINGS));
    ck_assert(!unit_view_applies(CONFIG, "/tmp/mappings"));
    is_played_root = false;
    ck_assert(!unit_view_applies(CONFIG, MAPPINGS));
    is_played_root = true;
    has_systemd = false;
    ck_assert(!unit_view_applies(CONFIG, MAPPINGS));
    has_systemd = true;
    has_user = false;
    ck_assert(!unit_view_applies(CONFIG, MAPPINGS));
}
END_TEST

/* Has the user's rights, and no others: 0, or which it has. */
static int look_at_rights(void *data)
{
    const uid_t *wanted = data;
    uid_t uids[3];
    gid_t gids[3], groups[64];

    if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 || getresgid(&gids[0], &gids[1], &gids[2]) < 0)
        return 1;
    for (size_t i = 0; i < ELEMENTSOF(uids); i++)
        if (uids[i] != *wanted || gids[i] != *wanted)
            return 2;
    int n_groups = getgroups(ELEMENTSOF(groups), groups);
    for (int i = 0; i < n_groups; i++)
        if (groups[i] != *wanted)
            return 3;
    return n_groups == (*wanted == NOBODY_ID ? 0 : 1) ? 0 : 4;
}

START_TEST(test_runs_with_the_rights_of_the_user)
{
    static const gid_t of_root = 42;
    uid_t daemon = USER_ID, worker = NOBODY_ID;

    if (getuid() != 0) {
        printf("# skipped: only root can become another user\n");
        return;
    }
    ck_assert_int_eq(setgroups(1, &of_root), 0);
    int errors = catch_output(STDERR_FILENO);
    ck_assert_int_eq(unit_view_run_as_daemon(look_at_rights, &daemon), 0);
    ck_assert_int_eq(unit_view_run_as_worker(look_at_rights, &worker), 0);
    ck_assert_str_eq(output_of(errors), "");
    ck_assert_uint_eq(getuid(), 0);
}
END_TEST

static int return_it(void *data)
{
    printf("in the child ");
    return *(int *)data;
}

static int end_by_a_signal(_unused_ void *data)
{
    return raise(SIGKILL);
}

/* The output is in its order, and is there once. */
START_TEST(test_a_failed_check_names_the_user)
{
    int status = 3;

    if (getuid() != 0) {
        printf("# skipped: only root can become another user\n");
        return;
    }
    int errors = catch_output(STDERR_FILENO), outputs = catch_output(STDOUT_FILENO);
    printf("before ");
    ck_assert_int_eq(unit_view_run_as_daemon(return_it, &status), 3);
    ck_assert_str_eq(output_of(errors), "dispatcherd: checked as the user " DISPATCHER_USER
                                        " of dispatcherd.service\n");
    ck_assert_str_eq(output_of(outputs), "before in the child ");
    ck_assert_int_eq(ftruncate(errors, 0), 0);
    ck_assert_int_eq(lseek(errors, 0, SEEK_SET), 0);
    ck_assert_int_eq(unit_view_run_as_worker(end_by_a_signal, NULL), EXIT_FAILURE);
    ck_assert_str_eq(output_of(errors), "dispatcherd: checked as a worker's user (DynamicUser=)\n");
}
END_TEST

static int succeed(_unused_ void *data)
{
    return EXIT_SUCCESS;
}

/* Without the rights nothing is checked: what root sees would say nothing. */
START_TEST(test_without_the_rights_it_fails)
{
    int errors = catch_output(STDERR_FILENO);

    has_user = false;
    ck_assert_int_eq(unit_view_run_as_daemon(succeed, NULL), EXIT_FAILURE);
    ck_assert_ptr_nonnull(strstr(output_of(errors), "dispatcherd: cannot check as the user "));
    ck_assert_ptr_nonnull(strstr(output_of(errors), ": No such process\n"));
    if (getuid() == 0)
        ck_assert_int_eq(setresuid(NOBODY_ID, NOBODY_ID, NOBODY_ID), 0);
    ck_assert_int_eq(unit_view_run_as_worker(succeed, NULL), EXIT_FAILURE);
    ck_assert_ptr_nonnull(strstr(output_of(errors), "dispatcherd: cannot check as a worker's user "
                                                    "(DynamicUser=): Operation not permitted\n"));
}
END_TEST

/* The setting that hides the path; "": none does. */
static const char *hidden_by(const char *path)
{
    static char setting[32];
    char *paths[] = {(char *)path};
    const struct str_list files = {.items = paths, .n_items = 1};
    struct problem_list problems = {0};

    unit_view_check_files(&files, &problems);
    setting[0] = '\0';
    if (problems.n_items > 0) {
        ck_assert_uint_eq(problems.n_errors, 1);
        ck_assert_str_eq(problems.items[0].file, path);
        ck_assert_uint_eq(problems.items[0].line, 0);
        ck_assert_int_eq(sscanf(problems.items[0].text,
                                "%31s of dispatcherd.service hides the file from dispatcherd; "
                                "keep it below " CONFIG_DIR,
                                setting),
                         1);
    }
    problem_list_clear(&problems);
    return setting;
}

START_TEST(test_files_in_hidden_folders_are_errors)
{
    static const struct {
        const char *path, *setting;
    } cases[] = {{"/home/mx/no-such-file", "ProtectHome=yes"},
                 {"/root/no-such-file", "ProtectHome=yes"},
                 {"/run/user/1000/no-such-file", "ProtectHome=yes"},
                 {"/tmp/no-such-file", "PrivateTmp=yes"},
                 {"/var/tmp/no-such-file", "PrivateTmp=yes"},
                 {"/etc/dispatcherd/no-such-file", ""},
                 {"/run/no-such-file", ""},
                 {"/homes/no-such-file", ""},
                 {"/tmpfiles/no-such-file", ""},
                 {"/srv/home/no-such-file", ""}};

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        ck_assert_msg(strcmp(hidden_by(cases[i].path), cases[i].setting) == 0, "%s", cases[i].path);
}
END_TEST

/* What counts is where a link leads. */
START_TEST(test_links_are_followed)
{
    char link[] = "/tmp/unit_view-XXXXXX", path[40];

    _cleanup_fd_ int fd = mkstemp(link);
    ck_assert_int_ge(fd, 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ck_assert_str_eq(hidden_by(path), "PrivateTmp=yes");
    ck_assert_int_eq(unlink(link), 0);
    ck_assert_int_eq(symlink("/dev/null", link), 0);
    ck_assert_str_eq(hidden_by(link), "");
    ck_assert_int_eq(unlink(link), 0);
}
END_TEST

START_TEST(test_each_hidden_file_is_named)
{
    char *paths[] = {(char *)"/home/a", (char *)"/etc/b", (char *)"/tmp/no-such-file"};
    const struct str_list files = {.items = paths, .n_items = ELEMENTSOF(paths)};
    struct problem_list problems = {0};

    unit_view_check_files(&files, &problems);
    ck_assert_uint_eq(problems.n_errors, 2);
    ck_assert_str_eq(problems.items[0].file, paths[0]);
    ck_assert_str_eq(problems.items[1].file, paths[2]);
    problem_list_clear(&problems);
}
END_TEST

START_TEST(test_images_in_hidden_folders_are_errors)
{
    struct service_options services[] = {
        {.name = (char *)"ONE", .is_enabled = true, .image = (char *)"/home/mx/no-such-worker"},
        {.name = (char *)"TWO", .is_enabled = true, .image = (char *)"/usr/local/no-such-worker"},
        {.name = (char *)"THREE", .image = (char *)"/home/mx/no-such-worker"},
    };
    const struct config config = {.services = services, .n_services = ELEMENTSOF(services)};
    struct problem_list problems = {0};
    char text[512];

    for (size_t i = 0; i < ELEMENTSOF(services); i++)
        services[i].origins[OPTION_IMAGE] =
            (struct origin){.file = "x.cnf", .line = 7 + (unsigned)i};
    unit_view_check_images(&config, &problems);
    ck_assert_uint_eq(problems.n_items, 1);
    ck_assert_str_eq(
        problem_format(&problems.items[0], text, sizeof(text)),
        "x.cnf:7: error: ProtectHome=yes hides the IMAGE /home/mx/no-such-worker of "
        "the service ONE from dispatcherd and from its workers; keep it below " WORKER_DIR
        " or /usr/local");
    problem_list_clear(&problems);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("unit_view");

    ADD_TESTS(suite, "users", test_applies_to_the_installed_files_of_root,
              test_runs_with_the_rights_of_the_user, test_a_failed_check_names_the_user,
              test_without_the_rights_it_fails);
    ADD_TESTS(suite, "hidden", test_files_in_hidden_folders_are_errors, test_links_are_followed,
              test_each_hidden_file_is_named, test_images_in_hidden_folders_are_errors);
    return suite;
}
