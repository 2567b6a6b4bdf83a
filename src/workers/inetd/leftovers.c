/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/inetd/leftovers.h"

#include "base/fd.h"
#include "base/time.h"
#include "workers/inetd/marks.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A stopped process forks no more, and keeps its place under TasksMax=: so what may still fork gets
 * ever less. A hundred rounds are far more than were ever seen. */
#define STOP_ROUNDS_MAX 100

/* Between two looks at processes that were killed. */
#define LOOK_NSEC (2 * 1000 * 1000)

/* A list that does not fit ends within so many bytes of the buffer's end. */
#define LAST_BYTES 16

/* proc_pid_task(5), of the main thread; stays open. */
static int children_fd = -1;

int leftovers_start(void)
{
    char path[64];

    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        return -errno;
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    children_fd = open(path, O_RDONLY | O_CLOEXEC);
    return children_fd < 0 ? -errno : 0;
}

/* Returns true if others were there; *ret_reaped: some had ended. */
static bool reap_listed(bool *ret_reaped)
{
    char text[4096];
    ssize_t n = pread(children_fd, text, sizeof(text) - 1, 0);
    bool exist = false;
    char *next = text;

    *ret_reaped = false;
    if (n <= 0)
        return n < 0; /* not known: they are looked for */
    text[n] = '\0';
    if (n > (ssize_t)sizeof(text) - LAST_BYTES) {
        /* There may be more; the last number may be the begin of a longer one. */
        *strrchr(text, ' ') = '\0';
        exist = true;
    }
    for (char *word; (word = strsep(&next, " "));) {
        pid_t pid = (pid_t)atol(word);

        if (pid <= 0)
            continue;
        pid_t reaped = waitpid(pid, NULL, WNOHANG);

        exist |= reaped == 0;
        *ret_reaped |= reaped > 0;
    }
    return exist;
}

/* One that ended after the list was read has left us its children, which are not in it. */
static bool reap(void)
{
    bool exist, has_reaped;

    do
        exist = reap_listed(&has_reaped);
    while (!exist && has_reaped);
    return exist;
}

/* Under a lock: the number of one that another thread has reaped could be that of a session's
 * program by now. */
bool leftovers_exist(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&lock);
    bool exist = reap();
    pthread_mutex_unlock(&lock);
    return exist;
}

static bool is_gone(const struct marked *process)
{
    return process->state == '\0' || process->state == 'Z' || process->state == 'X';
}

static void stop_all(uint64_t mark, struct marked_list *list)
{
    bool has_running = true;

    for (unsigned i = 0; i < STOP_ROUNDS_MAX && has_running; i++) {
        has_running = false;
        if (marks_list(mark, list) < 0)
            return;
        for (size_t k = 0; k < list->n_items; k++)
            if (!is_gone(&list->items[k]) && list->items[k].state != 'T' &&
                kill(list->items[k].pid, SIGSTOP) == 0)
                has_running = true;
    }
}

/* Returns how many are there, and in *ret_n_killed how many of them could be killed. */
static unsigned kill_all(uint64_t mark, struct marked_list *list, unsigned *ret_n_killed)
{
    unsigned n = 0;

    *ret_n_killed = 0;
    if (marks_list(mark, list) < 0)
        return 0;
    for (size_t i = 0; i < list->n_items; i++)
        if (!is_gone(&list->items[i])) {
            n++;
            *ret_n_killed += kill(list->items[i].pid, SIGKILL) == 0;
        }
    return n;
}

unsigned leftovers_end(uint64_t mark, uint64_t limit_usec, unsigned *ret_n_remaining)
{
    const struct timespec look = {.tv_nsec = LOOK_NSEC};
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + limit_usec;
    struct marked_list list = {0};
    unsigned n_killed = 0, n_now, n = 0;

    stop_all(mark, &list);
    do {
        n = kill_all(mark, &list, &n_now);
        if (n_now > n_killed)
            n_killed = n_now;
        (void)leftovers_exist(); /* reaps */
        if (n > 0)
            nanosleep(&look, NULL);
    } while (n > 0 && n_now > 0 && time_now_usec(CLOCK_MONOTONIC) < end);
    free(list.items);
    *ret_n_remaining = n;
    return n_killed;
}
