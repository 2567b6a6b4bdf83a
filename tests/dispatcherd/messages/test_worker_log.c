/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The log files of workers: opened for the welcome, and anew when they were moved away. */
#include "access/tcp.h"
#include "base/fd.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/messages/worker_log.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/report/message_ids.h"
#include "protocol/channel.h"
#include "support/suite.h"

#include <errno.h>
#include <glob.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct control_scene scene;
static struct service *service;
static struct worker *worker;
static int theirs;
static char folder[40];
static unsigned n_lines;
static char last_line[2048];

static void take(_unused_ struct follower *follower, json_t *event)
{
    const char *id = json_string_value(json_object_get(event, "message_id"));

    if (!id || strcmp(id, MESSAGE_ID_LOGFILE_FAILED) != 0)
        return;
    n_lines++;
    snprintf(last_line, sizeof(last_line), "%s", json_string_value(json_object_get(event, "text")));
}

static struct follower follower = {.take = take};

static void begin(const char *file)
{
    char text[256];
    int pair[2];

    snprintf(text, sizeof(text), "[SERVICE=SMTP]\nPORT=25\nIMAGE=/bin/true\n%s%s%s%s\n",
             file ? "LOGFILE=" : "", file ? folder : "", file ? "/" : "", file ? file : "");
    scene_init(&scene, text);
    scene.context.host_name = "mx1";
    service = scene.services[0];
    worker = scene_add_worker(&scene, 0, 0, 4711);
    worker->knows.log = true;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                     0);
    worker->channel = pair[0];
    theirs = pair[1];
}

static void set_up(void)
{
    strcpy(folder, "/tmp/worker_log-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    theirs = -1;
    n_lines = 0;
    events_follow(&follower);
}

/* Calls the function for each file in the folder; returns how many there are. */
static size_t for_each_file(int (*function)(const char *path))
{
    char pattern[64];
    glob_t found;

    snprintf(pattern, sizeof(pattern), "%s/*", folder);
    if (glob(pattern, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc && function; i++)
        ck_assert_int_eq(function(found.gl_pathv[i]), 0);
    size_t n = found.gl_pathc;
    globfree(&found);
    return n;
}

static void tear_down(void)
{
    events_leave(&follower);
    fd_close(theirs);
    scene_clear(&scene);
    for_each_file(unlink);
    rmdir(folder);
}

/* The descriptor that the worker was sent as its new file; -1: it was sent nothing. */
static int hear(void)
{
    alignas(8) uint8_t bytes[64];
    struct message message;
    int fds[MESSAGE_FDS_MAX];
    size_t n_fds;
    pid_t pid;
    ssize_t length = channel_receive(theirs, bytes, sizeof(bytes), fds, &n_fds, &pid);

    if (length == -EAGAIN)
        return -1;
    ck_assert_int_eq(message_read(bytes, (size_t)length, &message), 0);
    ck_assert_int_eq(message.type, MESSAGE_LOG);
    ck_assert_uint_eq(n_fds, 1);
    return fds[0];
}

static bool is_same_file(int fd, const char *path)
{
    struct stat a, b;

    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_ino == b.st_ino;
}

START_TEST(test_the_file_is_named_after_host_and_process)
{
    char start[64];

    begin("%s.log");
    int fd = worker_log_open(worker);
    ck_assert_int_ge(fd, 0);
    snprintf(start, sizeof(start), "%s/mx1.log-", folder);
    ck_assert_int_eq(strncmp(worker->log.path, start, strlen(start)), 0);
    ck_assert_str_eq(strrchr(worker->log.path, '.'), ".4711");
    ck_assert(is_same_file(fd, worker->log.path));
    fd_close(fd);
}
END_TEST

START_TEST(test_without_the_option_there_is_no_file)
{
    begin(NULL);
    ck_assert_int_eq(worker_log_open(worker), -1);
    ck_assert_uint_eq(n_lines, 0);
}
END_TEST

START_TEST(test_a_file_that_cannot_be_opened_is_reported)
{
    begin("missing/smtp.log");
    ck_assert_int_eq(worker_log_open(worker), -1);
    ck_assert_uint_eq(n_lines, 1);
    ck_assert_ptr_nonnull(strstr(last_line, ": No such file or directory; worker 4711 logs to "));
}
END_TEST

START_TEST(test_a_file_that_was_moved_away_is_opened_anew)
{
    char old[64], path[256];

    begin("smtp.log");
    fd_close(worker_log_open(worker));
    worker_logs_check(service);
    ck_assert_int_eq(hear(), -1);
    strcpy(path, worker->log.path);
    snprintf(old, sizeof(old), "%s/old", folder);
    ck_assert_int_eq(rename(path, old), 0);
    worker_logs_check(service);
    int fd = hear();
    ck_assert_int_ge(fd, 0);
    ck_assert(is_same_file(fd, path));
    ck_assert(!is_same_file(fd, old));
    fd_close(fd);
    worker_logs_check(service);
    ck_assert_int_eq(hear(), -1);
}
END_TEST

static int n_removed;

static bool is_sent_again(_unused_ void *userdata)
{
    int fd = hear();

    n_removed += fd >= 0;
    fd_close(fd);
    return n_removed > 0;
}

START_TEST(test_the_folder_is_watched)
{
    begin("smtp.log");
    worker_logs_watch(service);
    ck_assert_ptr_nonnull(service->log_source);
    fd_close(worker_log_open(worker));
    ck_assert_int_eq(unlink(worker->log.path), 0);
    n_removed = 0;
    loop_until(scene.context.event, is_sent_again, NULL);
    ck_assert_uint_eq(for_each_file(NULL), 1);
}
END_TEST

/* It would take the message for an invalid one, and exit. */
START_TEST(test_one_that_does_not_know_the_order_keeps_its_file)
{
    begin("smtp.log");
    worker->knows.log = false;
    fd_close(worker_log_open(worker));
    ck_assert_int_eq(unlink(worker->log.path), 0);
    worker_logs_check(service);
    worker_logs_check(service);
    ck_assert_int_eq(hear(), -1);
    ck_assert_uint_eq(n_lines, 1);
    ck_assert_ptr_nonnull(strstr(last_line, "to replace it now: dispatcherctl restart SMTP"));
}
END_TEST

START_TEST(test_a_folder_that_was_removed_is_reported)
{
    begin("smtp.log");
    fd_close(worker_log_open(worker));
    ck_assert_int_eq(unlink(worker->log.path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
    worker_logs_check(service);
    ck_assert_int_eq(hear(), -1);
    ck_assert_ptr_nonnull(
        strstr(last_line, "worker 4711 keeps writing to the file that was moved away"));
}
END_TEST

/* It is found by its name, and not opened a second time. */
START_TEST(test_a_predecessors_worker_has_its_file)
{
    char path[256];

    begin("smtp.log");
    fd_close(worker_log_open(worker));
    strcpy(path, worker->log.path);
    logfile_clear(&worker->log);
    worker_log_adopt(worker);
    ck_assert_str_eq(worker->log.path, path);
    ck_assert_int_eq(hear(), -1);
    /* While no daemon ran, it was moved away. */
    logfile_clear(&worker->log);
    ck_assert_int_eq(unlink(path), 0);
    worker_log_adopt(worker);
    int fd = hear();
    ck_assert_int_ge(fd, 0);
    ck_assert(is_same_file(fd, worker->log.path));
    fd_close(fd);
}
END_TEST

SUITE("worker_log", set_up, tear_down, test_the_file_is_named_after_host_and_process,
      test_without_the_option_there_is_no_file, test_a_file_that_cannot_be_opened_is_reported,
      test_a_file_that_was_moved_away_is_opened_anew, test_the_folder_is_watched,
      test_one_that_does_not_know_the_order_keeps_its_file,
      test_a_folder_that_was_removed_is_reported, test_a_predecessors_worker_has_its_file)
