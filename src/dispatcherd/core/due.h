/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What an administrator still has to do so that all of dispatcher.cnf is in force, with the
 * commands for it. A list of that, as plain data: units_due.h finds what systemd lacks, due_find.h
 * the rest.
 */
#pragma once

#include "base/str.h"
#include "config/options.h"
#include "files/problem.h"

/* Kinds of commands, as bits. */
enum {
    DUE_DAEMON_RELOAD = 1 << 0, /* systemd has to run the generator and read its units */
    DUE_RESTART = 1 << 1,       /* dispatcherd has to be restarted: sockets are passed to it then */
    DUE_RELOAD = 1 << 2,        /* dispatcherd has to read its configuration again */
};

struct due {
    char *service; /* owned: the name; NULL: the daemon as a whole */
    char *file;    /* owned: where dispatcher.cnf says what is not in force yet */
    unsigned line;
    char *text;    /* owned: what is not in force, as a sentence */
    char *command; /* owned */
};

/* Owns its items. All zero is an empty list. */
struct due_list {
    struct due *items;
    size_t n_items;
    unsigned kinds;          /* of all commands together */
    struct str_list sockets; /* units that have to be restarted with dispatcherd.service */
};

/* Longest command, with its NUL: what names more sockets is cut. */
#define DUE_COMMAND_MAX 1024

/* Adds one. `sockets` are the socket units that have to be restarted with the daemon; NULL: none.
 * Out of memory it is left out. */
void due_add(struct due_list *list, const char *service, const struct origin *origin,
             unsigned kinds, const struct str_list *sockets, const char *format, ...)
    _printf_(6, 7);

bool due_has_service(const struct due_list *list, const char *service);

/* One line that does all of it. Returns `text`, "" if nothing is due. */
const char *due_command(const struct due_list *list, char text[DUE_COMMAND_MAX]);

/* Adds a warning for each item. */
void due_add_problems(const struct due_list *list, struct problem_list *problems);

/* Whether both lists ask for the same. */
bool due_equal(const struct due_list *a, const struct due_list *b);

/* Frees all it owns; the list is empty afterwards. */
void due_clear(struct due_list *list);
