/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Translates the configuration of another dispatcher into a dispatcher.cnf: text in, text out. What
 * has another meaning here, or cannot be translated, is commented on in the result. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum import_form {
    IMPORT_DISPATCHER, /* dispatcher.cnf of Sun, Oracle or PMDF */
    IMPORT_XINETD,     /* xinetd.conf(5), and files of xinetd.d */
    IMPORT_INETD,      /* inetd.conf(5) */
    IMPORT_MASTER_CF,  /* master(5) of Postfix */
};

/* Finds the form of that name ("xinetd", "inetd", "master.cf"). Returns 0 or -EINVAL. */
int import_form_find(const char *name, enum import_form *ret);

/* What the translation must know about this host; tests need none. */
struct import_host {
    /* Whether the absolute path is a program that can be run. */
    bool (*can_run)(const char *path);
    /* The port of a TCP service with that name (services(5)); 0: unknown. */
    uint16_t (*find_port)(const char *name);
    const char *worker_dir; /* the folder of programs for which IMAGE has no folder */
    /* Whether the mappings get a file of their own. If not, services that need them are turned off,
     * since they would accept everybody. */
    bool has_mappings;
};

/* A file's text. */
struct import_source {
    const char *name; /* for comments */
    const char *text; /* `size` bytes of any kind */
    size_t size;
};

struct import_result {
    char *config;   /* owned: a dispatcher.cnf */
    char *mappings; /* owned: a mapping file; NULL: the source has no restrictions */
    unsigned n_services;
    unsigned n_left_out;    /* services that cannot be translated; comments say why */
    unsigned n_with_access; /* of n_services: those that need the mappings */
};

/* More bytes than a person has ever written. */
#define IMPORT_MAX_BYTES ((size_t)4 * 1024 * 1024)

/* Translates the files as if they were one. Returns 0; -EFBIG if they have more than
 * IMPORT_MAX_BYTES; -ENOMEM; or another negative errno if the result cannot be checked. */
int import_run(enum import_form form, const struct import_host *host,
               const struct import_source sources[], size_t n_sources, struct import_result *ret);

void import_result_clear(struct import_result *result);
