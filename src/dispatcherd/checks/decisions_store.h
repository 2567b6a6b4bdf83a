/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Keeps the log of access control's decisions in the service manager's store, so that decisions
 * from before a restart or crash can be explained after it. */
#pragma once

#include "access/decisions.h"

/* Finds the log in a memfd that a predecessor left, and takes over *fd. Returns NULL if there is no
 * usable log in it. The caller frees the log. */
struct decisions *decisions_store_open(int *fd);

/* Makes an empty log, and puts it into the store as `name`. Returns 0 with *ret, which the caller
 * frees, or a negative errno. If it could not be stored, it works all the same, and
 * *ret_store_error is a negative errno (0 otherwise). */
int decisions_store_new(const char *name, struct decisions **ret, int *ret_store_error);
