/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How many descriptors a worker may have. The soft limit is low for the sake of programs that use
 * select(2), which no worker here does. */
#pragma once

#include <dispatcher/worker.h>

#include <sys/resource.h>

/* Raises the soft limit, unless it is enough, for MAX_CONNS sessions with `n_a_session` descriptors
 * each and `n_others`. If that cannot be, logs what gives more. Returns the limit as it was, for
 * programs that this one starts. */
struct rlimit descriptors_allow(dispatcher_worker *worker, unsigned n_a_session, unsigned n_others);
