/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What can be asked for: the first word of the command line. */
#pragma once

#include "dispatcherctl/request.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/* How long to wait for an answer. A reload reads files, which can be on slow disks. */
#define ANSWER_LIMIT_SEC 30
#define RELOAD_LIMIT_SEC 300

/* The words that follow. */
enum service_argument {
    NO_SERVICE,
    MAY_SERVICE,
    MUST_SERVICE,
    ADDRESS, /* of a client; then perhaps a service */
    MASK,    /* of one service, or of all; or none, to show them */
};

struct verb {
    const char *name;
    enum service_argument service;
    enum selection_list selects;
    int (*run)(const struct verb *verb, const struct request *request);
    const char *method; /* of run_simple() */
    const char *list;   /* the member that comes in parts; NULL: none does */
    int (*view)(const json_t *parameters, const char *service, FILE *stream);
    unsigned limit_sec;
    const char *help;
};

/* The verbs in the order of their help; NULL after the last. */
const struct verb *verb_at(size_t i);
