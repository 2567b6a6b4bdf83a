/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads dispatcher.cnf: files to effective options, with every problem on the way. */
#pragma once

#include "config/options.h"
#include "files/places.h"
#include "files/problem.h"
#include "files/reader.h"

/* Bytes of a line with its continuations (dispatcher.cnf(5)). */
#define CONFIG_LINE_MAX 65536

/* What files/reader.h has to know of its lines. */
extern const struct reader_rules config_line_rules;

/* Reads `path` and what it includes. Returns 0 with *ret filled (free it with config_clear());
 * -EINVAL if `problems` got at least one error (*ret untouched); -ENOMEM. An unreadable file
 * is an error among the problems. Warnings may be added in either case. */
int config_load(const char *path, const struct config_places *places, struct problem_list *problems,
                struct config *ret);

/* As config_load(), but keeps what is usable of a broken file: the services that are free of
 * errors (perhaps none). For the unit generator, which must never break a boot. Returns 0 or
 * -ENOMEM; look into problems->n_errors for the rest. */
int config_load_usable(const char *path, const struct config_places *places,
                       struct problem_list *problems, struct config *ret);

/* Adds an error for each enabled service whose IMAGE is missing or not executable: for --check;
 * at run time that is a failed start (dispatcherd(8)). */
void config_check_images(const struct config *config, struct problem_list *problems);
