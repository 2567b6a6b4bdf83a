/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/simulate/simulate.h"

#include "base/fd.h"
#include "base/macro.h"
#include "base/str.h"
#include "config/load.h"
#include "dispatcherctl/simulate/outcome.h"
#include "dispatcherctl/views/style.h"
#include "simulate/measure.h"
#include "simulate/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_CONFIG CONFIG_DIR "/dispatcher.cnf"

#define SETTINGS_MAX 64

enum {
    EXIT_USAGE = 2,
};

struct simulation {
    const struct simulate_arguments *arguments;
    const char *path;
    char *configured_path;                  /* owned; NULL: it was named */
    struct setting items[SETTINGS_MAX + 1]; /* the last one is that of --sweep */
    size_t n_items;
    struct setting swept[OUTCOME_VALUES_MAX];
    size_t n_swept;
    struct config config; /* of --config */
    struct recording recording;
    struct outcomes outcomes;
};

static int complain(const char *reason)
{
    fprintf(stderr, "dispatcherctl: %s\n", reason);
    return EXIT_USAGE;
}

/* Words */

static int read_words(struct simulation *simulation, char *const words[], size_t n_words)
{
    char reason[SETTING_REASON_MAX];

    for (size_t i = 0; i < n_words; i++) {
        if (!strchr(words[i], '=')) {
            if (simulation->path)
                return complain("simulate reads one recording");
            simulation->path = words[i];
            continue;
        }
        if (simulation->n_items == SETTINGS_MAX)
            return complain("too many settings for simulate");
        if (setting_parse(words[i], &simulation->items[simulation->n_items++], reason) < 0)
            return complain(reason);
    }
    return EXIT_SUCCESS;
}

/* Reads "NAME=VALUE,VALUE...". */
static int read_sweep(struct simulation *simulation, const char *text)
{
    char reason[SETTING_REASON_MAX];
    _cleanup_str_ char *copy = strdup(text);
    struct setting setting;

    if (!copy)
        return complain("out of memory");
    char *values = strchr(copy, '=');
    if (!values)
        return complain("--sweep is written as NAME=VALUE,VALUE...");
    *values++ = '\0';
    if (setting_parse_name(copy, &setting, reason) < 0)
        return complain(reason);
    for (char *rest = values, *value; (value = strsep(&rest, ","));) {
        if (simulation->n_swept == OUTCOME_VALUES_MAX)
            return complain("--sweep takes 32 values at most");
        if (setting_parse_value(&setting, value, reason) < 0)
            return complain(reason);
        simulation->swept[simulation->n_swept++] = setting;
    }
    return EXIT_SUCCESS;
}

/* Files */

/* Reads dispatcher.cnf; errors in it are reported. */
static int read_config(const char *path, struct config *ret)
{
    const struct config_paths paths = config_paths_default();
    struct problem_list problems = {0};
    char text[1400];
    int r = config_load(path, &paths, &problems, ret);

    for (size_t i = 0; r < 0 && i < problems.n_items; i++)
        fprintf(stderr, "%s\n", problem_format(&problems.items[i], text, sizeof(text)));
    problem_list_clear(&problems);
    return r;
}

/* The file that RECORD names. */
static int find_recording(struct simulation *simulation)
{
    const char *path =
        simulation->arguments->config ? simulation->arguments->config : DEFAULT_CONFIG;
    struct config config;

    if (read_config(path, &config) < 0)
        return EXIT_FAILURE;
    simulation->configured_path = STEAL(config.record);
    simulation->path = simulation->configured_path;
    config_clear(&config);
    if (simulation->path)
        return EXIT_SUCCESS;
    fprintf(stderr,
            "dispatcherctl: no recording is named, and %s has no RECORD in "
            "[SERVICE=DISPATCHER]\n",
            path);
    return EXIT_FAILURE;
}

/* Reads the whole file. Returns 0 with *ret, which the caller frees, or a negative errno. */
static int read_file(const char *path, uint8_t **ret, size_t *ret_size)
{
    struct stat st;
    size_t n = 0;

    /* With O_NONBLOCK, since opening a FIFO would wait for its writer. */
    _cleanup_fd_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EBADMSG;
    size_t size = (size_t)st.st_size, size_max = RECORD_BYTES * (RECORDS_READ_MAX + (size_t)1);
    size = size < size_max ? size : size_max;
    uint8_t *bytes = malloc(size + 1);
    if (!bytes)
        return -ENOMEM;
    while (n < size) {
        ssize_t part = read(fd, bytes + n, size - n);

        if (part <= 0)
            break;
        n += (size_t)part;
    }
    *ret = bytes;
    *ret_size = n;
    return 0;
}

static int read_recording(struct simulation *simulation)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    int r = read_file(simulation->path, &bytes, &size);

    if (r == 0)
        r = recording_parse(bytes, size, &simulation->recording);
    free(bytes);
    if (r == 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "dispatcherctl: cannot read %s: %s\n", simulation->path,
            r == -EBADMSG   ? "it is no recording of dispatcherd"
            : r == -ENODATA ? "nothing was recorded yet"
                            : strerror(-r));
    return EXIT_FAILURE;
}

/* Running */

static int run(struct simulation *simulation, const struct recorded_service *service,
               struct outcome_run *run)
{
    const struct settings settings = {
        .config = simulation->arguments->config ? &simulation->config : NULL,
        .items = simulation->items,
        .n_items = simulation->n_items + (simulation->n_swept > 0),
    };

    simulation->items[simulation->n_items] = run->swept;
    run->effective =
        settings_apply(&settings, service->name, &service->options[service->n_options - 1].options);
    return replay(&simulation->recording, service, &settings, &run->course);
}

static int run_service(struct simulation *simulation, const struct recorded_service *service)
{
    struct outcome *outcome = &simulation->outcomes.items[simulation->outcomes.n_items++];
    size_t n_runs = simulation->n_swept > 0 ? simulation->n_swept : 1;

    outcome->service = service;
    outcome->memory = memory_model_of(service);
    int r = measure(&simulation->recording, service, &outcome->measured);
    while (r == 0 && outcome->n_runs < n_runs) {
        outcome->runs[outcome->n_runs].swept = simulation->swept[outcome->n_runs];
        r = run(simulation, service, &outcome->runs[outcome->n_runs++]);
    }
    return r;
}

static int run_all(struct simulation *simulation)
{
    const struct recording *recording = &simulation->recording;

    simulation->outcomes = (struct outcomes){
        .path = simulation->path,
        .recording = recording,
        .is_sweep = simulation->n_swept > 0,
        .items = calloc(recording->n_services, sizeof(struct outcome)),
    };
    int r = simulation->outcomes.items ? 0 : -ENOMEM;
    for (size_t i = 0; i < recording->n_services && r == 0; i++)
        r = run_service(simulation, &recording->services[i]);
    if (r < 0)
        fprintf(stderr, "dispatcherctl: cannot simulate: %s\n", strerror(-r));
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Output */

static int draw(const struct simulation *simulation)
{
    const char *path = simulation->arguments->svg;
    FILE *stream = fopen(path, "we");
    int r = stream ? outcomes_draw(&simulation->outcomes, stream) : -errno;

    if (stream && fclose(stream) != 0 && r == 0)
        r = -errno;
    if (r < 0)
        fprintf(stderr, "dispatcherctl: cannot write %s: %s\n", path, strerror(-r));
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int print(const struct simulation *simulation)
{
    int r = simulation->arguments->is_json ? outcomes_print_json(&simulation->outcomes, stdout)
                                           : outcomes_print(&simulation->outcomes, stdout);

    if (r == 0 && fflush(stdout) != 0)
        r = -errno;
    if (r < 0)
        fprintf(stderr, "dispatcherctl: cannot print: %s\n", strerror(-r));
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int go(struct simulation *simulation, char *const words[], size_t n_words)
{
    const struct simulate_arguments *arguments = simulation->arguments;
    int status = read_words(simulation, words, n_words);

    if (status == EXIT_SUCCESS && arguments->sweep)
        status = read_sweep(simulation, arguments->sweep);
    if (status == EXIT_SUCCESS && arguments->config &&
        read_config(arguments->config, &simulation->config) < 0)
        status = EXIT_FAILURE;
    if (status == EXIT_SUCCESS && !simulation->path)
        status = find_recording(simulation);
    if (status == EXIT_SUCCESS)
        status = read_recording(simulation);
    if (status == EXIT_SUCCESS)
        status = run_all(simulation);
    if (status == EXIT_SUCCESS)
        status = print(simulation);
    if (status == EXIT_SUCCESS && arguments->svg)
        status = draw(simulation);
    return status;
}

int simulate_command(const struct simulate_arguments *arguments, char *const words[],
                     size_t n_words)
{
    static struct simulation simulation; /* static, since it is large */

    style_start(STDOUT_FILENO);
    simulation = (struct simulation){.arguments = arguments};
    int status = go(&simulation, words, n_words);
    outcomes_clear(&simulation.outcomes);
    recording_clear(&simulation.recording);
    config_clear(&simulation.config);
    free(simulation.configured_path);
    return status;
}
