/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Finds what is due while the daemon runs: due.h with all that the manager knows. */
#pragma once

#include "dispatcherd/manager.h"

/* Finds what is due. Returns whether that has changed. */
bool due_refresh(struct manager *manager);

/* The same, unless the last result is younger than `max_age_usec`. */
bool due_look(struct manager *manager, uint64_t max_age_usec);
