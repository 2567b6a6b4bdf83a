/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/plan/systemctl.h"

#include "base/fd.h"
#include "base/macro.h"
#include "base/str.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* 256 services with three sockets each print about 300 kB. */
#define OUTPUT_MAX_BYTES (1024 * 1024)

#define WORDS_MAX 800

extern char **environ;

static int start(const char *const words[], int output, pid_t *ret_pid)
{
    const char *arguments[WORDS_MAX + 2] = {"systemctl"};
    posix_spawn_file_actions_t actions;
    size_t n = 0;

    for (; words[n]; n++) {
        if (n == WORDS_MAX)
            return -E2BIG;
        arguments[n + 1] = words[n];
    }
    int r = -posix_spawn_file_actions_init(&actions);
    if (r < 0)
        return r;
    r = -posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (r == 0)
        r = -posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    if (r == 0)
        r = -posix_spawnp(ret_pid, arguments[0], &actions, NULL, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return r;
}

/* Reads to the end of the output, or until the time limit. What is too long is cut. */
static int collect(int fd, uint64_t until, char *text)
{
    size_t length = 0;
    char spare[4096];

    for (;;) {
        uint64_t now = time_now_usec(CLOCK_MONOTONIC);
        struct pollfd item = {.fd = fd, .events = POLLIN};
        if (now >= until)
            return -ETIMEDOUT;
        int ready = poll(&item, 1, (int)((until - now) / USEC_PER_MSEC) + 1);
        if (ready < 0 && errno != EINTR)
            return -errno;
        if (ready <= 0)
            continue;
        size_t room = OUTPUT_MAX_BYTES - 1 - length;
        ssize_t n = room > 0 ? read(fd, text + length, room) : read(fd, spare, sizeof(spare));
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        length += room > 0 ? (size_t)n : 0;
        text[length] = '\0';
    }
}

int systemctl(const char *const words[], uint64_t limit_usec, char **ret_output)
{
    uint64_t until = time_now_usec(CLOCK_MONOTONIC) + limit_usec;
    _cleanup_str_ char *text = calloc(1, OUTPUT_MAX_BYTES);
    int pipes[2], status = 0;
    pid_t pid;

    if (!text || pipe2(pipes, O_CLOEXEC) < 0)
        return text ? -errno : -ENOMEM;
    int r = start(words, pipes[1], &pid);
    fd_close(pipes[1]);
    if (r == 0) {
        r = collect(pipes[0], until, text);
        if (r < 0)
            (void)kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        if (r == 0 && status != 0)
            r = -EREMOTEIO;
    }
    fd_close(pipes[0]);
    if (ret_output)
        *ret_output = STEAL(text);
    return r;
}

/* Units */

static void take_property(struct unit_status *unit, const char *name, const char *value)
{
    if (strcmp(name, "Id") == 0)
        snprintf(unit->name, sizeof(unit->name), "%s", value);
    else if (strcmp(name, "InvocationID") == 0)
        snprintf(unit->invocation, sizeof(unit->invocation), "%s", value);
    else if (strcmp(name, "LoadState") == 0) {
        unit->is_loaded = strcmp(value, "loaded") == 0;
        unit->is_masked = strcmp(value, "masked") == 0;
    } else if (strcmp(name, "ActiveState") == 0) {
        unit->is_active = strcmp(value, "active") == 0;
        unit->is_failed = strcmp(value, "failed") == 0;
    } else if (strcmp(name, "NeedDaemonReload") == 0)
        unit->is_outdated = strcmp(value, "yes") == 0;
    else if (strcmp(name, "UnitFileState") == 0)
        unit->is_enabled = strncmp(value, "enabled", strlen("enabled")) == 0;
}

static bool is_ours(const char *name)
{
    return name[0] && strcmp(name, "dispatcherd-web.socket") != 0 &&
           strcmp(name, "dispatcherd-kill.socket") != 0;
}

static int add(struct unit_statuses *statuses, const struct unit_status *unit)
{
    if (!is_ours(unit->name) || unit_statuses_find(statuses, unit->name))
        return 0;
    struct unit_status *items =
        reallocarray(statuses->items, statuses->n_items + 1, sizeof(*items));
    if (!items)
        return -ENOMEM;
    statuses->items = items;
    items[statuses->n_items++] = *unit;
    return 0;
}

/* One property a line; an empty line separates units. */
static int parse(char *text, struct unit_statuses *statuses)
{
    struct unit_status unit = {0};
    int r = 0;

    for (char *line = text; *line && r == 0;) {
        size_t length = strcspn(line, "\n");
        char *next = line + length + (line[length] == '\n');

        line[length] = '\0';
        char *equals = strchr(line, '=');
        if (equals) {
            *equals = '\0';
            take_property(&unit, line, equals + 1);
            if (strcmp(line, "Listen") == 0)
                r = str_list_append(&statuses->listens, equals + 1);
        } else if (!line[0]) {
            r = add(statuses, &unit);
            unit = (struct unit_status){0};
        }
        line = next;
    }
    return r == 0 ? add(statuses, &unit) : r;
}

int unit_statuses_read(uint64_t limit_usec, struct unit_statuses *ret)
{
    static const char *const words[] = {
        "show",
        "--property=Id,LoadState,ActiveState,InvocationID,NeedDaemonReload,UnitFileState,"
        "Listen",
        "dispatcherd.service", "dispatcherd-*.socket", NULL};
    _cleanup_str_ char *text = NULL;
    struct unit_statuses statuses = {0};

    int r = systemctl(words, limit_usec, &text);
    if (r == 0)
        r = parse(text, &statuses);
    if (r < 0)
        unit_statuses_clear(&statuses);
    else
        *ret = statuses;
    return r;
}

const struct unit_status *unit_statuses_find(const struct unit_statuses *statuses, const char *name)
{
    for (size_t i = 0; i < statuses->n_items; i++)
        if (strcmp(statuses->items[i].name, name) == 0)
            return &statuses->items[i];
    return NULL;
}

void unit_statuses_clear(struct unit_statuses *statuses)
{
    free(statuses->items);
    str_list_clear(&statuses->listens);
    *statuses = (struct unit_statuses){0};
}
