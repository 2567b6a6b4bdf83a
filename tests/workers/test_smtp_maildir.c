/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"
#include "workers/smtp_folder.h"

#include "base/macro.h"
#include "workers/tcp_smtp_server/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct smtp_folder folder;

static void set_up(void)
{
    smtp_folder_make(&folder);
}

static void tear_down(void)
{
    smtp_folder_remove(&folder);
}

static int deliver(const char *path, const char *text, size_t n_times)
{
    struct maildir_delivery *delivery = malloc(sizeof(*delivery));
    int r = maildir_begin(delivery, path, "host.example");

    for (size_t i = 0; r == 0 && i < n_times; i++)
        if ((r = maildir_write(delivery, text, strlen(text))) < 0)
            maildir_abort(delivery);
    if (r == 0)
        r = maildir_commit(delivery);
    free(delivery);
    return r;
}

START_TEST(test_makes_what_is_missing)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof(path), "%s/a/b/mail", folder.path);
    ck_assert_int_eq(maildir_make(path), 0);
    ck_assert_int_eq(maildir_make(path), 0);
    snprintf(path, sizeof(path), "%s/a/b/mail/cur", folder.path);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0700);
}
END_TEST

/* In place of the C library's: what was brought to the disk, by its path. */
static char synced[16][PATH_MAX];
static atomic_size_t n_synced; /* threads deliver at once */

int fsync(int fd)
{
    char link[32];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    size_t i = n_synced++;
    if (i < ELEMENTSOF(synced)) {
        ssize_t length = readlink(link, synced[i], PATH_MAX - 1);

        synced[i][length < 0 ? 0 : length] = '\0';
    }
    return (int)syscall(SYS_fsync, fd);
}

static bool was_synced(const char *path)
{
    for (size_t i = 0; i < n_synced && i < ELEMENTSOF(synced); i++)
        if (strcmp(synced[i], path) == 0)
            return true;
    return false;
}

/* Each folder that holds the name of one that was made. */
START_TEST(test_what_it_makes_outlives_a_power_cut)
{
    static const char *const parents[] = {"", "/a", "/a/b", "/a/b/mail"};
    char path[128];

    snprintf(path, sizeof(path), "%s/a/b/mail", folder.path);
    n_synced = 0;
    ck_assert_int_eq(maildir_make(path), 0);
    for (size_t i = 0; i < ELEMENTSOF(parents); i++) {
        snprintf(path, sizeof(path), "%s%s", folder.path, parents[i]);
        ck_assert_msg(was_synced(path), "%s was not synced", path);
    }
}
END_TEST

/* Another worker may have made it a moment ago. */
START_TEST(test_what_another_has_made_outlives_a_power_cut)
{
    char path[128];

    ck_assert_int_eq(maildir_make(folder.maildir), 0);
    n_synced = 0;
    ck_assert_int_eq(maildir_make(folder.maildir), 0);
    ck_assert(was_synced(folder.maildir));
    snprintf(path, sizeof(path), "%s", folder.maildir);
    *strrchr(path, '/') = '\0';
    ck_assert(was_synced(path));
}
END_TEST

START_TEST(test_says_why_it_cannot)
{
    char path[128];

    ck_assert_int_eq(maildir_make("/proc/mail"), -ENOENT);
    snprintf(path, sizeof(path), "%s/file", folder.path);
    ck_assert_int_ge(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
    snprintf(path, sizeof(path), "%s/file/mail", folder.path);
    ck_assert_int_eq(maildir_make(path), -ENOTDIR);
}
END_TEST

START_TEST(test_message_appears_whole_and_alone)
{
    struct maildir_delivery delivery;

    ck_assert_int_eq(maildir_make(folder.maildir), 0);
    ck_assert_int_eq(maildir_begin(&delivery, folder.maildir, "a/b:c"), 0);
    ck_assert_int_eq(maildir_write(&delivery, "text\n", 5), 0);
    ck_assert_uint_eq(smtp_folder_count(&folder, "tmp"), 1);
    ck_assert_uint_eq(smtp_folder_count(&folder, "new"), 0);
    ck_assert_int_eq(maildir_commit(&delivery), 0);
    ck_assert_ptr_nonnull(strstr(delivery.file_name, ".a\\057b\\072c"));
    ck_assert_uint_eq(smtp_folder_count(&folder, "tmp"), 0);
    char *text = smtp_folder_read_message(&folder);
    ck_assert_str_eq(text, "text\n");
    free(text);
}
END_TEST

START_TEST(test_aborted_message_leaves_nothing)
{
    struct maildir_delivery delivery;

    ck_assert_int_eq(maildir_begin(&delivery, folder.maildir, "h"), 0);
    ck_assert_int_eq(maildir_write(&delivery, "text\n", 5), 0);
    maildir_abort(&delivery);
    ck_assert_uint_eq(smtp_folder_count(&folder, "tmp"), 0);
    ck_assert_uint_eq(smtp_folder_count(&folder, "new"), 0);
}
END_TEST

START_TEST(test_makes_the_maildir_again_when_it_was_removed)
{
    ck_assert_int_eq(deliver(folder.maildir, "x", 1), 0);
    ck_assert_uint_eq(smtp_folder_count(&folder, "new"), 1);
}
END_TEST

START_TEST(test_file_limit_is_no_space_and_leaves_nothing)
{
    const struct rlimit limit = {.rlim_cur = 100000, .rlim_max = 100000};

    ck_assert_int_eq(maildir_make(folder.maildir), 0);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(deliver(folder.maildir, "0123456789", 20000), -EFBIG);
    ck_assert_uint_eq(smtp_folder_count(&folder, "tmp"), 0);
    ck_assert_int_eq(deliver(folder.maildir, "0123456789", 2000), 0);
    ck_assert_uint_eq(smtp_folder_count(&folder, "new"), 1);
}
END_TEST

START_TEST(test_full_disk_is_no_space_and_leaves_nothing)
{
    if (mount("tmpfs", folder.path, "tmpfs", 0, "size=256k") < 0) {
        fprintf(stderr, "skipped, cannot mount a tmpfs: %s\n", strerror(errno));
        return;
    }
    int r = maildir_make(folder.maildir);
    int full = deliver(folder.maildir, "0123456789", 50000);
    size_t n_tmp = smtp_folder_count(&folder, "tmp"), n_new = smtp_folder_count(&folder, "new");
    int small = deliver(folder.maildir, "0123456789", 1000);
    (void)umount2(folder.path, MNT_DETACH);
    ck_assert_int_eq(r, 0);
    ck_assert_int_eq(full, -ENOSPC);
    ck_assert_uint_eq(n_tmp, 0);
    ck_assert_uint_eq(n_new, 0);
    ck_assert_int_eq(small, 0);
}
END_TEST

START_TEST(test_cleans_only_what_is_abandoned)
{
    char path[128];
    const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};

    ck_assert_int_eq(maildir_make(folder.maildir), 0);
    snprintf(path, sizeof(path), "%s/tmp/fresh", folder.maildir);
    ck_assert_int_ge(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
    snprintf(path, sizeof(path), "%s/tmp/old", folder.maildir);
    ck_assert_int_ge(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, long_ago, 0), 0);
    maildir_clean(folder.maildir);
    ck_assert_int_lt(access(path, F_OK), 0);
    ck_assert_uint_eq(smtp_folder_count(&folder, "tmp"), 1);
}
END_TEST

enum {
    N_PROCESSES = 4,
    N_THREADS = 4,
    N_MESSAGES = 20,
};

static void *deliver_many(void *userdata _unused_)
{
    for (int i = 0; i < N_MESSAGES; i++)
        if (deliver(folder.maildir, "0123456789", 10) < 0)
            return &folder;
    return NULL;
}

static void deliver_by_threads(void)
{
    pthread_t threads[N_THREADS];
    int status = 0;

    for (int i = 0; i < N_THREADS; i++)
        pthread_create(&threads[i], NULL, deliver_many, NULL);
    for (int i = 0; i < N_THREADS; i++) {
        void *result;

        pthread_join(threads[i], &result);
        status |= result != NULL;
    }
    _exit(status);
}

START_TEST(test_threads_and_processes_deliver_at_once)
{
    ck_assert_int_eq(maildir_make(folder.maildir), 0);
    for (int i = 0; i < N_PROCESSES; i++)
        if (fork() == 0)
            deliver_by_threads();
    for (int i = 0; i < N_PROCESSES; i++) {
        int status;

        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_uint_eq(smtp_folder_count(&folder, "new"), N_PROCESSES * N_THREADS * N_MESSAGES);
    ck_assert_uint_eq(smtp_folder_count(&folder, "tmp"), 0);
}
END_TEST

SUITE("smtp_maildir", set_up, tear_down, test_makes_what_is_missing,
      test_what_it_makes_outlives_a_power_cut, test_what_another_has_made_outlives_a_power_cut,
      test_says_why_it_cannot, test_message_appears_whole_and_alone,
      test_aborted_message_leaves_nothing, test_makes_the_maildir_again_when_it_was_removed,
      test_file_limit_is_no_space_and_leaves_nothing, test_full_disk_is_no_space_and_leaves_nothing,
      test_cleans_only_what_is_abandoned, test_threads_and_processes_deliver_at_once)
