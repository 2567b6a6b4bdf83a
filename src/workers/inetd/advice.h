/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Why a command cannot be executed: what of the worker's unit is the likely cause. */
#pragma once

#include <stdbool.h>

#define ADVICE_MAX 400

/* Writes a phrase for the administrator, for the errno of execve(2). Returns `text`. */
const char *advice_for(const char *program, int error, char text[ADVICE_MAX]);

/* True if the program has a set-user-ID or set-group-ID bit that does nothing here, because the
 * unit has NoNewPrivileges=yes. */
bool advice_loses_privileges(const char *program);
