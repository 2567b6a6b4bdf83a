/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Any bytes as dispatcher.cnf: none may do harm, and what is accepted must read back as printed. */
#include "base/fd.h"
#include "config/load.h"
#include "config/print.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Loads the file behind the descriptor. */
static int load(int fd, struct config *ret)
{
    static const struct config_paths paths = {
        .worker_dir = "/workers",
        .config_dir = "/tables",
        .log_dir = "/logs",
    };
    struct problem_list problems = {0};
    char path[40], text[200];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int r = config_load(path, &paths, &problems, ret);
    if ((r == 0) != (problems.n_errors == 0))
        abort();
    for (size_t i = 0; i < problems.n_items; i++)
        problem_format(&problems.items[i], text, sizeof(text));
    problem_list_clear(&problems);
    return r;
}

static void check_printed(const struct config *config)
{
    _cleanup_fd_ int fd = memfd_create("printed", MFD_CLOEXEC);
    FILE *stream = fdopen(dup(fd), "w");
    struct config again;

    if (!stream || config_print(config, stream) < 0 || load(fd, &again) < 0)
        abort();
    if (again.n_services != config->n_services || again.debug != config->debug)
        abort();
    config_clear(&again);
    fclose(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_fd_ int fd = memfd_create("dispatcher.cnf", MFD_CLOEXEC);
    struct config config;

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    if (load(fd, &config) == 0) {
        check_printed(&config);
        config_clear(&config);
    }
    return 0;
}
