/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The command line. What is wrong with it is told on stderr. */
#pragma once

#include "dispatcherctl/request.h"
#include "dispatcherctl/test_access.h"
#include "dispatcherctl/verbs.h"

struct arguments {
    struct request request;                     /* but for its limit_usec */
    unsigned limit_sec;                         /* 0: the verb's own */
    const char *minus_one;                      /* a mask of -1 among the options; NULL: none */
    const char *selection[N_SELECTION_OPTIONS]; /* as they were typed; NULL: not given */
    const struct verb *verb;
    struct test_access test; /* of test-access, which asks no daemon */
};

/* Reads the options; --help and --version end the program. The words begin at optind then. Returns
 * 0 or -EINVAL. */
int arguments_parse_options(int argc, char *argv[], struct arguments *arguments);

/* Reads the verb and what follows. Returns 0 or -EINVAL. */
int arguments_parse_words(int argc, char *argv[], struct arguments *arguments);
