/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Looks after the processes of all sessions while there are any: who has more than a session may
 * have is ended before the others find no place for theirs, and what a session has left behind is
 * reaped. A thread of its own, which sleeps while nothing is served. */
#pragma once

#include <dispatcher/worker.h>

#include <stdatomic.h>
#include <stdint.h>

/* A session, in the keeper's list while it has a program. Owned by its thread. */
struct kept {
    uint64_t mark;
    dispatcher_connection *connection;
    _Atomic unsigned
        n_processes_at_end; /* it had so many when it was ended for that; 0: it was not */
    struct kept *next, *previous;
};

/* Returns 0 or a negative errno. */
int keeper_start(uint64_t max_processes);

/* After the last session. */
void keeper_stop(void);

void keeper_add(struct kept *kept);
void keeper_remove(struct kept *kept);

/* No process could be made: whoever has the most is looked for at once. */
void keeper_hurry(void);
