/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The PARAMETER lines of a delivered worker: a table says what there is, one reader serves the
 * worker at its start and dispatcherd --check before it.
 *
 * A program has a table, and in main(), before dispatcher_worker_run():
 *
 *     if (parameters_is_check(argc, argv))
 *         return parameters_check(&table, &settings, argc, argv);
 *
 * and in its `start`: parameters_of_worker(&table, &settings, worker). */
#pragma once

#include "base/macro.h"

#include <dispatcher/worker.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest text about one PARAMETER, with its NUL. */
#define PARAMETER_TEXT_MAX 512

struct parameter;

/* Reads the value into the member of the settings. Returns 0; -ENOMEM; or -EINVAL, with what would
 * be right in hint[PARAMETER_TEXT_MAX] unless the table's `hint` is to be shown. */
typedef int (*parameter_reader)(const struct parameter *parameter, const char *value, void *place,
                                char *hint);

struct parameter {
    const char *name; /* compared without case */
    parameter_reader read;
    size_t offset;              /* of the member in the settings */
    uint64_t min, max;          /* of numbers and spans */
    const char *const *choices; /* of parameter_read_choice(), ended by NULL */
    const char *hint;           /* what would be right: "must be the path of a folder" */
};

/* Each replaces what an earlier line gave, but for the list. */
int parameter_read_text(const struct parameter *parameter, const char *value, void *place,
                        char *hint); /* char *, owned; never empty */
int parameter_read_list(const struct parameter *parameter, const char *value, void *place,
                        char *hint); /* struct str_list; items are never empty */
int parameter_read_number(const struct parameter *parameter, const char *value, void *place,
                          char *hint); /* uint64_t from min to max */
int parameter_read_seconds(const struct parameter *parameter, const char *value, void *place,
                           char *hint); /* uint64_t in microseconds; min and max in seconds */
int parameter_read_choice(const struct parameter *parameter, const char *value, void *place,
                          char *hint); /* unsigned: the index in `choices` */

/* What is known of the service besides its PARAMETERs. A running worker knows nothing of these:
 * they are for dispatcherd --check, and false at the start of a worker. */
struct parameter_facts {
    bool is_check;           /* nothing will be served */
    bool has_proxy_protocol; /* PROXY_PROTOCOL=1 */
    bool has_tls_port;       /* TLS_PORT */
};

enum parameter_severity {
    PARAMETER_WARNING,
    PARAMETER_ERROR
};

/* Whom mistakes are reported to. */
struct parameter_report {
    struct parameter_facts facts;
    size_t index; /* of the PARAMETER line in question; SIZE_MAX: of none of them */
    void (*write)(const struct parameter_report *report, enum parameter_severity severity,
                  const char *text);
    void *userdata;
};

#define PARAMETER_NONE SIZE_MAX

/* Reports one mistake in the line `index`, or PARAMETER_NONE. */
void parameter_say(const struct parameter_report *report, enum parameter_severity severity,
                   size_t index, const char *format, ...) _printf_(4, 5);

struct parameter_table {
    const struct parameter *items;
    size_t n_items;

    /* After all lines are read, and without a mistake: what cannot be seen from one line alone, and
     * defaults that depend on others; may be NULL. Returns 0; -ENOMEM; or -EINVAL after it reported
     * an error. */
    int (*complete)(void *settings, const struct parameter_report *report);
};

/* Reads one "NAME=value". Returns 0; -ENOMEM; or -EINVAL, with what is wrong and what would be
 * right in `error`. */
int parameters_apply(const struct parameter_table *table, void *settings, const char *parameter,
                     char error[PARAMETER_TEXT_MAX]);

/* Reads all, reports every mistake, and completes. Returns 0, -ENOMEM, or -EINVAL. */
int parameters_read(const struct parameter_table *table, void *settings,
                    const char *const parameters[], size_t n_parameters,
                    struct parameter_report *report);

/* The same with the PARAMETERs of the worker, whose log has the mistakes. */
int parameters_of_worker(const struct parameter_table *table, void *settings,
                         dispatcher_worker *worker);

/* The program was started as "IMAGE --check-parameters [FACT…] [-- PARAMETER…]": to look at
 * parameters, not to serve. dispatcherd/parameter_check.h is the other side. */
bool parameters_is_check(int argc, char *argv[]);

/* Does that: a line "INDEX error: text" or "INDEX warning: text" for each mistake on standard
 * output, with the number of the PARAMETER from 0, or "-". Returns main()'s status. */
int parameters_check(const struct parameter_table *table, void *settings, int argc, char *argv[]);
