/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A service is under stress while nearly all its places are taken. Its workers are told, so that
 * slow clients do not keep places for which others wait; when it is over, they are told again.
 *
 *            4/5 of the places are taken
 *      calm ------------------------------> under stress
 *           <------------------------------
 *            no more than 3/5 for ten seconds */
#pragma once

#include "dispatcherd/core/worker.h"

/* Looks at the service after each change. Returns when to look again; USEC_INFINITY: only after a
 * change. */
uint64_t stress_look(struct service *service, uint64_t now);

/* The worker is ready: reports the state to it, unless that is what it assumes. To an adopted
 * worker, our predecessor may have reported another state. */
void stress_tell_ready(struct worker *worker);

/* Its channel was full, and has room again. */
void stress_send_again(struct worker *worker);
