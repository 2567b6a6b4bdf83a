/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The log of access control's decisions in the service manager's store: what was decided before a
 * restart, or a crash, can be explained after it. */
#pragma once

#include "access/decisions.h"

/* Finds the log in a memfd that a predecessor left. Takes over *fd. Returns NULL if it is none that
 * can be used; the caller frees the log. */
struct decisions *decisions_store_open(int *fd);

/* Makes an empty log and puts it into the store as `name`. Returns 0 with *ret, which the caller
 * frees, or a negative errno. That it could not be stored is no error: *ret_store_error is then a
 * negative errno, 0 otherwise. */
int decisions_store_new(const char *name, struct decisions **ret, int *ret_store_error);
