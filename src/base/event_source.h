/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Calls of sd-event(3) whose result is of no use, each with the reason. They fail for a loop that
 * has ended, in which nothing happens any more, or that belongs to another process. All other
 * results are to be looked at: what needs memory, or a place in the kernel's epoll set, may fail
 * any time. */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

/* Turns a source off: that takes it out of the loop's lists, and its descriptor out of the epoll
 * set, and needs nothing. */
void event_source_off(sd_event_source *source);

/* Has a source of sd_event_add_defer() run once, in the loop's next round. Its place among what is
 * pending is its own as long as it lives. */
void event_source_defer(sd_event_source *source);

/* Ends the loop with that code, unless it has ended. */
void event_loop_exit(sd_event *event, int code);

/* The code that a loop was ended with; 0 if nobody gave one. */
int event_loop_exit_code(sd_event *event);

/* When the loop woke up, by CLOCK_MONOTONIC; the time now if it never did. */
uint64_t event_loop_now(sd_event *event);
