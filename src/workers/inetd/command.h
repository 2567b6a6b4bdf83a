/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* COMMAND=: a command line with the quoting of systemd's ExecStart= (systemd.service(5), COMMAND
 * LINES), and never a shell; and what its specifiers stand for in one session. */
#pragma once

#include "base/str.h"

#include <stdint.h>

/* The words without their quotes, in which specifiers still stand: %a, %p, %i, %l, %n, %c, %%. */
struct command {
    struct str_list words; /* the first is the program's absolute path, without specifiers */
};

/* What the specifiers stand for. */
struct command_facts {
    const char *client_host;   /* %a */
    const char *local_host;    /* %i */
    const char *service;       /* %n */
    const char *connection_id; /* %c */
    const char *identity;      /* for the environment; "": not known */
    uint16_t client_port;      /* %p */
    uint16_t local_port;       /* %l */
};

/* Room for what command_parse() has to say, with its NUL. */
#define COMMAND_HINT_MAX 512

/* Returns 0; -ENOMEM; or -EINVAL with a phrase that says what would be right in `hint`. */
int command_parse(const char *line, struct command *ret, char hint[COMMAND_HINT_MAX]);

void command_clear(struct command *command);

/* The arguments of one session, ended by NULL, in one piece of memory that the caller frees; NULL
 * if there is none. */
char **command_expand(const struct command *command, const struct command_facts *facts);
