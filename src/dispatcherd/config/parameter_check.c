/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/config/parameter_check.h"

#include "base/fd.h"
#include "base/str.h"
#include "base/time.h"
#include "config/image.h"
#include "dispatcherd/config/unit_credential.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A program reads its arguments within milliseconds, or within seconds on a loaded host. */
#define LIMIT_USEC (10 * USEC_PER_SEC)

/* Bytes of output: enough for 256 PARAMETERs (config/value_text.c) with a line of 512 bytes each.
 */
#define OUTPUT_MAX (256 * 1024)

/* The folder of this program: there the build puts our workers, too. Returns false if it is
 * unknown. */
static bool own_folder(char folder[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);

    if (length <= 0)
        return false;
    folder[length] = '\0';
    *strrchr(folder, '/') = '\0';
    return true;
}

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* Only our own programs are run: another one named "proxy" may do anything with such arguments. */
static bool is_delivered(const char *image, char real[PATH_MAX])
{
    char folder[PATH_MAX];

    if (!realpath(image, real) || !image_checks_parameters(real))
        return false;
    return (realpath(WORKER_DIR, folder) && is_below(real, folder)) ||
           (own_folder(folder) && is_below(real, folder));
}

/* Starts the program with a pipe as its output. Returns the end for reading, or a negative errno.
 */
static int start(const char *program, char *const arguments[], pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    fflush(stdout);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    int r = posix_spawn(ret_pid, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    fd_close(fds[1]);
    if (r != 0)
        fd_close(fds[0]);
    return r != 0 ? -r : fds[0];
}

/* Returns true with the whole output in `text`; false if it took too long. */
static bool read_output(int fd, char *text, size_t size)
{
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + LIMIT_USEC;
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    size_t n = 0;
    ssize_t r = 1;

    while (r > 0 && n < size - 1) {
        uint64_t now = time_now_usec(CLOCK_MONOTONIC);

        if (now >= end || poll(&pollfd, 1, (int)((end - now) / USEC_PER_MSEC) + 1) == 0)
            return false;
        r = read(fd, text + n, size - 1 - n);
        n += r > 0 ? (size_t)r : 0;
    }
    text[n] = '\0';
    return r >= 0;
}

/* Runs the program until it ends. Returns 0 with its output, or a negative errno. */
static int run(const char *program, char *const arguments[], char *text, size_t size)
{
    pid_t pid;
    _cleanup_fd_ int fd = start(program, arguments, &pid);

    if (fd < 0)
        return fd;
    bool is_done = read_output(fd, text, size);
    if (!is_done)
        kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return is_done ? 0 : -ETIMEDOUT;
}

/* Whether the problem was reported before: a line before the first section applies to several
 * services. */
static bool is_known(const struct problem_list *problems, const struct origin *at, const char *text)
{
    for (size_t i = 0; i < problems->n_items; i++)
        if (problems->items[i].line == at->line && strcmp(problems->items[i].file, at->file) == 0 &&
            strcmp(problems->items[i].text, text) == 0)
            return true;
    return false;
}

/* Adds the problem of one line of output: "INDEX error: text"; or "- warning: text", for the line
 * that names the program. */
static void add_line(const struct service_options *service, char *line,
                     struct problem_list *problems)
{
    enum problem_severity severity = PROBLEM_ERROR;
    const struct origin *at = &service->origins[OPTION_IMAGE];
    char *word = strchr(line, ' '), *text = word ? strstr(word, ": ") : NULL;

    if (!text)
        return;
    *word++ = '\0';
    *text = '\0';
    text += 2;
    unsigned long index = strtoul(line, NULL, 10);
    if (strcmp(line, "-") != 0 && index < service->parameters.n_items)
        at = &service->parameter_origins[index];
    if (strcmp(word, "warning") == 0)
        severity = PROBLEM_WARNING;
    else if (strcmp(word, "error") != 0)
        return;
    if (!is_known(problems, at, text))
        problem_add(problems, severity, at->file, at->line, "%s", text);
}

static void add_lines(const struct service_options *service, char *output,
                      struct problem_list *problems)
{
    char *line;

    while ((line = strsep(&output, "\n")))
        if (*line)
            add_line(service, line, problems);
}

/* Returns the arguments, or NULL. The caller frees the array. */
static char **make_arguments(const struct service_options *service)
{
    const struct str_list *parameters = &service->parameters;
    char **arguments = calloc(parameters->n_items + 7, sizeof(*arguments));
    size_t n = 0;

    if (!arguments)
        return NULL;
    arguments[n++] = service->image;
    arguments[n++] = (char *)"--check-parameters";
    if (service->proxy_protocol)
        arguments[n++] = (char *)"PROXY_PROTOCOL";
    if (service->tls_port.n_ports > 0)
        arguments[n++] = (char *)"TLS_PORT";
    if (unit_credential_is_set(service, "tls.cert"))
        arguments[n++] = (char *)"TLS_CREDENTIAL";
    arguments[n++] = (char *)"--";
    if (parameters->n_items > 0)
        memcpy(arguments + n, parameters->items, parameters->n_items * sizeof(*arguments));
    return arguments;
}

static void check_service(const struct service_options *service, char *output,
                          struct problem_list *problems)
{
    const struct origin *at = &service->origins[OPTION_IMAGE];
    char program[PATH_MAX];

    if (!is_delivered(service->image, program))
        return;
    char **arguments = make_arguments(service);
    if (!arguments)
        return;
    int r = run(program, arguments, output, OUTPUT_MAX);
    free(arguments);
    if (r == 0)
        add_lines(service, output, problems);
    else if (r == -ETIMEDOUT)
        problem_add(
            problems, PROBLEM_WARNING, at->file, at->line,
            "the PARAMETERs of the service %s are not checked: %s has not answered within %u s",
            service->name, service->image, (unsigned)(LIMIT_USEC / USEC_PER_SEC));
}

void parameter_check(const struct config *config, struct problem_list *problems)
{
    _cleanup_str_ char *output = malloc(OUTPUT_MAX);

    for (size_t i = 0; output && i < config->n_services; i++)
        if (config->services[i].is_enabled)
            check_service(&config->services[i], output, problems);
}
