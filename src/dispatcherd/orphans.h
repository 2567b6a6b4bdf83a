/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Orphans become children of process 1, which has to reap them (wait(2)). In a container,
 * dispatcherd may be process 1. */
#pragma once

struct manager;

/* Starts to reap orphans if this is process 1. Workers are not reaped here, but in worker/life.c.
 * Returns 0 or a negative errno. */
int orphans_start(struct manager *manager);

void orphans_end(struct manager *manager);
