/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* dispatcherd-generator: makes units of dispatcher.cnf. systemd runs it at boot and at every
 * daemon-reload (systemd.generator(7)).
 *
 * Whatever is wrong with dispatcher.cnf, the boot must go on: problems are logged, what is usable
 * becomes units, and the exit status is 0. */
#include "base/fd.h"
#include "base/str.h"
#include "config/load.h"
#include "generator/boot_log.h"
#include "generator/environment.h"
#include "generator/units.h"
#include "generator/write.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_FILE CONFIG_DIR "/dispatcher.cnf"

static void log_problems(const struct problem_list *problems)
{
    char text[1024];

    for (size_t i = 0; i < problems->n_items; i++) {
        const struct problem *problem = &problems->items[i];

        boot_log(problem->severity == PROBLEM_ERROR ? LOG_ERR : LOG_WARNING, "%s",
                 problem_format(problem, text, sizeof(text)));
    }
    size_t n_all = problems->n_errors + problems->n_warnings;
    if (n_all > problems->n_items)
        boot_log(LOG_ERR, "%zu more %s not shown", n_all - problems->n_items,
                 str_plural(n_all - problems->n_items, "problem is", "problems are"));
}

static void log_write_failed(const char *path, int error)
{
    boot_log(LOG_ERR, "cannot write the unit %s: %s", path, strerror(error));
}

static int generate(const char *config_path, const char *directory)
{
    const struct unit_environment environment = unit_environment_here(config_path);
    struct config_paths paths = config_paths_default();
    struct problem_list problems = {0};
    struct config config = {0};
    struct unit_list units = {0};

    int r = config_load_usable(config_path, &paths, &problems, &config);
    if (r == 0)
        r = units_make(&config, &environment, &problems, &units);
    if (r == 0)
        r = write_units(directory, &units, log_write_failed);
    log_problems(&problems);
    unit_list_clear(&units);
    config_clear(&config);
    problem_list_clear(&problems);
    return r;
}

static int usage(void)
{
    fprintf(stderr, "Usage: dispatcherd-generator [--config FILE] DIRECTORY [EARLY LATE]\n"
                    "Write the units of the services of dispatcher.cnf to DIRECTORY. systemd runs "
                    "it; run by hand, it shows what\nsystemd would get.\n");
    return 2;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'}, {0}};
    const char *config_path = CONFIG_FILE;

    int r = fd_fill_standard(O_RDWR);
    if (r < 0) {
        boot_log(LOG_ERR, "cannot open /dev/null, writing no units: %s", strerror(-r));
        return EXIT_SUCCESS;
    }
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) >= 0;) {
        if (option != 'c')
            return usage();
        config_path = optarg;
        boot_log_by_hand();
    }
    if (argc - optind != 1 && argc - optind != 3)
        return usage();
    if (access(config_path, F_OK) < 0 && errno == ENOENT) {
        boot_log(LOG_INFO, "%s does not exist, writing no units", config_path);
        return EXIT_SUCCESS;
    }
    r = generate(config_path, argv[optind]);
    if (r < 0)
        boot_log(LOG_ERR, "cannot write units to %s: %s", argv[optind], strerror(-r));
    return EXIT_SUCCESS;
}
