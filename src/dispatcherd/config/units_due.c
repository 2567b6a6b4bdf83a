/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/config/units_due.h"

#include "base/str.h"
#include "files/text.h"
#include "generator/environment.h"
#include "generator/units.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

/* Where systemd has its generators write (systemd.generator(7)); emptied at each daemon-reload. */
#define GENERATED_DIR "/run/systemd/generator"

/* Bytes of a unit file that are read; ours have some 3 kB. */
#define UNIT_FILE_MAX 65536

#define STARTER_SUFFIX "-worker.socket"

static const char *const socket_suffixes[] = {".socket", "-tls.socket", STARTER_SUFFIX};

struct unit_mark {
    char name[NAME_MAX + 1];
    char *text; /* owned */
};

/* Removes the line "Backlog=...": dispatcherd changes the backlog itself (listen(2)). */
static char *without_backlog(char *text)
{
    char *line = text ? strstr(text, "\nBacklog=") : NULL;
    char *end = line ? strchr(line + 1, '\n') : NULL;

    if (end)
        memmove(line, end, strlen(end) + 1);
    return text;
}

/* The text of a generated unit, to be freed; NULL if there is none. */
static char *read_unit(const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", GENERATED_DIR, name);
    return text_read_file(path, UNIT_FILE_MAX);
}

static char *read_socket(const char *name)
{
    return without_backlog(read_unit(name));
}

static bool is_generated_socket(const char *name)
{
    size_t length = strlen(name);

    return strncmp(name, "dispatcherd-", strlen("dispatcherd-")) == 0 &&
           length > strlen(".socket") && strcmp(name + length - strlen(".socket"), ".socket") == 0;
}

static void take_mark(struct unit_marks *marks, const char *name)
{
    struct unit_mark *items = reallocarray(marks->items, marks->n_items + 1, sizeof(*items));

    if (!items)
        return;
    marks->items = items;
    struct unit_mark *mark = &items[marks->n_items++];
    snprintf(mark->name, sizeof(mark->name), "%s", name);
    mark->text = read_socket(name);
}

void unit_marks_take(struct unit_marks *ret)
{
    DIR *dir = opendir(GENERATED_DIR);

    *ret = (struct unit_marks){0};
    if (!dir)
        return;
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (is_generated_socket(entry->d_name))
            take_mark(ret, entry->d_name);
    closedir(dir);
}

void unit_marks_clear(struct unit_marks *marks)
{
    for (size_t i = 0; i < marks->n_items; i++)
        free(marks->items[i].text);
    free(marks->items);
    *marks = (struct unit_marks){0};
}

/* The text that the unit had; NULL if it did not exist. */
static const char *find_mark(const struct unit_marks *marks, const char *name)
{
    for (size_t i = 0; i < marks->n_items; i++)
        if (strcmp(marks->items[i].name, name) == 0)
            return marks->items[i].text;
    return NULL;
}

/* The comparison of one service. */
struct comparison {
    const struct units_due_question *question;
    struct unit_list wanted;
    struct due_list *due;
};

enum difference {
    SAME,
    CHANGED,
    MISSING,
};

static enum difference compare(const char *wanted, const char *present)
{
    if (wanted && present)
        return strcmp(wanted, present) == 0 ? SAME : CHANGED;
    if (wanted)
        return MISSING;
    return present ? CHANGED : SAME;
}

struct service_units {
    enum difference sockets[ELEMENTSOF(socket_suffixes)]; /* wanted against present ones */
    bool was_written[ELEMENTSOF(socket_suffixes)];        /* anew, since the daemon's start */
    bool has_other_backlog;                               /* and differs in nothing else */
    enum difference worker;
};

static void look_at_socket(const struct comparison *comparison,
                           const struct service_options *service, size_t i,
                           struct service_units *units)
{
    const struct unit_marks *marks = comparison->question->marks;
    char name[NAME_MAX + 1];

    snprintf(name, sizeof(name), "dispatcherd-%s%s", service->unit_name, socket_suffixes[i]);
    const struct unit_file *wanted = unit_list_find(&comparison->wanted, name);
    _cleanup_str_ char *text = wanted ? without_backlog(strdup(wanted->text)) : NULL;
    _cleanup_str_ char *whole = read_unit(name);
    _cleanup_str_ char *present = read_socket(name);
    units->sockets[i] = compare(text, present);
    if (units->sockets[i] == SAME && wanted && whole && strcmp(wanted->text, whole) != 0)
        units->has_other_backlog = true;
    if (!marks)
        return;
    units->was_written[i] = compare(present, find_mark(marks, name)) != SAME;
}

static struct service_units look_at(const struct comparison *comparison,
                                    const struct service_options *service)
{
    struct service_units units = {0};
    char name[NAME_MAX + 1];

    for (size_t i = 0; i < ELEMENTSOF(socket_suffixes); i++)
        look_at_socket(comparison, service, i, &units);
    snprintf(name, sizeof(name), "dispatcherd-%s-worker@.service", service->unit_name);
    const struct unit_file *wanted = unit_list_find(&comparison->wanted, name);
    _cleanup_str_ char *present = read_unit(name);
    units.worker = compare(wanted ? wanted->text : NULL, present);
    return units;
}

static bool is_missing(const struct service_units *units)
{
    for (size_t i = 0; i < ELEMENTSOF(socket_suffixes); i++)
        if (units->sockets[i] == MISSING)
            return true;
    return units->worker == MISSING;
}

static bool has_difference(const struct service_units *units)
{
    for (size_t i = 0; i < ELEMENTSOF(socket_suffixes); i++)
        if (units->sockets[i] != SAME)
            return true;
    return false;
}

static bool was_written(const struct service_units *units)
{
    for (size_t i = 0; i < ELEMENTSOF(socket_suffixes); i++)
        if (units->was_written[i])
            return true;
    return false;
}

static void check_service(struct comparison *comparison, const struct service_options *service)
{
    struct service_units units = look_at(comparison, service);
    const struct origin *origin = &service->origin;
    const char *name = service->name;

    if (is_missing(&units))
        due_add(comparison->due, name, origin, DUE_DAEMON_RELOAD | DUE_RESTART,
                "systemd has not loaded all units of %s yet", name);
    else if (has_difference(&units))
        due_add(comparison->due, name, origin, DUE_DAEMON_RELOAD | DUE_RESTART,
                "the sockets of %s do not match the configuration yet", name);
    else if (was_written(&units))
        due_add(comparison->due, name, origin, DUE_RESTART,
                "dispatcherd does not have systemd's new sockets of %s yet", name);
    else if (units.has_other_backlog)
        due_add(comparison->due, name, origin, DUE_DAEMON_RELOAD,
                "the BACKLOG of %s is in force, but not yet in its socket unit", name);
    if (units.worker == CHANGED)
        due_add(comparison->due, name, origin, DUE_DAEMON_RELOAD | DUE_RELOAD,
                "systemd still starts workers of %s from their old unit", name);
}

/* Finds services that are no longer in dispatcher.cnf by their workers' units. */
static void check_left_over(struct comparison *comparison, const char *unit)
{
    const struct origin origin = {.file = comparison->question->config_file};
    size_t length = strlen(unit), suffix = strlen(STARTER_SUFFIX), prefix = strlen("dispatcherd-");
    char name[NAME_MAX + 1];

    if (!is_generated_socket(unit) || length <= prefix + suffix ||
        strcmp(unit + length - suffix, STARTER_SUFFIX) != 0 ||
        unit_list_find(&comparison->wanted, unit))
        return;
    snprintf(name, sizeof(name), "%.*s", (int)(length - suffix - prefix), unit + prefix);
    for (char *c = name; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    due_add(
        comparison->due, name, &origin, DUE_DAEMON_RELOAD | DUE_RESTART,
        "%s is no longer in force, but systemd still has its sockets: its clients are turned away",
        name);
}

static void check_left_overs(struct comparison *comparison)
{
    DIR *dir = opendir(GENERATED_DIR);

    if (!dir)
        return;
    for (const struct dirent *entry; (entry = readdir(dir));)
        check_left_over(comparison, entry->d_name);
    closedir(dir);
}

bool units_due_applies(const char *config_file)
{
    return strcmp(config_file, CONFIG_DIR "/dispatcher.cnf") == 0 && sd_booted() > 0;
}

static void check_all(struct comparison *comparison)
{
    const struct config *config = comparison->question->config;

    for (size_t i = 0; i < config->n_services; i++)
        if (config->services[i].is_enabled)
            check_service(comparison, &config->services[i]);
    check_left_overs(comparison);
}

int units_due(const struct units_due_question *question, struct due_list *due)
{
    const struct unit_environment environment = unit_environment_here(question->config_file);
    struct problem_list of_units = {0}; /* not reported here: the generator does that */
    struct comparison comparison = {.question = question, .due = due};

    if (!units_due_applies(question->config_file))
        return 0;
    int r = units_make(question->config, &environment, &of_units, &comparison.wanted);
    problem_list_clear(&of_units);
    if (r < 0)
        return r;
    check_all(&comparison);
    unit_list_clear(&comparison.wanted);
    return 0;
}
