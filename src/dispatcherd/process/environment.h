/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The environment of a worker that dispatcherd starts itself: what any program needs to find its
 * files and to use the administrator's language, and nothing that is meant for dispatcherd alone.
 * What systemd, a container or a shell has set for dispatcherd may be confidential, and workers
 * talk to strangers. */
#pragma once

/* Returns an array that ends with NULL, or NULL without memory. The caller frees the array; its
 * strings are not copies. */
char **worker_environment_new(void);
