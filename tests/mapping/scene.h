/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A mapping file in a folder of its own, and the words in which a test says what it expects. */
#pragma once

#include "mapping/port_access.h"
#include "mapping/set.h"

#include <stdbool.h>

/* What the routines answer. */
struct answers {
    bool is_over;       /* throttle, concurrent: succeed */
    const char *listed; /* dns: text of the list, "" without one; NULL: not listed */
    uint32_t chance;    /* of $?x?: below CHANCE_WHOLE */
};

struct scene {
    char dir[32];
    struct problem_list problems;
    struct mapping_set *set; /* of the last scene_load(), NULL where that failed */
    struct answers answers;
    struct port_access verdict; /* of the last scene_ask() */
    char calls[512];            /* made by the last scene_ask(): "ROUTINE ADDRESS LIMIT;" */
    char trace[16384];          /* of the last scene_ask(), a line each */
    struct mapping_run run;
};

void scene_start(struct scene *scene);
void scene_stop(struct scene *scene);

/* The path of a file in the folder; until the next call. */
const char *scene_path(const struct scene *scene, const char *name);

/* Writes a file into the folder, with mode 0644. */
void scene_write(const struct scene *scene, const char *name, const char *text, size_t length);

/* Writes "mappings" and loads it, forgetting what was before. Returns what mapping_set_load() did.
 */
int scene_load(struct scene *scene, const char *text);

/* Loads one entry: a PORT_ACCESS table with the lines given, each of which is "pattern template".
 */
void scene_load_entries(struct scene *scene, const char *entries);

/* Applies a table to a string, answering what it calls. Returns what came of it in one line: "none"
 * without a match, else "STRING/FLAGS", "limit" at the limit. Until the next call. */
const char *scene_run(struct scene *scene, const char *table, const char *string);

/* The verdict on a client that connects from port 40312 to port 25 of 192.0.2.1, in one line:
 * "accept" or "reject", then " reply=…", " note=…", " reject-note=…", " tag=…" and " log=…" as far
 * as they are there, CR and LF as "/". */
const char *scene_ask(struct scene *scene, const char *client);

/* All problems, one a line, without the folder; until the next call. */
const char *scene_problems(const struct scene *scene);

/* There is a problem whose text, as problem_format() writes it without the folder, contains this.
 */
bool scene_said(const struct scene *scene, const char *expected);
