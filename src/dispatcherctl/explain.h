/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What went wrong, and what can be done about it, on standard error. */
#pragma once

#include <jansson.h>

/* No connection, or no reply, from the socket `path`; `error` is a negative errno. */
void explain_failure(const char *path, int error);

/* A reply that is an error. */
void explain_error(const json_t *reply);
