/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A place in a file, and the list to which its problems are added. */
#pragma once

#include "files/problem.h"

struct place {
    struct problem_list *problems;
    const char *file;
    unsigned line;
};

#define place_error(place, ...)                                                                    \
    problem_add((place)->problems, PROBLEM_ERROR, (place)->file, (place)->line, __VA_ARGS__)
#define place_warning(place, ...)                                                                  \
    problem_add((place)->problems, PROBLEM_WARNING, (place)->file, (place)->line, __VA_ARGS__)
