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

/* Reads the value into the member of the settings. Returns 0; -ENOMEM; or -EINVAL with
 * hint[PARAMETER_TEXT_MAX] saying what would be right, unless the hint of the table applies. */
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

/* Each replaces the value of an earlier line, except the list, which it extends. */
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

/* What is known about the service besides its PARAMETERs. Only dispatcherd --check knows this; for
 * a worker that starts, all are false. */
struct parameter_facts {
    bool is_check;           /* for --check: nothing will be served */
    bool has_proxy_protocol; /* PROXY_PROTOCOL=1 */
    bool has_tls_port;       /* TLS_PORT */
    bool has_tls_credential; /* its unit has a credential "tls.cert" (systemd.exec(5)) */
};

enum parameter_severity {
    PARAMETER_WARNING,
    PARAMETER_ERROR
};

/* Where problems are reported. */
struct parameter_report {
    struct parameter_facts facts;
    size_t index;             /* of the PARAMETER line; SIZE_MAX: of none */
    const char *const *lines; /* all of them: n_lines */
    size_t n_lines;
    void (*write)(const struct parameter_report *report, enum parameter_severity severity,
                  const char *text);
    void *userdata;
};

#define PARAMETER_NONE SIZE_MAX

/* Reports a problem of the line `index`, or PARAMETER_NONE. */
void parameter_say(const struct parameter_report *report, enum parameter_severity severity,
                   size_t index, const char *format, ...) _printf_(4, 5);

/* The index of the n-th line with the parameter `name`, n from 0; PARAMETER_NONE if there are
 * fewer. For problems that only `complete` can find. */
size_t parameter_line(const struct parameter_report *report, const char *name, size_t n);

struct parameter_table {
    const struct parameter *items;
    size_t n_items;

    /* Called when all lines were read without an error: checks what needs several lines, and sets
     * defaults that depend on others; may be NULL. Returns 0; -ENOMEM; or -EINVAL after it reported
     * an error. */
    int (*complete)(void *settings, const struct parameter_report *report);
};

/* Reads one "NAME=value". Returns 0; -ENOMEM; or -EINVAL with `error` saying what is wrong and what
 * would be right. */
int parameters_apply(const struct parameter_table *table, void *settings, const char *parameter,
                     char error[PARAMETER_TEXT_MAX]);

/* Reads all lines, reports every problem, and calls `complete`. Returns 0, -ENOMEM, or -EINVAL. */
int parameters_read(const struct parameter_table *table, void *settings,
                    const char *const parameters[], size_t n_parameters,
                    struct parameter_report *report);

/* The same with the PARAMETERs of the worker; problems go to its log. */
int parameters_of_worker(const struct parameter_table *table, void *settings,
                         dispatcher_worker *worker);

/* Whether the program was started as "IMAGE --check-parameters [FACT…] [-- PARAMETER…]", to check
 * parameters and not to serve (dispatcherd/config/parameter_check.h). */
bool parameters_is_check(int argc, char *argv[]);

/* Does that: prints a line "INDEX error: text" or "INDEX warning: text" for each problem, with the
 * number of the PARAMETER from 0, or "-". Returns the exit status. */
int parameters_check(const struct parameter_table *table, void *settings, int argc, char *argv[]);
