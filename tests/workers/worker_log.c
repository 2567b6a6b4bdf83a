/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/worker_log.h"

#include <check.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static int standard_error = -1, file = -1;
static off_t taken; /* bytes of the file; other threads may write to it at any time */

void worker_log_begin(void)
{
    standard_error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    file = memfd_create("log", MFD_CLOEXEC);
    taken = 0;
    ck_assert_int_ge(standard_error, 0);
    ck_assert_int_ge(file, 0);
    ck_assert_int_ge(dup2(file, STDERR_FILENO), 0);
}

void worker_log_end(void)
{
    ck_assert_int_ge(dup2(standard_error, STDERR_FILENO), 0);
    close(standard_error);
    close(file);
}

dispatcher_connection worker_log_connection(void)
{
    static dispatcher_worker worker;
    static char service[] = "TEST";

    worker.welcome.service = service;
    return (dispatcher_connection){
        .worker = &worker,
        .fd = -1,
        .peer = {.family = AF_INET, .port = 1234, .bytes = {192, 0, 2, 7}},
    };
}

const char *worker_log_take(void)
{
    static char text[8192];
    ssize_t n = pread(file, text, sizeof(text) - 1, taken);

    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    taken += n;
    return text;
}
