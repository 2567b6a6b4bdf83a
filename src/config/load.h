/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads dispatcher.cnf and what it includes into effective options, and reports every problem. */
#pragma once

#include "config/options.h"
#include "files/paths.h"
#include "files/problem.h"
#include "files/reader.h"

/* Bytes of a line including its continuations (dispatcher.cnf(5)). */
#define CONFIG_LINE_MAX 65536

/* The form of its lines, for files/reader.h. */
extern const struct reader_rules config_line_rules;

/* Reads `path` and what it includes. Returns 0 with *ret, which the caller frees by config_clear();
 * -EINVAL if `problems` got at least one error (*ret untouched); or -ENOMEM. A file that cannot be
 * read is an error among the problems. Warnings may be added in any case. */
int config_load(const char *path, const struct config_paths *paths, struct problem_list *problems,
                struct config *ret);

/* Like config_load(), but keeps the services without errors (perhaps none) of a broken file. For
 * the unit generator, which must never break a boot. Returns 0 or -ENOMEM; problems->n_errors says
 * how many errors there are. */
int config_load_usable(const char *path, const struct config_paths *paths,
                       struct problem_list *problems, struct config *ret);

/* Adds an error for each enabled service whose IMAGE is missing or not executable. For --check; the
 * running daemon treats that as a failed start (dispatcherd(8)). */
void config_check_images(const struct config *config, struct problem_list *problems);
