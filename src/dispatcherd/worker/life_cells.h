/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The cells of the table in life.c; only for life*.c. Each is called with a worker whose state has
 * this cell in the table. */
#pragma once

#include "dispatcherd/worker/life.h"

typedef void life_cell(struct worker *worker, const struct worker_happening *how);

/* The only place where the state changes, and with it the time limit. */
void life_enter(struct worker *worker, enum worker_state next);

/* Gives it up, like worker_give_up(). */
void life_fault(struct worker *worker, const char *reason, const char *message_id);

/* life_working.c */
life_cell life_greet;
life_cell life_twice; /* hello */
life_cell life_answer;
life_cell life_hold;
life_cell life_unasked; /* answer, held */
life_cell life_get_ready;
life_cell life_untimely;   /* ready */
life_cell life_note_drain; /* stays in its state */
life_cell life_drain;
life_cell life_late;
life_cell life_silent;
life_cell life_handoffs; /* whether they were acknowledged in time */

/* life_leaving.c */
life_cell life_close;
life_cell life_give_up;
life_cell life_retire;
life_cell life_turn_away; /* retired before it was ready */
life_cell life_hurry;
life_cell life_cut;
life_cell life_look_drain;
life_cell life_stuck;
life_cell life_exit;
life_cell life_cause;
life_cell life_end_cause;
life_cell life_end;
life_cell life_look_unit;
