/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a mapping file was compiled into: tables of entries. Read-only once it is loaded, so that
 * any number of runs may use it; counted, so that one which waits for an answer keeps the tables
 * that it began with when the file is read again. Not for more than one thread. */
#pragma once

#include "base/str.h"
#include "files/problem.h"
#include "mapping/arena.h"
#include "mapping/network_index.h"
#include "mapping/pattern.h"
#include "mapping/template.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The table that decides about connections. */
#define MAPPING_PORT_ACCESS "PORT_ACCESS"

/* A table that calls one that calls one …: so many below the first (dispatcher-mappings(5)). */
#define MAPPING_DEPTH_MAX 10

struct mapping_entry {
    const char *file; /* the set's */
    uint32_t line;
    uint32_t index; /* number of the table's network index that holds the entry, from 1; 0: none */
    struct pattern pattern;
    struct template template;
    const char *text; /* the pattern as it was written */
};

struct mapping_table {
    const char *name; /* as it was written */
    const char *file;
    unsigned line;
    bool is_used;   /* it is PORT_ACCESS, or called from there */
    unsigned depth; /* the greatest number of calls on the way there */
    unsigned forms; /* of the strings that it is applied to: enum form, of doubts.c */
    struct mapping_entry *entries;
    size_t n_entries;
    struct network_index *indexes; /* of entries that are networks, in the order of the file */
    size_t n_indexes;
};

struct mapping_set {
    unsigned n_references;
    struct arena arena; /* of everything but the arrays below and in the tables */
    struct str_list files;
    struct mapping_table **tables;
    size_t n_tables;
    bool is_empty; /* the file is there, and has not even a comment */
};

/* Reads `path` and what it includes, and checks PORT_ACCESS and the tables that it calls. A file
 * that does not exist is an empty set, which accepts everybody. Returns 0 with *ret, one reference
 * to it; -EINVAL if `problems` got at least one error (*ret untouched); or -ENOMEM. Warnings may
 * be added in either case. */
int mapping_set_load(const char *path, struct problem_list *problems, struct mapping_set **ret);

/* The same; and writes all that was read to `copy` (NULL: nothing), as one mapping file that needs
 * no other. Errors in writing are left to ferror(). */
int mapping_set_load_and_copy(const char *path, FILE *copy, struct problem_list *problems,
                              struct mapping_set **ret);

/* One more reference. Returns `set`. */
struct mapping_set *mapping_set_ref(struct mapping_set *set);

/* Gives a reference back; the last frees the set. NULL is nothing. Returns NULL. */
struct mapping_set *mapping_set_unref(struct mapping_set *set);

/* For _cleanup_. */
void mapping_set_cleanup(struct mapping_set **set);

#define _cleanup_mapping_set_ _cleanup_(mapping_set_cleanup)

/* The table of that name, in whatever case; NULL: there is none. */
struct mapping_table *mapping_set_find(const struct mapping_set *set, const char *name);
