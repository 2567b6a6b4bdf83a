/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/config/config_reading.h"

#include "base/limited_call.h"
#include "base/macro.h"
#include "base/time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    bool check_images;
    char *config_file;
    char *mapping_file;
    int result;
    struct problem_list problems;
    struct config_version *version;
};

/* A reading that has not finished in time. */
static struct limited_call *stuck;

static void reading_free(void *data)
{
    struct reading *reading = data;

    config_version_unref(reading->version);
    problem_list_clear(&reading->problems);
    free(reading->config_file);
    free(reading->mapping_file);
    free(reading);
}

static struct reading *reading_new(const char *config_file, const char *mapping_file,
                                   bool check_images)
{
    struct reading *reading = calloc(1, sizeof(*reading));

    if (!reading)
        return NULL;
    reading->check_images = check_images;
    reading->config_file = strdup(config_file);
    reading->mapping_file = strdup(mapping_file);
    if (!reading->config_file || !reading->mapping_file) {
        reading_free(reading);
        return NULL;
    }
    return reading;
}

static void reading_run(void *data)
{
    struct reading *reading = data;

    reading->result =
        config_version_read(reading->config_file, reading->mapping_file, reading->check_images,
                            &reading->problems, &reading->version);
}

static const struct limited_work reading_work = {reading_run, reading_free};

int config_reading_read(const char *config_file, const char *mapping_file, bool check_images,
                        uint64_t limit_usec, struct problem_list *problems,
                        struct config_version **ret)
{
    struct reading *reading = reading_new(config_file, mapping_file, check_images);

    if (!reading)
        return -ENOMEM;
    int r = limited_call(&stuck, &reading_work, reading, limit_usec);
    if (r == -ETIMEDOUT)
        problem_add(problems, PROBLEM_ERROR, config_file, 0,
                    "cannot read the configuration within %u s; one of its files "
                    "or programs is on a file system that does not respond",
                    (unsigned)(limit_usec / USEC_PER_SEC));
    if (r < 0)
        return r;
    *problems = reading->problems;
    reading->problems = (struct problem_list){0};
    r = reading->result;
    if (r == 0)
        *ret = STEAL(reading->version);
    reading_free(reading);
    return r;
}
