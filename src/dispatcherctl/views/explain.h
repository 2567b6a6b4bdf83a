/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reports on standard error what went wrong, and what can be done about it. */
#pragma once

#include <jansson.h>

/* There was no connection to the socket `path`, or no reply; `error` is a negative errno. */
void explain_failure(const char *path, int error);

/* The reply is an error. */
void explain_error(const json_t *reply);
