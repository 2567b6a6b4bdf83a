/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Any bytes as the configuration of another dispatcher: the first byte chooses the form. What comes
 * out has to be read without an error or a warning by our own readers. */
#include "base/fd.h"
#include "base/macro.h"
#include "config/load.h"
#include "import/import.h"
#include "mapping/set.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool can_run(const char *path)
{
    return !strstr(path, "no-such");
}

static uint16_t find_port(const char *name)
{
    return (uint16_t)(20000 + name[0]);
}

static int file_of(const char *text, char path[40])
{
    int fd = memfd_create("result", MFD_CLOEXEC);

    if (fd < 0 || fchmod(fd, 0600) < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        abort();
    snprintf(path, 40, "/proc/self/fd/%d", fd);
    return fd;
}

static void die(const char *text, const struct problem_list *problems)
{
    fputs(text, stderr);
    problem_list_print(problems, stderr);
    abort();
}

static void check_config(const char *text, unsigned n_services)
{
    static const struct config_paths paths = {
        .worker_dir = "/workers", .config_dir = "/tables", .log_dir = "/logs"};
    struct problem_list problems = {0};
    struct config config = {0};
    char path[40];

    _unused_ _cleanup_fd_ int fd = file_of(text, path);
    int r = config_load(path, &paths, &problems, &config);
    /* A file without a service is a warning in itself. */
    if (r < 0 || problems.n_errors > 0 ||
        (n_services > 0 && config.n_services > 0 && problems.n_warnings > 0))
        die(text, &problems);
    problem_list_clear(&problems);
    config_clear(&config);
}

static void check_mappings(const char *text)
{
    struct problem_list problems = {0};
    struct mapping_set *set = NULL;
    char path[40];

    _unused_ _cleanup_fd_ int fd = file_of(text, path);
    if (mapping_set_load(path, &problems, &set) < 0 || problems.n_errors > 0)
        die(text, &problems);
    problem_list_clear(&problems);
    mapping_set_unref(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"dispatcher.cnf", "xinetd", "inetd", "master.cf"};
    const struct import_host host = {.can_run = can_run,
                                     .find_port = find_port,
                                     .worker_dir = "/workers",
                                     .has_mappings = size > 0 && data[0] & 0x80};
    struct import_result result;
    enum import_form form;

    if (size == 0 || import_form_find(names[data[0] % 4], &form) < 0)
        return 0;
    /* A copy of just this size, so that reading beyond it is seen. */
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    const struct import_source source = {.name = "FILE", .text = text, .size = size - 1};
    if (import_run(form, &host, &source, 1, &result) == 0) {
        check_config(result.config, result.n_services);
        if (result.mappings)
            check_mappings(result.mappings);
        import_result_clear(&result);
    }
    free(text);
    return 0;
}
