/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* dispatcherctl simulate: what a recording says would have happened with other settings. Needs no
 * daemon. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct simulate_arguments {
    const char *config; /* whose options replace the recorded ones; NULL: none */
    const char *sweep;  /* "NAME=VALUE,VALUE..."; NULL: none */
    const char *svg;    /* a file for the picture; NULL: none */
    bool is_json;
};

/* `words`: perhaps the recording, and settings, NAME=value. Returns an exit status; 2 for wrong
 * usage, which was reported. */
int simulate_command(const struct simulate_arguments *arguments, char *const words[],
                     size_t n_words);
