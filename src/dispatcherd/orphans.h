/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Processes whose parent has ended become children of process 1, which has to reap them (wait(2)).
 * In a container that process may be dispatcherd. */
#pragma once

struct manager;

/* Starts reaping if this is process 1. Workers are left alone: worker/life.h reaps them. Returns 0
 * or a negative errno. */
int orphans_start(struct manager *manager);

void orphans_end(struct manager *manager);
