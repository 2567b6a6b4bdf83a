/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The environment of a worker that is started by dispatcherd itself: what any program needs to find
 * its files and to speak the administrator's language, and nothing that concerns dispatcherd
 * alone. What systemd, a container or a shell has told dispatcherd is not for a program that talks
 * to strangers. */
#pragma once

/* Returns an array that ends with NULL, or NULL without memory. The caller frees the array; its
 * strings are not copies. */
char **worker_environment_new(void);
