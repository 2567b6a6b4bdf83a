/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the command line asks for. */
#pragma once

#include "base/str.h"
#include "dispatcherctl/query/selection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEFAULT_SOCKET "/run/dispatcherd/control"

struct request {
    const char *socket;
    bool is_json;
    uint64_t limit_usec;   /* for an answer */
    const char *service;   /* NULL: all */
    const char *mask;      /* of debug; NULL: none */
    const char *address;   /* of explain; NULL: none */
    struct str_list hosts; /* of --host; empty: this one alone */
    size_t top;            /* of clients: how many of each list */
    struct selection selection;
};
