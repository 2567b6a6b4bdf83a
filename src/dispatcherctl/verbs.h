/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The verbs: the first word of the command line. */
#pragma once

#include "dispatcherctl/query/request.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/* How long to wait for an answer. A reload reads files, perhaps from slow disks. */
#define ANSWER_LIMIT_SEC 30
#define RELOAD_LIMIT_SEC 300

/* The words after the verb. */
enum service_argument {
    NO_SERVICE,
    MAY_SERVICE,
    MUST_SERVICE,
    ADDRESS, /* ADDRESS of a client, then perhaps a service */
    MASK,    /* [SERVICE] MASK, or nothing, to show the masks */
};

struct verb {
    const char *name;
    enum service_argument service;
    enum selection_list selects;
    int (*run)(const struct verb *verb, const struct request *request);
    const char *method; /* for run_simple() */
    const char *list;   /* the member that comes in parts; NULL: none does */
    int (*view)(const json_t *parameters, const char *service, FILE *stream);
    unsigned limit_sec;
    const char *help;
};
