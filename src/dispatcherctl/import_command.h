/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* dispatcherctl import: translates configurations of other dispatchers. */
#pragma once

#include <stddef.h>

struct import_arguments {
    const char *form;     /* the kind of the files; NULL: dispatcher.cnf of the original */
    const char *mappings; /* the file to be made for PORT_ACCESS; NULL: it is printed as comments */
};

/* Prints the dispatcher.cnf that the files become. Returns an exit status; 2 for wrong usage. */
int import_command(const struct import_arguments *arguments, char *const files[], size_t n_files);
