/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/plan/unit_plan.h"

#include "config/load.h"
#include "dispatcherctl/plan/json_text.h"
#include "dispatcherctl/plan/port_holder.h"
#include "dispatcherctl/plan/systemctl.h"
#include "dispatcherctl/plan/unit_addresses.h"
#include "generator/environment.h"
#include "generator/unit_merge.h"
#include "generator/unit_record.h"
#include "generator/units.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOCKET_SUFFIX ".socket"
#define WORKER_SUFFIX "-worker.socket"
#define TLS_SUFFIX    "-tls.socket"

struct planning {
    const struct unit_plan_input *input;
    struct config config;
    struct unit_list wanted;
    struct unit_statuses statuses;
    struct address_set ours; /* all addresses at which the daemon, or systemd for it, listens */
    struct unit_plan *plan;
};

static bool has_suffix(const char *text, const char *suffix)
{
    size_t length = strlen(text), n = strlen(suffix);

    return length > n && strcmp(text + length - n, suffix) == 0;
}

/* The options of the service that the unit belongs to. */
static const struct service_options *options_of(const struct planning *planning, const char *unit)
{
    for (size_t i = 0; i < planning->config.n_services; i++) {
        const struct service_options *options = &planning->config.services[i];
        size_t length = strlen(options->unit_name), prefix = strlen("dispatcherd-");
        const char *rest = unit + prefix + length;

        if (strlen(unit) > prefix + length &&
            strncmp(unit + prefix, options->unit_name, length) == 0 &&
            (strcmp(rest, SOCKET_SUFFIX) == 0 || strcmp(rest, TLS_SUFFIX) == 0 ||
             strncmp(rest, "-worker", strlen("-worker")) == 0))
            return options;
    }
    return NULL;
}

/* Lists of the result. An array for which there was no memory is NULL at the end. */

static void append(json_t **array, json_t *item)
{
    if (*array && json_array_append_new(*array, item) == 0)
        return;
    json_decref(*array);
    *array = NULL;
}

static void add_socket(struct planning *planning, const char *unit, const char *change,
                       const struct address_set *from, const struct address_set *to,
                       const char *because)
{
    append(&planning->plan->sockets,
           json_pack("{s:s, s:s, s:o, s:o, s:o}", "unit", unit, "change", change, "from",
                     address_set_view(from), "to", address_set_view(to), "because",
                     json_text(because)));
    planning->plan->needs_restart = true;
}

static void stop_first(struct planning *planning, const char *unit, const struct address_set *from)
{
    (void)str_list_append(&planning->plan->to_stop, unit);
    for (size_t i = 0; i < from->n_items; i++)
        address_set_add(&planning->plan->to_vacate, &from->items[i]);
}

/* Who is in the way */

static void look_for_holder(struct planning *planning, const char *unit,
                            const struct address *address)
{
    struct port_holder holder;
    char text[ADDRESS_TEXT_MAX], at[ADDRESS_TEXT_MAX];

    if (address_set_has(&planning->ours, address) ||
        !port_holder_find(address, planning->ours.items, planning->ours.n_items, &holder) ||
        strcmp(holder.unit, "dispatcherd.service") == 0)
        return;
    append(&planning->plan->in_the_way,
           json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "unit", unit, "address",
                     address_format(address, text), "held_at", address_format(&holder.address, at),
                     "pid", holder.pid > 0 ? json_integer(holder.pid) : json_null(), "program",
                     json_text(holder.program[0] ? holder.program : NULL), "holder_unit",
                     json_text(holder.unit[0] ? holder.unit : NULL)));
}

/* One wanted socket */

/* The last drop-in that differs from what the socket was opened with. */
static const char *changed_because(const struct unit_settings *settings, char text[PATH_MAX + 16])
{
    text[0] = '\0';
    for (size_t i = 0; i < settings->n_items; i++)
        if (settings->items[i].file && strcmp(settings->items[i].section, "Socket") == 0)
            snprintf(text, PATH_MAX + 16, "%s:%u", settings->items[i].file,
                     settings->items[i].line);
    return text[0] ? text : NULL;
}

/* Whether the socket was opened with other options; false if that is unknown. */
static bool was_opened_otherwise(const char *unit, const char *invocation,
                                 const struct unit_settings *settings)
{
    _cleanup_str_ char *before = NULL, *now = unit_settings_text(settings);

    if (!now || unit_record_read(unit, invocation, &before) < 0)
        return false;
    return strcmp(before, now) != 0;
}

static void compare_socket(struct planning *planning, const struct unit_file *file,
                           const struct unit_settings *settings)
{
    const struct unit_status *status = unit_statuses_find(&planning->statuses, file->path);
    const struct service_options *options = options_of(planning, file->path);
    bool is_worker = has_suffix(file->path, WORKER_SUFFIX);
    struct address_set wanted = {0}, actual = {0};
    size_t n_before = json_array_size(planning->plan->sockets);
    char because[PATH_MAX + 16];

    address_set_of_unit(settings, &wanted);
    if (status && status->is_active && planning->input->services && options && !is_worker)
        address_set_of_service(planning->input->services, options->name,
                               has_suffix(file->path, TLS_SUFFIX), &actual);
    bool is_elsewhere =
        planning->input->services && !is_worker && !address_set_equal(&wanted, &actual);
    if (!status || !status->is_active) {
        if (!settings->is_masked)
            add_socket(planning, file->path, "opened", &actual, &wanted, NULL);
    } else if (settings->is_masked) {
        add_socket(planning, file->path, "closed", &actual, &(struct address_set){0}, "masked");
        stop_first(planning, file->path, &actual);
    } else if (is_elsewhere || was_opened_otherwise(file->path, status->invocation, settings)) {
        add_socket(planning, file->path, "reopened", &actual, &wanted,
                   changed_because(settings, because));
        stop_first(planning, file->path, &actual);
    }
    if (json_array_size(planning->plan->sockets) > n_before && !settings->is_masked)
        for (size_t i = 0; i < wanted.n_items; i++)
            look_for_holder(planning, file->path, &wanted.items[i]);
    address_set_clear(&wanted);
    address_set_clear(&actual);
}

/* Drop-ins */

/* The option from which the generator makes a line of the unit; N_OPTIONS if there is not exactly
 * one. */
static enum option_id option_of(const char *unit, const char *key)
{
    if (strcmp(key, "ListenStream") == 0)
        return has_suffix(unit, TLS_SUFFIX) ? OPTION_TLS_PORT : OPTION_PORT;
    if (strcmp(key, "Backlog") == 0)
        return OPTION_BACKLOG;
    return strcmp(key, "ExecStart") == 0 ? OPTION_IMAGE : N_OPTIONS;
}

static void add_drop_in(struct planning *planning, const char *unit,
                        const struct unit_setting *setting)
{
    const struct service_options *options = options_of(planning, unit);
    enum option_id id = option_of(unit, setting->key);
    char at[PATH_MAX + 16], over[PATH_MAX + 64] = "";

    snprintf(at, sizeof(at), "%s:%u", setting->file, setting->line);
    if (options && id < N_OPTIONS && options->origins[id].file)
        snprintf(over, sizeof(over), "%s:%u", options->origins[id].file, options->origins[id].line);
    append(&planning->plan->drop_ins,
           json_pack("{s:s, s:o, s:o, s:o, s:o}", "unit", unit, "key", json_text(setting->key),
                     "value", json_text(setting->value), "origin", json_text(at), "over",
                     json_text(over[0] ? over : NULL)));
}

/* Lists the settings in which a drop-in overrides the generator. */
static void list_drop_ins(struct planning *planning, const struct unit_file *file,
                          const struct unit_settings *settings)
{
    struct unit_settings own = {0};

    if (unit_merge("/nonexistent", file->path, file->text, &own) < 0)
        return;
    for (size_t i = 0; i < settings->n_items; i++) {
        const struct unit_setting *setting = &settings->items[i];

        if (setting->file && unit_settings_value(&own, setting->section, setting->key))
            add_drop_in(planning, file->path, setting);
    }
    unit_settings_clear(&own);
}

/* The whole plan */

static bool is_written(const struct unit_file *file)
{
    char path[PATH_MAX];
    size_t length = strlen(file->text);
    bool is_same = false;

    snprintf(path, sizeof(path), "/run/systemd/generator/%s", file->path);
    FILE *stream = fopen(path, "re");
    _cleanup_str_ char *text = malloc(length + 2);
    if (stream && text)
        is_same =
            fread(text, 1, length + 1, stream) == length && memcmp(text, file->text, length) == 0;
    if (stream)
        fclose(stream);
    return is_same;
}

static int look_at_wanted(struct planning *planning, const struct unit_file *file)
{
    struct unit_settings settings = {0};

    if (!is_written(file))
        planning->plan->needs_daemon_reload = true;
    /* Drop-ins in other folders are ours. */
    if (strchr(file->path, '/'))
        return 0;
    int r = unit_merge("", file->path, file->text, &settings);
    if (r < 0)
        return r;
    list_drop_ins(planning, file, &settings);
    if (has_suffix(file->path, SOCKET_SUFFIX))
        compare_socket(planning, file, &settings);
    unit_settings_clear(&settings);
    return 0;
}

/* A unit whose section is gone. The daemon may still serve it, or may reject its clients. */
static void look_at_left_over(struct planning *planning, const struct unit_status *status)
{
    struct address_set none = {0}, actual = {0};
    char name[256];

    if (!has_suffix(status->name, SOCKET_SUFFIX) || !status->is_active ||
        unit_list_find(&planning->wanted, status->name))
        return;
    bool is_tls = has_suffix(status->name, TLS_SUFFIX);
    size_t suffix = strlen(is_tls ? TLS_SUFFIX : SOCKET_SUFFIX), prefix = strlen("dispatcherd-");
    snprintf(name, sizeof(name), "%.*s", (int)(strlen(status->name) - suffix - prefix),
             status->name + prefix);
    if (planning->input->services)
        address_set_of_service(planning->input->services, name, is_tls, &actual);
    add_socket(planning, status->name, "closed", &actual, &none, NULL);
    stop_first(planning, status->name, &actual);
    planning->plan->needs_daemon_reload |= status->is_loaded;
    address_set_clear(&actual);
}

static void look_at_daemon(struct planning *planning)
{
    const struct unit_status *status =
        unit_statuses_find(&planning->statuses, "dispatcherd.service");
    _cleanup_str_ char *before = NULL, *now = unit_record_text("dispatcherd.service");

    if (!status || !status->is_active || !now ||
        unit_record_read("dispatcherd.service", "", &before) < 0 || strcmp(before, now) == 0)
        return;
    planning->plan->has_changed_unit = planning->plan->needs_restart = true;
}

static int look_at_all(struct planning *planning)
{
    int r = 0;

    for (size_t i = 0; i < planning->wanted.n_items && r == 0; i++)
        r = look_at_wanted(planning, &planning->wanted.items[i]);
    for (size_t i = 0; i < planning->statuses.n_items; i++) {
        planning->plan->needs_daemon_reload |= planning->statuses.items[i].is_outdated;
        look_at_left_over(planning, &planning->statuses.items[i]);
    }
    look_at_daemon(planning);
    return r;
}

static int read_wanted(struct planning *planning)
{
    const struct config_paths paths = config_paths_default();
    const struct unit_environment environment = unit_environment_here(planning->input->config_file);
    struct problem_list problems = {0}; /* the main program reports the file's problems */

    int r = config_load_usable(planning->input->config_file, &paths, &problems, &planning->config);
    if (r == 0)
        r = units_make(&planning->config, &environment, &problems, &planning->wanted);
    problem_list_clear(&problems);
    return r;
}

static void find_ours(struct planning *planning)
{
    if (planning->input->services)
        address_set_of_service(planning->input->services, NULL, false, &planning->ours);
    for (size_t i = 0; i < planning->statuses.listens.n_items; i++)
        address_set_of_listen(planning->statuses.listens.items[i], &planning->ours);
}

int unit_plan_make(const struct unit_plan_input *input, struct unit_plan *ret)
{
    struct unit_plan plan = {
        .sockets = json_array(), .drop_ins = json_array(), .in_the_way = json_array()};
    struct planning planning = {.input = input, .plan = &plan};

    int r = read_wanted(&planning);
    if (r == 0)
        r = unit_statuses_read(input->limit_usec, &planning.statuses);
    if (r == 0) {
        find_ours(&planning);
        r = look_at_all(&planning);
    }
    if (r == 0 && (!plan.sockets || !plan.drop_ins || !plan.in_the_way))
        r = -ENOMEM;
    address_set_clear(&planning.ours);
    unit_statuses_clear(&planning.statuses);
    unit_list_clear(&planning.wanted);
    config_clear(&planning.config);
    if (r < 0)
        unit_plan_clear(&plan);
    else
        *ret = plan;
    return r;
}

void unit_plan_clear(struct unit_plan *plan)
{
    json_decref(plan->sockets);
    json_decref(plan->drop_ins);
    json_decref(plan->in_the_way);
    str_list_clear(&plan->to_stop);
    address_set_clear(&plan->to_vacate);
    *plan = (struct unit_plan){0};
}
