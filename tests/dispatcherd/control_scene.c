/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control_scene.h"

#include "base/fd.h"
#include "base/time.h"
#include "config/load.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/config/config_version.h"
#include "dispatcherd/manager.h"
#include "dispatcherd/service/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void need(bool is_true)
{
    if (!is_true)
        abort();
}

static void describe(void *userdata, struct control_daemon *ret)
{
    const struct control_scene *scene = userdata;

    *ret = (struct control_daemon){
        .state = scene->is_stopping ? "stopping" : "running",
        .is_stopping = scene->is_stopping,
        .config_file = "/etc/dispatcher.cnf",
        .started_at = 1,
        .spawner = "self",
        .services = scene->services,
        .n_services = scene->n_services,
        .admission = scene->context.admission,
    };
}

static int reload(void *userdata, struct problem_list *ret_problems)
{
    struct control_scene *scene = userdata;

    scene->n_reloads++;
    problem_add(ret_problems, PROBLEM_WARNING, "dispatcher.cnf", 1, "odd");
    if (!scene->is_reload_refused)
        return 0;
    problem_add(ret_problems, PROBLEM_ERROR, "dispatcher.cnf", 2, "wrong");
    return -EINVAL;
}

const struct control_operations scene_operations = {.describe = describe, .reload = reload};

static void dispatch_nothing(_unused_ struct service *service)
{
}

static void tell_nobody(_unused_ const struct connection *connection)
{
}

static void change_nothing(_unused_ struct context *context)
{
}

/* A file with that text, by its path in `path`. Returns its descriptor. */
static int make_file(const char *text, char path[40])
{
    int fd = memfd_create("scene", MFD_CLOEXEC);

    need(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    snprintf(path, 40, "/proc/self/fd/%d", fd);
    return fd;
}

static void load(const char *configuration, struct config *ret)
{
    const struct config_paths paths = {
        .worker_dir = "/workers", .config_dir = "/tables", .log_dir = "/logs"};
    struct problem_list problems = {0};
    char path[40];

    _cleanup_fd_ _unused_ int fd = make_file(configuration, path);
    need(config_load(path, &paths, &problems, ret) == 0);
    problem_list_clear(&problems);
}

static void add_service(struct control_scene *scene, const struct service_options *options)
{
    struct service *service;

    need(scene->n_services < SCENE_SERVICES_MAX);
    need(service_new(&scene->context, scene->version, options,
                     state_claim(scene->state, options->unit_name), dispatch_nothing,
                     &service) == 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    need(listener_add(service, &fd, false, true) == 0);
    scene->services[scene->n_services++] = service;
}

void scene_init(struct control_scene *scene, const char *configuration)
{
    struct config config = {0};

    *scene =
        (struct control_scene){.context = {.changed = change_nothing, .identified = tell_nobody}};
    need(sd_event_new(&scene->context.event) >= 0);
    need(state_new(&scene->state) == 0);
    scene->context.next_connection_id = state_next_connection_id(scene->state);
    context_init_ids(&scene->context);
    load(configuration, &config);
    scene->version = config_version_new(&config, NULL);
    need(scene->version != NULL);
    for (size_t i = 0; i < scene->version->config.n_services; i++)
        add_service(scene, &scene->version->config.services[i]);
}

struct worker *scene_add_worker(struct control_scene *scene, size_t service, unsigned slot,
                                pid_t pid)
{
    struct service *of = scene->services[service];
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    int channel = -1;
    struct worker *worker = worker_new(of, slot, REASON_MINIMUM, &channel, now);

    need(worker != NULL);
    worker->pid = pid;
    worker->is_child = true;
    pool_worker_ready(of->pool, slot, of->options->max_conns, now);
    worker->state = WORKER_READY;
    return worker;
}

struct connection *scene_add_connection(struct control_scene *scene, size_t service,
                                        struct worker *worker)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    int fd = -1;
    struct connection *connection = connection_new(scene->services[service], &fd, now);

    need(connection != NULL);
    need(address_parse("192.0.2.7", &connection->peer) == 0);
    connection->peer.port = 4711;
    need(address_parse("2001:db8::25", &connection->local) == 0);
    connection->local.port = 25;
    connection_check(connection);
    connection_wait(connection, now);
    if (worker) {
        connection_hand_off(connection, worker, now);
        connection_activate(connection, now);
    }
    return connection;
}

void scene_admit(struct control_scene *scene, const char *mappings)
{
    const struct admission_settings settings = {
        .dns_servers = scene->dns_servers ? scene->dns_servers : "127.0.0.1:1",
        .ident_port = scene->ident_port > 0 ? scene->ident_port : 113,
    };
    struct problem_list problems = {0};
    struct mapping_set *set = NULL;
    char path[40];

    _cleanup_fd_ _unused_ int fd = make_file(mappings, path);
    need(mapping_set_load(path, &problems, &set) == 0);
    problem_list_clear(&problems);
    need(admission_new(&scene->context, &settings, set, &scene->context.admission) == 0);
    scene->is_admitting = true;
    mapping_set_unref(set);
}

void scene_clear(struct control_scene *scene)
{
    struct admission *admission = scene->context.admission;

    for (size_t i = 0; i < scene->n_services; i++)
        manager_free_service(scene->services[i]);
    if (scene->is_admitting)
        admission_free(admission);
    state_free(scene->state);
    config_version_unref(scene->version);
    sd_event_unref(scene->context.event);
    *scene = (struct control_scene){0};
}
