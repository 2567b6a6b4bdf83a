/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The pace at which a listener's clients come, and what follows from it.
 *
 * If they come one by one, asking for another one after each is a system call in vain; if
 * they come in bursts, not asking costs a wake-up for each. So a listener asks as long as that was
 * of use the last time, or as clients come in quick succession.
 *
 * In a burst it pays, too, to let others run before we accept: on a busy machine those are our
 * workers and our clients, and what has come by then is accepted, and handed over, in one go. If
 * too few were let in for the time that it took, others than those have had the processor, or the
 * burst is a flood of clients that are turned away: then we do not yield for a while. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* All zero to begin with. Times are CLOCK_MONOTONIC, in microseconds. */
struct pace {
    bool is_quick;       /* a burst */
    unsigned n_accepted; /* since the last wake-up */
    uint64_t n_admitted; /* before it */
    uint64_t woken_at;
    uint64_t yielded_usec;   /* since then; 0: not at all */
    uint64_t patience_usec;  /* how long we did not yield the last time that it had been in vain */
    uint64_t yield_again_at; /* 0: at any time */
};

/* A client has come; `n_admitted` were let in so far. Returns true if others should run first:
 * then pace_yielded() follows. */
bool pace_woken(struct pace *pace, uint64_t now, uint64_t n_admitted);

/* Others have run until now. */
void pace_yielded(struct pace *pace, uint64_t now);

/* A connection was accepted. Returns true if one should ask for another one at once. */
bool pace_accepted(struct pace *pace);
