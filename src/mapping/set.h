/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The tables and entries that a mapping file was compiled into. They are not changed after loading,
 * so any number of runs may use them; and they are counted, so that a run which waits for an answer
 * keeps its tables when the file is read again. For one thread only. */
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

/* How deep tables may call each other, below the first one (dispatcher-mappings(5)). */
#define MAPPING_DEPTH_MAX 10

struct mapping_entry {
    const char *file; /* belongs to the set */
    uint32_t line;
    uint32_t index; /* number of the table's network index that has the entry, from 1; 0: none */
    struct pattern pattern;
    struct template template;
    const char *text; /* the pattern as written */
};

struct mapping_table {
    const char *name; /* as written */
    const char *file;
    unsigned line;
    bool is_used;   /* it is PORT_ACCESS, or called from there */
    unsigned depth; /* the greatest number of calls that lead to it */
    unsigned forms; /* of the strings that it is applied to: enum form, for doubts.c */
    struct mapping_entry *entries;
    size_t n_entries;
    struct network_index *indexes; /* of entries that are networks, in the order of the file */
    size_t n_indexes;
};

struct mapping_set {
    unsigned n_references;
    struct arena arena; /* for everything except the arrays below and in the tables */
    struct str_list files;
    struct mapping_table **tables;
    size_t n_tables;
    bool is_empty; /* the file exists, and has not even a comment */
};

/* Reads `path` and what it includes, and checks PORT_ACCESS and the tables that it calls. If the
 * file does not exist, the set is empty and admits everybody. Returns 0 with a reference in *ret;
 * -EINVAL if `problems` got at least one error (*ret untouched); or -ENOMEM. Warnings may be added
 * in any case. */
int mapping_set_load(const char *path, struct problem_list *problems, struct mapping_set **ret);

/* The same, and writes all that was read to `copy` (NULL: nothing) as one mapping file without
 * includes. Check ferror() for errors in writing. */
int mapping_set_load_and_copy(const char *path, FILE *copy, struct problem_list *problems,
                              struct mapping_set **ret);

/* Adds a reference. Returns `set`. */
struct mapping_set *mapping_set_ref(struct mapping_set *set);

/* Drops a reference; the last one frees the set. NULL does nothing. Returns NULL. */
struct mapping_set *mapping_set_unref(struct mapping_set *set);

/* For _cleanup_. */
void mapping_set_cleanup(struct mapping_set **set);

#define _cleanup_mapping_set_ _cleanup_(mapping_set_cleanup)

/* The table of that name, without regard to case; NULL: there is none. */
struct mapping_table *mapping_set_find(const struct mapping_set *set, const char *name);
