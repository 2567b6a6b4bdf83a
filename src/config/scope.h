/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A part of dispatcher.cnf before its options are effective: the lines before the first section, a
 * service's section, or the Dispatcher's own (dispatcher.cnf(5)). */
#pragma once

#include "config/option_table.h"
#include "files/reader.h"

#include <assert.h>

struct scope {
    enum option_scope kind;
    struct service_options values; /* what is written; the rest is all zero */
    uint32_t written;              /* a bit for each option that has a good value here */
    uint32_t faulty;    /* a bit for each option whose value is unknown because of an error */
    bool has_port_zero; /* has PORT=0, not just no PORT */
    bool is_broken;     /* has an error of another kind; not used in the global part */
};

static_assert(N_OPTIONS <= 32, "scope.written has a bit for each option");

/* Reads the line NAME=value into the scope, and reports what is wrong with it. Returns 0 or
 * -ENOMEM. */
int scope_read_line(struct scope *scope, const struct line *line, const struct config_paths *paths,
                    struct problem_list *problems);

/* Makes the effective options of a section: a value (or an error) that is not in the section comes
 * from the global part, and if it is not there either, the default counts. Returns 0 or -ENOMEM. */
int scope_inherit(struct scope *section, const struct scope *global);

/* True if an error affects the section. */
bool scope_has_errors(const struct scope *section);

void scope_clear(struct scope *scope);
