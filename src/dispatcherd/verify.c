/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/verify.h"

#include "config/load.h"
#include "dispatcherd/config/config_version.h"
#include "dispatcherd/config/parameter_check.h"
#include "dispatcherd/config/unit_view.h"
#include "dispatcherd/config/units_due.h"
#include "dispatcherd/limits/store_room.h"
#include "dispatcherd/limits/task_limits.h"
#include "dispatcherd/store/store_limit.h"
#include "files/problem.h"

#include <stdlib.h>

struct files {
    const char *config;
    const char *mappings;
};

/* Prints the problems, and frees them. Returns the exit status. */
static int finish_check(int r, struct problem_list *problems)
{
    bool is_good = r == 0 && problems->n_errors == 0;

    problem_list_print(problems, stdout);
    problem_list_clear(problems);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void add_due(const struct files *files, const struct config *config,
                    struct problem_list *problems)
{
    const struct units_due_question question = {.config = config, .config_file = files->config};
    struct due_list due = {0};

    (void)units_due(&question, &due);
    due_add_problems(&due, problems);
    due_clear(&due);
}

/* Only if the daemon's unit exists, so that it can be asked about its limit. */
static void check_store_room(const struct files *files, const struct config *config,
                             struct problem_list *problems)
{
    if (units_due_applies(files->config))
        store_room_check(config, store_limit_of_daemon(), PROBLEM_ERROR, problems);
}

/* A warning: it may be that not all services are busy at the same time, or that the limit is
 * another one where the daemon runs. */
static void check_task_room(const struct files *files, const struct config *config,
                            struct problem_list *problems)
{
    bool is_unit = units_due_applies(files->config);
    struct task_limits limits;

    task_limits_read(is_unit, &limits);
    task_room_check(config, &limits, problems);
    for (size_t i = 0; is_unit && i < config->n_services; i++)
        if (config->services[i].is_enabled)
            task_room_check_worker(&config->services[i],
                                   task_limits_of_worker(config->services[i].unit_name), problems);
}

/* Checks services that have no other errors, whatever is wrong with the rest of the file. */
static void check_parameters(const struct files *files, struct problem_list *problems)
{
    const struct config_paths paths = config_paths_default();
    struct problem_list known = {0};
    struct config config = {0};

    if (config_load_usable(files->config, &paths, &known, &config) == 0)
        parameter_check(&config, problems);
    config_clear(&config);
    problem_list_clear(&known);
}

static int check_files(const struct files *files, bool is_unit)
{
    struct problem_list problems = {0};
    struct config_version *version = NULL;

    int r = config_version_read(files->config, files->mappings, !is_unit, &problems, &version);
    if (r == 0)
        add_due(files, &version->config, &problems);
    if (r == 0)
        check_store_room(files, &version->config, &problems);
    if (r == 0)
        check_task_room(files, &version->config, &problems);
    if (r == 0 && is_unit) {
        unit_view_check_files(&version->config.files, &problems);
        unit_view_check_files(&version->mappings->files, &problems);
    }
    if (!is_unit)
        check_parameters(files, &problems);
    config_version_unref(version);
    return finish_check(r, &problems);
}

static int check_files_as_daemon(void *data)
{
    return check_files(data, true);
}

static int check_images(void *data)
{
    const struct config *config = data;
    struct problem_list problems = {0};

    unit_view_check_images(config, &problems);
    if (problems.n_errors == 0)
        config_check_images(config, &problems);
    parameter_check(config, &problems);
    return finish_check(0, &problems);
}

/* Checks the files with the rights of the daemon, and the programs with those of the workers. */
static int check_as_units(const struct files *files)
{
    const struct config_paths paths = config_paths_default();
    struct problem_list problems = {0}; /* the daemon's part has printed them */
    struct config config = {0};

    int status = unit_view_run_as_daemon(check_files_as_daemon, (void *)files);
    if (config_load_usable(files->config, &paths, &problems, &config) == 0 &&
        unit_view_run_as_worker(check_images, &config) != EXIT_SUCCESS)
        status = EXIT_FAILURE;
    config_clear(&config);
    problem_list_clear(&problems);
    return status;
}

int verify(const char *config_file, const char *mapping_file)
{
    const struct files files = {.config = config_file, .mappings = mapping_file};

    if (unit_view_applies(config_file, mapping_file))
        return check_as_units(&files);
    return check_files(&files, false);
}
