/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* This host's name, in a form that may be part of a greeting, a header or a file's name. */
#pragma once

#include <limits.h>

/* The kernel allows names of HOST_NAME_MAX bytes without the NUL (gethostname(2)). */
#define HOST_NAME_BYTES (HOST_NAME_MAX + 1)

/* Each reads the name into `name`, and returns that: "localhost" if the host has none. A "-"
 * replaces each byte that is no letter, digit, hyphen, underscore or dot, since the kernel accepts
 * any, even a newline or a slash. host_name_read_short() cuts it at its first dot. */
const char *host_name_read(char name[HOST_NAME_BYTES]);
const char *host_name_read_short(char name[HOST_NAME_BYTES]);

/* Does the same to a name that is in `name` already. */
const char *host_name_clean(char name[HOST_NAME_BYTES]);
const char *host_name_shorten(char name[HOST_NAME_BYTES]);
