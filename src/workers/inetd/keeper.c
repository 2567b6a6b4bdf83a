/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/inetd/keeper.h"

#include "base/time.h"
#include "workers/inetd/leftovers.h"
#include "workers/inetd/marks.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/sysinfo.h>

/* How often the number of the host's processes is looked at, which costs a microsecond. A fork bomb
 * makes some hundred processes in that time. */
#define LOOK_USEC (200 * USEC_PER_MSEC)

/* So many more processes than at the last look are a reason to count those of the sessions. */
#define GROWTH_MAX 16

/* If no process can be made any more, a session with more than this is the likely cause. */
#define HURRY_PROCESSES 8

/* How long the end of a session's processes may take. */
#define END_LIMIT_USEC (2 * USEC_PER_SEC)

static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct kept *sessions;
    uint64_t max_processes;
    unsigned n_procs; /* of the host, when they were last counted or fewer */
    bool is_idle;     /* the thread waits for a session */
    bool is_stopping;
    bool is_hurried;
} keeper = {.lock = PTHREAD_MUTEX_INITIALIZER};

void keeper_add(struct kept *kept)
{
    pthread_mutex_lock(&keeper.lock);
    kept->previous = NULL;
    kept->next = keeper.sessions;
    if (kept->next)
        kept->next->previous = kept;
    if (keeper.is_idle)
        pthread_cond_signal(&keeper.changed);
    keeper.sessions = kept;
    pthread_mutex_unlock(&keeper.lock);
}

void keeper_remove(struct kept *kept)
{
    pthread_mutex_lock(&keeper.lock);
    if (kept->next)
        kept->next->previous = kept->previous;
    if (kept->previous)
        kept->previous->next = kept->next;
    else
        keeper.sessions = kept->next;
    pthread_mutex_unlock(&keeper.lock);
}

void keeper_hurry(void)
{
    pthread_mutex_lock(&keeper.lock);
    keeper.is_hurried = true;
    pthread_cond_signal(&keeper.changed);
    pthread_mutex_unlock(&keeper.lock);
}

static int compare_marks(const void *a, const void *b)
{
    const struct marked *x = a, *y = b;

    return x->mark < y->mark ? -1 : x->mark > y->mark;
}

/* The session with the most processes. Returns their number. */
static unsigned find_largest(struct marked_list *list, uint64_t *ret_mark)
{
    unsigned largest = 0, n = 0;

    if (list->n_items == 0)
        return 0; /* there is no array then, and qsort() wants one */
    qsort(list->items, list->n_items, sizeof(*list->items), compare_marks);
    for (size_t i = 0; i < list->n_items; i++) {
        n = i > 0 && list->items[i].mark == list->items[i - 1].mark ? n + 1 : 1;
        if (n > largest) {
            largest = n;
            *ret_mark = list->items[i].mark;
        }
    }
    return largest;
}

/* Tells the session's thread why, before its program is gone. */
static void note(uint64_t mark, unsigned n_processes)
{
    pthread_mutex_lock(&keeper.lock);
    for (struct kept *kept = keeper.sessions; kept; kept = kept->next)
        if (kept->mark == mark)
            atomic_store(&kept->n_processes_at_end, n_processes);
    pthread_mutex_unlock(&keeper.lock);
}

/* Ends those that have too many processes, the largest first. */
static void count_processes(uint64_t max)
{
    struct marked_list list = {0};
    unsigned n, n_remaining;
    uint64_t mark = 0;

    while (marks_list(0, &list) == 0 && (n = find_largest(&list, &mark)) > max) {
        note(mark, n);
        (void)leftovers_end(mark, END_LIMIT_USEC, &n_remaining);
        if (n_remaining > 0)
            break;
    }
    free(list.items);
}

static unsigned count_host(void)
{
    struct sysinfo info;

    return sysinfo(&info) == 0 ? info.procs : 0;
}

static void look(bool is_hurried)
{
    unsigned n_procs = count_host();
    uint64_t max = keeper.max_processes;

    (void)leftovers_exist(); /* reaps */
    if (is_hurried && max > HURRY_PROCESSES)
        max = HURRY_PROCESSES;
    if (is_hurried || n_procs > keeper.n_procs + GROWTH_MAX) {
        count_processes(max);
        keeper.n_procs = n_procs;
        n_procs = count_host();
    }
    if (n_procs < keeper.n_procs)
        keeper.n_procs = n_procs;
}

static void wait_for_next_look(void)
{
    int r = 0;

    keeper.is_idle = true;
    while (!keeper.sessions && !keeper.is_stopping)
        pthread_cond_wait(&keeper.changed, &keeper.lock);
    keeper.is_idle = false;
    uint64_t at = time_now_usec(CLOCK_MONOTONIC) + LOOK_USEC;
    const struct timespec until = {.tv_sec = (time_t)(at / USEC_PER_SEC),
                                   .tv_nsec = (long)(at % USEC_PER_SEC * NSEC_PER_USEC)};

    while (r == 0 && !keeper.is_stopping && !keeper.is_hurried)
        r = pthread_cond_timedwait(&keeper.changed, &keeper.lock, &until);
}

static void *keeper_thread(void *argument)
{
    pthread_mutex_lock(&keeper.lock);
    while (!keeper.is_stopping) {
        wait_for_next_look();
        bool is_hurried = keeper.is_hurried;
        keeper.is_hurried = false;
        pthread_mutex_unlock(&keeper.lock);
        look(is_hurried);
        pthread_mutex_lock(&keeper.lock);
    }
    pthread_mutex_unlock(&keeper.lock);
    return argument;
}

int keeper_start(uint64_t max_processes)
{
    pthread_condattr_t attributes;

    keeper.max_processes = max_processes;
    keeper.n_procs = count_host();
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper.changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return -pthread_create(&keeper.thread, NULL, keeper_thread, NULL);
}

void keeper_stop(void)
{
    pthread_mutex_lock(&keeper.lock);
    keeper.is_stopping = true;
    pthread_cond_signal(&keeper.changed);
    pthread_mutex_unlock(&keeper.lock);
    pthread_join(keeper.thread, NULL);
}
