/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The command line. Errors in it are reported on standard error. */
#pragma once

#include "dispatcherctl/query/request.h"
#include "dispatcherctl/simulate/simulate.h"
#include "dispatcherctl/test_access.h"
#include "dispatcherctl/verbs.h"

struct arguments {
    const struct verb *verbs; /* in the order of the help; the last one has no name */
    struct request request;   /* without its limit_usec; owns the list of hosts */
    unsigned limit_sec;       /* 0: the verb's own */
    const char *minus_one;    /* a mask of -1, which looks like an option; NULL: none */
    const char *from;         /* of import; NULL: not given */
    const char *selection[N_SELECTION_OPTIONS]; /* as typed; NULL: not given */
    const struct verb *verb;
    struct test_access test;            /* for test-access, which asks no daemon */
    struct simulate_arguments simulate; /* for simulate, likewise */
};

/* Reads the options; --help and --version end the program. Afterwards the words begin at optind.
 * Returns 0 or -EINVAL. */
int arguments_parse_options(int argc, char *argv[], struct arguments *arguments);

/* Frees what the options made. */
void arguments_clear(struct arguments *arguments);

/* Reads the verb and its arguments. Returns 0 or -EINVAL. */
int arguments_parse_words(int argc, char *argv[], struct arguments *arguments);
