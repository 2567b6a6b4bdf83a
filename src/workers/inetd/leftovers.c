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

/* Likewise, of looks at those that have become our children. */
#define ORPHAN_ROUNDS_MAX 100

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

/* With a mark, kills those that have it, and looks for no others (what has ended is reaped all the
 * same). Returns true if there were any; *ret_reaped: some of them had ended. */
static bool reap_listed(uint64_t mark, bool *ret_reaped)
{
    char text[4096];
    ssize_t n = pread(children_fd, text, sizeof(text) - 1, 0);
    bool exist = false;
    char *next = text;

    *ret_reaped = false;
    if (n <= 0)
        return n < 0 && mark == 0; /* not known: they are looked for */
    text[n] = '\0';
    if (n > (ssize_t)sizeof(text) - LAST_BYTES) {
        /* There may be more; the last number may be the begin of a longer one. */
        *strrchr(text, ' ') = '\0';
        exist = mark == 0;
    }
    for (char *word; (word = strsep(&next, " "));) {
        pid_t pid = (pid_t)atol(word);

        if (pid <= 0)
            continue;
        bool is_wanted = mark == 0 || marks_of(pid) == mark;
        pid_t reaped = waitpid(pid, NULL, WNOHANG);

        *ret_reaped |= is_wanted && reaped > 0;
        if (is_wanted && reaped == 0)
            exist |= mark == 0 || kill(pid, SIGKILL) == 0;
    }
    return exist;
}

/* One that ended after the list was read has left us its children, which are not in it. Under a
 * lock: the number of one that another thread has reaped could be that of a session's program by
 * now. */
static bool reap(uint64_t mark)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    bool exist = false, has_reaped = true;

    pthread_mutex_lock(&lock);
    for (unsigned i = 0; !exist && has_reaped && i < ORPHAN_ROUNDS_MAX; i++)
        exist = reap_listed(mark, &has_reaped);
    pthread_mutex_unlock(&lock);
    return exist || has_reaped; /* the last one may have left another */
}

bool leftovers_exist(void)
{
    return reap(0);
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

/* What a look at all processes of the host found with a mark. */
struct found {
    bool is_known; /* the look was possible */
    unsigned n;    /* were alive */
    unsigned n_killed;
    unsigned n_refused; /* may not be killed by this user */
};

static struct found kill_all(uint64_t mark, struct marked_list *list)
{
    struct found found = {.is_known = marks_list(mark, list) >= 0};

    for (size_t i = 0; found.is_known && i < list->n_items; i++) {
        if (is_gone(&list->items[i]))
            continue;
        found.n++;
        if (kill(list->items[i].pid, SIGKILL) == 0)
            found.n_killed++;
        else if (errno == EPERM)
            found.n_refused++;
    }
    return found;
}

/* A process that forks and ends, and so on, can be newer than each list of all of them. But as it
 * has lost its parent it is our child, and few are. */
static bool kill_orphans(uint64_t mark)
{
    unsigned n = 0;

    while (n < ORPHAN_ROUNDS_MAX && reap(mark))
        n++;
    return n > 0;
}

unsigned leftovers_end(uint64_t mark, uint64_t limit_usec, unsigned *ret_n_remaining)
{
    const struct timespec look = {.tv_nsec = LOOK_NSEC};
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + limit_usec;
    struct marked_list list = {0};
    struct found found;
    unsigned n_killed = 0;
    bool is_done;

    stop_all(mark, &list);
    do {
        found = kill_all(mark, &list);
        bool had_orphans = kill_orphans(mark);

        if (had_orphans && n_killed == 0)
            n_killed = 1;
        if (found.n_killed > n_killed)
            n_killed = found.n_killed;
        is_done = found.is_known && !had_orphans && found.n == found.n_refused;
        if (!is_done)
            nanosleep(&look, NULL);
    } while (!is_done && time_now_usec(CLOCK_MONOTONIC) < end);
    free(list.items);
    /* At least one, if it is not known. */
    *ret_n_remaining = is_done || found.n > 0 ? found.n : 1;
    return n_killed;
}
