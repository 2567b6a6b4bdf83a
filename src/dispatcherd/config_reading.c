#include "dispatcherd/config_reading.h"

#include "base/macro.h"
#include "base/str.h"
#include "base/time.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How often to look whether the thread gets on, and how long it may in all: no longer than the
 * watchdog of dispatcherd.service leaves the main loop. */
#define LOOK_USEC     (100 * USEC_PER_MSEC)
#define WORK_MAX_USEC (20 * USEC_PER_SEC)

/* Shared by the thread that reads and the one that waits; whoever lets go last frees it. */
struct reading {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    clockid_t clock; /* the thread's processor time */
    unsigned n_users;
    bool is_done;
    bool check_images;
    char *config_file;
    char *mapping_file;
    int result;
    struct problem_list problems;
    struct config_version *version;
};

/* One that did not come to an end in time; a reference. Of the main thread alone. */
static struct reading *stuck;

static void reading_free(struct reading *reading)
{
    config_version_unref(reading->version);
    problem_list_clear(&reading->problems);
    free(reading->config_file);
    free(reading->mapping_file);
    pthread_cond_destroy(&reading->done);
    pthread_mutex_destroy(&reading->mutex);
    free(reading);
}

static void reading_unref(struct reading *reading)
{
    pthread_mutex_lock(&reading->mutex);
    bool is_last = --reading->n_users == 0;
    pthread_mutex_unlock(&reading->mutex);
    if (is_last)
        reading_free(reading);
}

static struct reading *reading_new(const char *config_file, const char *mapping_file,
                                   bool check_images)
{
    struct reading *reading = calloc(1, sizeof(*reading));

    if (!reading)
        return NULL;
    pthread_mutex_init(&reading->mutex, NULL);
    pthread_cond_init(&reading->done, NULL);
    reading->clock = CLOCK_PROCESS_CPUTIME_ID; /* until the thread runs */
    reading->n_users = 1;
    reading->check_images = check_images;
    reading->config_file = strdup(config_file);
    reading->mapping_file = strdup(mapping_file);
    if (!reading->config_file || !reading->mapping_file) {
        reading_free(reading);
        return NULL;
    }
    return reading;
}

static void *reading_run(void *userdata)
{
    struct reading *reading = userdata;
    clockid_t clock;

    if (pthread_getcpuclockid(pthread_self(), &clock) == 0) {
        pthread_mutex_lock(&reading->mutex);
        reading->clock = clock;
        pthread_mutex_unlock(&reading->mutex);
    }
    int r = config_version_read(reading->config_file, reading->mapping_file, reading->check_images,
                                &reading->problems, &reading->version);

    pthread_mutex_lock(&reading->mutex);
    reading->result = r;
    reading->is_done = true;
    pthread_cond_signal(&reading->done);
    pthread_mutex_unlock(&reading->mutex);
    reading_unref(reading);
    return NULL;
}

/* Starts the thread, which takes no signal: they are for the main loop. */
static int reading_start(struct reading *reading)
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
    reading->n_users++;
    r = pthread_create(&thread, &attributes, reading_run, reading);
    if (r != 0)
        reading->n_users--;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return -r;
}

/* Waits for the thread until `until`; with the mutex locked. */
static void reading_wait_until(struct reading *reading, uint64_t until)
{
    const struct timespec at = {
        .tv_sec = (time_t)(until / USEC_PER_SEC),
        .tv_nsec = (long)(until % USEC_PER_SEC) * 1000,
    };
    int r = 0;

    while (!reading->is_done && r == 0)
        r = pthread_cond_clockwait(&reading->done, &reading->mutex, CLOCK_MONOTONIC, &at);
}

/* Returns whether the thread came to its end before it had stood still for `limit_usec`, or had
 * taken WORK_MAX_USEC in all. */
static bool reading_wait(struct reading *reading, uint64_t limit_usec)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC), end = now + WORK_MAX_USEC;
    uint64_t limit = now + limit_usec, worked = 0;

    pthread_mutex_lock(&reading->mutex);
    while (!reading->is_done && limit_usec > 0 && now < limit && now < end) {
        /* The clock is the thread's, and valid only while that lives. */
        uint64_t works = time_now_usec(reading->clock);

        if (works > worked)
            limit = now + limit_usec;
        worked = works;
        reading_wait_until(reading, now + LOOK_USEC);
        now = time_now_usec(CLOCK_MONOTONIC);
    }
    bool is_done = reading->is_done;
    pthread_mutex_unlock(&reading->mutex);
    return is_done;
}

/* Hands over what the thread has read. */
static int reading_take(struct reading *reading, struct problem_list *problems,
                        struct config_version **ret)
{
    *problems = reading->problems;
    reading->problems = (struct problem_list){0};
    if (reading->result == 0)
        *ret = STEAL(reading->version);
    return reading->result;
}

int config_reading_read(const char *config_file, const char *mapping_file, bool check_images,
                        uint64_t limit_usec, struct problem_list *problems,
                        struct config_version **ret)
{
    if (stuck && reading_wait(stuck, 0)) {
        reading_unref(stuck);
        stuck = NULL;
    }
    struct reading *reading = stuck ? NULL : reading_new(config_file, mapping_file, check_images);
    if (!reading && !stuck)
        return -ENOMEM;
    int r = stuck ? 0 : reading_start(reading);
    if (r < 0) {
        reading_unref(reading);
        return r;
    }
    if (stuck || !reading_wait(reading, limit_usec)) {
        problem_add(problems, PROBLEM_ERROR, config_file, 0,
                    "the configuration cannot be read: nothing has come for %u s; one of its files "
                    "or programs is on a file system that does not answer",
                    (unsigned)(limit_usec / USEC_PER_SEC));
        stuck = stuck ? stuck : reading;
        return -ETIMEDOUT;
    }
    r = reading_take(reading, problems, ret);
    reading_unref(reading);
    return r;
}
