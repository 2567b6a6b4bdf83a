/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The unit files for a configuration. Pure, so that the generator can write them, and the daemon
 * can compare them with those in force. */
#pragma once

#include "config/options.h"
#include "files/problem.h"
#include "generator/unit_text.h"

#include <stdbool.h>
#include <stddef.h>

struct unit_file {
    char *path; /* owned: relative to the generator's folder, "dispatcherd-smtp.socket" */
    char *text; /* owned: the content of the file */
};

/* Owns its files. All zero is an empty list. */
struct unit_list {
    struct unit_file *items;
    size_t n_items;
};

/* Makes the files for all enabled services of `config`. A service for which no units can be made is
 * left out, with an error in `problems`. Returns 0 with *ret, or -ENOMEM (*ret untouched). */
int units_make(const struct config *config, const struct unit_environment *environment,
               struct problem_list *problems, struct unit_list *ret);

/* Finds a file by its path. Returns NULL if there is none. */
const struct unit_file *unit_list_find(const struct unit_list *list, const char *path);

/* Frees all it owns; the list is empty afterwards. */
void unit_list_clear(struct unit_list *list);
