/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The environment of a session's program: what UCSPI and systemd's Accept=yes give, and what ENV=
 * adds. Nothing is inherited. */
#pragma once

#include "workers/inetd/command.h"
#include "workers/tls/facts.h"

#include <stdbool.h>

/* `tls` is what is known of a session whose TLS ended here, or NULL: what Apache's mod_ssl gives
 * its programs. Returns the environment, ended by NULL, in one piece of memory that the caller
 * frees; NULL if there is none. The settings of `added`, "NAME=value", come last. */
char **environment_make(const struct command_facts *facts, bool is_unix,
                        const struct tls_facts *tls, const struct str_list *added);
