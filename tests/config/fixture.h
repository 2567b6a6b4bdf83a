/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A folder of its own for each test, and the words in which a test says what it expects of a
 * dispatcher.cnf. */
#pragma once

#include "config/load.h"

#include <stdbool.h>

struct fixture {
    char dir[32];
    struct config_paths paths; /* /workers, /tables, /logs; no mask from the environment */
    struct problem_list problems;
    struct config config; /* of the last fixture_load(); empty where that failed */
    char *printed;        /* the same as config_print() writes it, without the folder */
};

void fixture_start(struct fixture *fixture);
void fixture_stop(struct fixture *fixture);

/* Writes a file into the folder, with mode 0644. */
void fixture_write(const struct fixture *fixture, const char *name, const char *text);
void fixture_write_bytes(const struct fixture *fixture, const char *name, const void *bytes,
                         size_t size);

/* The path of a file in the folder; until the next call. */
const char *fixture_path(const struct fixture *fixture, const char *name);

/* Writes the text to dispatcher.cnf and loads that, forgetting what was before. Returns what
 * config_load() did. */
int fixture_load(struct fixture *fixture, const char *text);

/* Loads dispatcher.cnf as it is. */
int fixture_load_again(struct fixture *fixture);

/* True where the effective options hold "SERVICE.NAME=value", as in "SMTP.PORT=25"; so does the
 * Dispatcher's own, as DISPATCHER. */
bool fixture_has(const struct fixture *fixture, const char *expected);

/* True where there is a problem whose text, as problem_format() writes it without the folder,
 * contains `expected`, as in "dispatcher.cnf:3: error: ". */
bool fixture_said(const struct fixture *fixture, const char *expected);

/* All problems, for the message of a failed assertion; until the next call. */
const char *fixture_problems(const struct fixture *fixture);
