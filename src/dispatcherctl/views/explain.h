/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reports on standard error what went wrong, and what can be done about it. */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* Room for any of the texts; what a daemon says may be cut. */
#define EXPLAIN_TEXT_MAX 1024

/* There was no connection to the socket `path`, or no reply; `error` is a negative errno. */
void explain_failure(const char *path, int error);

/* The reply is an error. */
void explain_error(const json_t *reply);

/* The same reasons as a text in one line, whose bytes may be any. */
void explain_failure_text(const char *path, int error, char text[], size_t size);
void explain_error_text(const json_t *reply, char text[], size_t size);
