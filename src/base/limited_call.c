/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/limited_call.h"

#include "base/time.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/* How often to check that the thread makes progress, and how long it may take in all: no longer
 * than the watchdog of dispatcherd.service allows the main loop. */
#define LOOK_USEC     (100 * USEC_PER_MSEC)
#define WORK_MAX_USEC (20 * USEC_PER_SEC)

/* Shared by the thread and the caller; the last of both frees it. */
struct limited_call {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    clockid_t clock; /* the thread's processor time */
    unsigned n_users;
    bool is_done;
    const struct limited_work *work;
    void *data; /* NULL: the caller has it back */
};

static void call_unref(struct limited_call *call)
{
    pthread_mutex_lock(&call->mutex);
    bool is_last = --call->n_users == 0;
    pthread_mutex_unlock(&call->mutex);
    if (!is_last)
        return;
    if (call->data)
        call->work->dispose(call->data);
    pthread_cond_destroy(&call->done);
    pthread_mutex_destroy(&call->mutex);
    free(call);
}

static struct limited_call *call_new(const struct limited_work *work, void *data)
{
    struct limited_call *call = calloc(1, sizeof(*call));

    if (!call)
        return NULL;
    pthread_mutex_init(&call->mutex, NULL);
    pthread_cond_init(&call->done, NULL);
    call->clock = CLOCK_PROCESS_CPUTIME_ID; /* until the thread runs */
    call->n_users = 1;
    call->work = work;
    call->data = data;
    return call;
}

static void *call_run(void *userdata)
{
    struct limited_call *call = userdata;
    clockid_t clock;

    if (pthread_getcpuclockid(pthread_self(), &clock) == 0) {
        pthread_mutex_lock(&call->mutex);
        call->clock = clock;
        pthread_mutex_unlock(&call->mutex);
    }
    call->work->run(call->data);
    pthread_mutex_lock(&call->mutex);
    call->is_done = true;
    pthread_cond_signal(&call->done);
    pthread_mutex_unlock(&call->mutex);
    call_unref(call);
    return NULL;
}

/* Starts the thread, with all signals blocked: the main loop handles those. */
static int call_start(struct limited_call *call)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;

    int r = pthread_attr_init(&attributes);
    if (r != 0)
        return -r;
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    call->n_users++;
    r = pthread_create(&thread, &attributes, call_run, call);
    if (r != 0)
        call->n_users--;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return -r;
}

/* Waits for the thread until `until`; the mutex is locked. */
static void wait_until(struct limited_call *call, uint64_t until)
{
    const struct timespec at = {
        .tv_sec = (time_t)(until / USEC_PER_SEC),
        .tv_nsec = (long)(until % USEC_PER_SEC) * 1000,
    };
    int r = 0;

    while (!call->is_done && r == 0)
        r = pthread_cond_clockwait(&call->done, &call->mutex, CLOCK_MONOTONIC, &at);
}

/* Returns whether the thread has finished in time. */
static bool call_wait(struct limited_call *call, uint64_t limit_usec)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC), end = now + WORK_MAX_USEC;
    uint64_t limit = now + limit_usec, worked = 0;

    pthread_mutex_lock(&call->mutex);
    while (!call->is_done && limit_usec > 0 && now < limit && now < end) {
        /* The clock belongs to the thread, and is valid only while that exists. */
        uint64_t works = time_now_usec(call->clock);

        if (works > worked)
            limit = now + limit_usec;
        worked = works;
        wait_until(call, now + LOOK_USEC);
        now = time_now_usec(CLOCK_MONOTONIC);
    }
    bool is_done = call->is_done;
    pthread_mutex_unlock(&call->mutex);
    return is_done;
}

void limited_call_forget(struct limited_call **stuck)
{
    if (*stuck)
        call_unref(*stuck);
    *stuck = NULL;
}

bool limited_call_hangs(struct limited_call **stuck, uint64_t limit_usec)
{
    if (*stuck && call_wait(*stuck, limit_usec))
        limited_call_forget(stuck);
    return *stuck != NULL;
}

int limited_call(struct limited_call **stuck, const struct limited_work *work, void *data,
                 uint64_t limit_usec)
{
    struct limited_call *call = limited_call_hangs(stuck, 0) ? NULL : call_new(work, data);

    if (!call) {
        work->dispose(data);
        return *stuck ? -ETIMEDOUT : -ENOMEM;
    }
    int r = call_start(call);
    if (r == 0 && !call_wait(call, limit_usec)) {
        *stuck = call;
        return -ETIMEDOUT;
    }
    if (r == 0)
        call->data = NULL;
    call_unref(call);
    return r;
}
