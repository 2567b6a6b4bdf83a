/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which unit files a configuration asks for: pure, so that the generator can write them and the
 * daemon can compare them with those in force. */
#pragma once

#include "config/options.h"
#include "files/problem.h"
#include "generator/unit_text.h"

#include <stdbool.h>
#include <stddef.h>

struct unit_file {
    char *path; /* owned: below the generator's folder, "dispatcherd-smtp.socket" */
    char *text; /* owned: what stands in the file */
};

/* Owns its files. All zero is an empty list. */
struct unit_list {
    struct unit_file *items;
    size_t n_items;
};

/* Makes the files for every enabled service of `config`. A service that cannot become units is left
 * out, with an error among `problems`. Returns 0 with *ret filled, or -ENOMEM (*ret untouched). */
int units_make(const struct config *config, const struct unit_environment *environment,
               struct problem_list *problems, struct unit_list *ret);

/* Finds a file by its path. Returns NULL if there is none. */
const struct unit_file *unit_list_find(const struct unit_list *list, const char *path);

/* Frees all it owns; the list is empty afterwards. */
void unit_list_clear(struct unit_list *list);
