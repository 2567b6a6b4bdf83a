/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the command line of dispatcher-worker-test says about the worker and the run. */
#pragma once

#include "base/str.h"

#include <stdbool.h>

enum {
    JOBS_MAX = 64
};

struct options {
    char **command;             /* of the worker, up to NULL */
    const char *service;        /* SERVICE of the welcome */
    const char *say;            /* what each client sends first, with its line end; NULL: nothing */
    struct str_list parameters; /* PARAMETER of the welcome */
    struct str_list rules;      /* names of the rules to try; none: all */
    unsigned limit_sec;         /* for waits for which dispatcher-worker(7) has no limit */
    unsigned n_jobs;            /* scenes that run at the same time, up to JOBS_MAX */
    bool is_list;
    bool is_tap;
};

/* Reads the arguments. Returns 0; -EINVAL after it reported an error; -ECANCELED if the help or the
 * version was printed. */
int options_read(int argc, char *argv[], struct options *ret);

/* Whether the rule is to be tried or listed. */
bool options_has_rule(const struct options *options, const char *name);

void options_clear(struct options *options);
