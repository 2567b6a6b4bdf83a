/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The daemon as a whole without a process of its own: files in a folder, services that dispatch,
 * workers that the test plays. It behaves as under systemd: its sockets are passed to it. */
#pragma once

#include "dispatcherd/manager.h"
#include "dispatcherd/played_workers.h"

struct manager_scene {
    struct manager manager;
    char folder[40];
    char config_file[64];
    char mapping_file[64];
    int sockets[4];     /* that the services listen on, in their order; theirs */
    unsigned n_changes; /* how often the context was told of one */
    char line[2048];    /* the last line of the log */
    char lines[8192];   /* the lines of the log, each with its line feed, as far as there is room */
};

/* Reads these files and adds their services, without sockets and workers. */
void manager_scene_start(struct manager_scene *scene, const char *config, const char *mappings);

/* Lets the service, by its number, listen on a free port of 127.0.0.1, and brings it to rest. */
void manager_scene_open(struct manager_scene *scene, size_t service);

/* Changes the files; NULL: that file stays as it is. */
void manager_scene_write(struct manager_scene *scene, const char *config, const char *mappings);

/* Whether the log has this text; and begins the log anew. */
bool manager_scene_has_logged(const struct manager_scene *scene, const char *text);
void manager_scene_forget_lines(struct manager_scene *scene);

/* Runs the loop for as long as there is something to do at once. */
void manager_scene_run(struct manager_scene *scene);

void manager_scene_end(struct manager_scene *scene);
