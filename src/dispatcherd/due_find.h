/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is due of a daemon that runs: due.h with all that the manager knows. */
#pragma once

#include "dispatcherd/manager.h"

/* Finds anew what is due. Returns whether that has changed. */
bool due_refresh(struct manager *manager);

/* The same, unless it was found a moment ago. */
bool due_look(struct manager *manager, uint64_t max_age_usec);
