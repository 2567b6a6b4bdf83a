/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Services without processes: what the control socket shows and steers, made to order. Used by a
 * fuzz target too, so it ends the program where it cannot go on. */
#pragma once

#include "dispatcherd/control/methods.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/worker.h"
#include "files/problem.h"

#include <stdbool.h>

#define SCENE_SERVICES_MAX 4

struct control_scene {
    struct context context;
    struct config_version *version;
    struct state *state;
    struct service *services[SCENE_SERVICES_MAX];
    size_t n_services;
    bool is_stopping;
    bool is_admitting;       /* context.admission is owned */
    const char *dns_servers; /* "ADDRESS:PORT" */
    uint16_t ident_port;
    bool is_reload_refused;
    unsigned n_reloads;
};

/* The operations of control_answer(); their userdata is the scene. */
extern const struct control_operations scene_operations;

/* The services of a dispatcher.cnf; each has a socket, where nobody connects. */
void scene_init(struct control_scene *scene, const char *configuration);

/* A ready worker with that pid in the slot. */
struct worker *scene_add_worker(struct control_scene *scene, size_t service, unsigned slot,
                                pid_t pid);

/* A connection that the worker serves; NULL: one that waits. */
struct connection *scene_add_connection(struct control_scene *scene, size_t service,
                                        struct worker *worker);

/* Gives its services the checks of connections, with this mapping file and the DNS server and the
 * port of IDENT that the scene names; it names none at first. */
void scene_admit(struct control_scene *scene, const char *mappings);

void scene_clear(struct control_scene *scene);
