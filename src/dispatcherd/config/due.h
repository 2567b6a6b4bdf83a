/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What an administrator still has to do so that all of dispatcher.cnf is in force, with the
 * commands for it. The list is plain data: units_due.h finds what systemd lacks, due_find.h
 * everything else. */
#pragma once

#include "base/str.h"
#include "config/options.h"
#include "files/problem.h"

/* Kinds of commands, as bits. */
enum {
    DUE_DAEMON_RELOAD = 1 << 0, /* systemd has to run the generator and read the units */
    DUE_RESTART =
        1 << 1, /* dispatcherd has to be restarted, so that systemd passes it the sockets */
    DUE_RELOAD = 1 << 2, /* dispatcherd has to read its configuration again */
};

struct due {
    char *service; /* owned: the service's name; NULL: the daemon as a whole */
    char *file;    /* owned: the file with the line that is not in force yet */
    unsigned line;
    char *text; /* owned: what is not in force, as a sentence */
    unsigned kinds;
};

/* Owns its items. All zero is an empty list. */
struct due_list {
    struct due *items;
    size_t n_items;
    unsigned kinds; /* of all items together */
};

/* Adds an item. Without memory it is left out. */
void due_add(struct due_list *list, const char *service, const struct origin *origin,
             unsigned kinds, const char *format, ...) _printf_(5, 6);

/* The command for these kinds: "" for none; a reload, if that is enough; else "dispatcherctl
 * apply", which takes the steps in the order that systemd needs. */
const char *due_command_of(unsigned kinds);

bool due_has_service(const struct due_list *list, const char *service);

/* The command that does all of it; "" if nothing is due. */
const char *due_command(const struct due_list *list);

/* Adds a warning for each item. */
void due_add_problems(const struct due_list *list, struct problem_list *problems);

/* Whether both lists require the same. */
bool due_equal(const struct due_list *a, const struct due_list *b);

/* Frees all it owns; the list is empty afterwards. */
void due_clear(struct due_list *list);
