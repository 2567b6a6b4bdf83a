/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What an option is, and what a kind of value can do: the terms in which option_table.c describes
 * dispatcher.cnf. */
#pragma once

#include "base/macro.h"
#include "config/options.h"
#include "files/paths.h"
#include "files/problem.h"

#include <stdint.h>
#include <stdio.h>

struct option;

/* A value between its line in the file and its place in struct service_options. */
struct value_source {
    const struct option *option;
    const char *text; /* the text after the =, without blanks at its ends */
    const char *file;
    unsigned line;
    const struct config_paths *paths;
    struct problem_list *problems;
};

/* A kind of value. `place` points to the member of struct service_options. */
struct option_type {
    const char *name; /* for the manual: "integer", "list of ports" */

    /* Reads the text; a list gets one more. Returns 0; -EINVAL after it added an error, with the
     * place as it was; or -ENOMEM. */
    int (*parse)(const struct value_source *source, void *place);

    /* Bytes of a value that owns nothing, and is copied and cleared as such; 0 for others, which
     * have both functions. */
    size_t size;

    /* Makes the place, which is empty, equal to `from`. Returns 0 or -ENOMEM. */
    int (*copy)(const void *from, void *place);

    /* Frees what the place owns, and leaves it all zero. */
    void (*clear)(void *place);

    /* Writes one or more lines NAME=value from which parse() makes the same value. */
    void (*print)(const char *name, const void *place, FILE *stream);

    /* True unless the option is unset. */
    bool (*is_set)(const struct option *option, const void *place);
};

/* Where an option may stand. */
enum option_scope {
    SCOPE_GLOBAL = 1 << 0,     /* before the first section, as a default for every service */
    SCOPE_SERVICE = 1 << 1,    /* in [SERVICE=name] */
    SCOPE_DISPATCHER = 1 << 2, /* in [SERVICE=DISPATCHER] */
};

enum option_flags {
    OPTION_IS_LIST = 1 << 0, /* repeated lines add up */
    OPTION_LOWERED = 1 << 1, /* above `max` counts as `max`, with a warning */
    OPTION_RAISED = 1 << 2,  /* 0 counts as `min`, with a warning */
    OPTION_OR_ZERO =
        1 << 3, /* 0 is allowed although it is below `min`: it switches the option off */
    OPTION_ONE_EACH =
        1 << 4, /* a default for all services is rarely intended, and gets a warning */
};

struct option {
    const char *name;
    const char *aliases[1]; /* other names with the same meaning; NULL: none */
    const struct option_type *type;
    int64_t min, max;      /* of integers */
    int64_t default_value; /* of integers; other types are unset by default */
    const char
        *default_text;    /* what the help shows as the default if the number alone means little */
    unsigned scopes;      /* enum option_scope */
    unsigned flags;       /* enum option_flags */
    size_t offset;        /* in struct service_options */
    const char *help;     /* one line */
    const char *document; /* the document that defines it */
};

/* Adds a problem at the line that the value comes from. */
#define value_error(source, ...)                                                                   \
    problem_add((source)->problems, PROBLEM_ERROR, (source)->file, (source)->line, __VA_ARGS__)
#define value_warning(source, ...)                                                                 \
    problem_add((source)->problems, PROBLEM_WARNING, (source)->file, (source)->line, __VA_ARGS__)

/* How a message quotes "NAME=value": the value is cut so that it fits on a line. */
#define VALUE_SHOWN        "%s=%.60s"
#define VALUE_ARGS(source) (source)->option->name, (source)->text
