/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/manager_scene.h"

#include "access/tcp.h"
#include "base/time.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/core/connection_store.h"
#include "dispatcherd/core/passed_on.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/stop.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct manager_scene *current;

static void take(_unused_ struct follower *follower, json_t *event)
{
    size_t length = strlen(current->lines);

    if (strcmp(json_string_value(json_object_get(event, "event")), "message") != 0)
        return;
    snprintf(current->line, sizeof(current->line), "%s",
             json_string_value(json_object_get(event, "text")));
    snprintf(current->lines + length, sizeof(current->lines) - length, "%s\n", current->line);
}

static struct follower follower = {.take = take};

static void on_change(struct context *context)
{
    current->n_changes++;
    stop_check(CONTAINER_OF(context, struct manager, context));
}

static void on_identified(_unused_ const struct connection *connection)
{
}

static void write_file(const char *path, const char *text)
{
    FILE *stream = fopen(path, "we");

    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs(text, stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
}

void manager_scene_write(struct manager_scene *scene, const char *config, const char *mappings)
{
    if (config)
        write_file(scene->config_file, config);
    if (mappings)
        write_file(scene->mapping_file, mappings);
}

static void start_parts(struct manager *manager)
{
    const struct admission_settings settings = {.dns_servers = "127.0.0.1:1", .ident_port = 113};
    struct context *context = &manager->context;

    ck_assert_int_ge(sd_event_new(&context->event), 0);
    ck_assert_int_eq(stop_init(manager), 0);
    ck_assert_int_eq(notify_start(&manager->notifier, context->event), 0);
    ck_assert_int_eq(
        admission_new(context, &settings, manager->version->mappings, &context->admission), 0);
    ck_assert_int_eq(state_new(&manager->durable), 0);
    ck_assert_int_eq(passed_on_start(context, manager->durable), 0);
    ck_assert_int_eq(connection_store_new(context->event, &context->connection_store), 0);
    context->next_connection_id = state_next_connection_id(manager->durable);
    context_init_ids(context);
}

void manager_scene_start(struct manager_scene *scene, const char *config, const char *mappings)
{
    struct manager *manager = &scene->manager;
    struct problem_list problems = {0};
    struct service *service;

    *scene = (struct manager_scene){.folder = "/tmp/manager-XXXXXX", .sockets = {-1, -1, -1, -1}};
    current = scene;
    ck_assert_ptr_nonnull(mkdtemp(scene->folder));
    snprintf(scene->config_file, sizeof(scene->config_file), "%s/dispatcher.cnf", scene->folder);
    snprintf(scene->mapping_file, sizeof(scene->mapping_file), "%s/mappings", scene->folder);
    manager_scene_write(scene, config, mappings);
    manager->config_file = scene->config_file;
    manager->mapping_file = scene->mapping_file;
    manager->state = MANAGER_RUNNING;
    manager->has_passed_sockets = true;
    manager->context.changed = on_change;
    manager->context.identified = on_identified;
    manager->context.spawner = &played_spawner;
    manager->context.stop_limit_sec = 100;
    manager->context.host_name = manager->host_name;
    manager->started_at = time_now_usec(CLOCK_MONOTONIC);
    manager->read_at = time_now_usec(CLOCK_REALTIME);
    ck_assert_int_eq(config_version_read(scene->config_file, scene->mapping_file, true, &problems,
                                         &manager->version),
                     0);
    problem_list_clear(&problems);
    start_parts(manager);
    for (size_t i = 0; i < manager->version->config.n_services; i++)
        ck_assert_int_eq(manager_add_service(manager, manager->version,
                                             &manager->version->config.services[i], &service),
                         0);
    events_follow(&follower);
}

void manager_scene_open(struct manager_scene *scene, size_t service)
{
    struct service *of = scene->manager.services[service];
    int fd = scene->sockets[service] = tcp_listen(false);

    ck_assert_int_eq(listener_add(of, &fd, false, true), 0);
    ck_assert_int_eq(listeners_start(of), 0);
    service_touch(of);
}

bool manager_scene_has_logged(const struct manager_scene *scene, const char *text)
{
    return strstr(scene->lines, text) != NULL;
}

void manager_scene_forget_lines(struct manager_scene *scene)
{
    scene->line[0] = scene->lines[0] = '\0';
}

void manager_scene_run(struct manager_scene *scene)
{
    loop_while_busy(scene->manager.context.event);
}

void manager_scene_end(struct manager_scene *scene)
{
    struct manager *manager = &scene->manager;

    events_leave(&follower);
    for (size_t i = 0; i < manager->n_services; i++)
        manager_free_service(manager->services[i]);
    free(manager->services);
    spare_sockets_clear(&manager->spare_sockets);
    due_clear(&manager->due);
    recorder_free(manager->context.recorder);
    admission_free(manager->context.admission);
    passed_on_end(&manager->context);
    connection_store_free(manager->context.connection_store);
    state_free(manager->durable);
    config_version_unref(manager->version);
    notify_end(&manager->notifier);
    stop_end(manager);
    sd_event_unref(manager->context.event);
    played_workers_clear();
    unlink(scene->config_file);
    unlink(scene->mapping_file);
    rmdir(scene->folder);
}
