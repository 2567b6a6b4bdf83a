/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* xinetd.conf(5):
 *
 *   defaults { ATTRIBUTE OPERATOR VALUE... }     service NAME { ... }     includedir FOLDER
 *
 * All is read before anything is written: defaults hold for services above them too. */
#pragma once

#include "base/str.h"
#include "import/forms.h"

struct xinetd_attribute {
    char *name; /* owned */
    struct str_list values;
    struct str_list removed; /* by "-=" */
    bool is_change;          /* of those of the defaults: its first line has "+=" or "-=" */
};

struct xinetd_entry {
    char *name; /* owned; NULL: the defaults */
    char *source;
    unsigned line;
    struct xinetd_attribute *attributes; /* owned */
    size_t n_attributes;
};

struct xinetd {
    struct xinetd_entry *entries; /* owned */
    size_t n_entries;
    struct xinetd_entry defaults;
    struct str_list notes;
};

/* The attribute of the entry; NULL: not given. */
struct xinetd_attribute *xinetd_find(const struct xinetd_entry *entry, const char *name);

/* The first value of the entry's attribute, or else that of the defaults; NULL: not given. */
const char *xinetd_value(const struct xinetd *xinetd, const struct xinetd_entry *entry,
                         const char *name);

/* Whether that is this value, without regard to case. */
bool xinetd_is_value(const struct xinetd *xinetd, const struct xinetd_entry *entry,
                     const char *name, const char *value);

/* That value as a number; 0 for UNLIMITED, and if it is not given. */
unsigned xinetd_number(const struct xinetd *xinetd, const struct xinetd_entry *entry,
                       const char *name);

/* Whether the entry's own attribute has this value among others. */
bool xinetd_has(const struct xinetd_entry *entry, const char *name, const char *value);

void xinetd_entry_clear(struct xinetd_entry *entry);
