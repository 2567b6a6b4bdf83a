/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Calls of sd-event(3) whose results can be ignored, each with the reason. They fail only if the
 * loop has ended, and nothing happens any more, or if it belongs to another process. All other
 * results must be looked at: calls that need memory, or a place in the kernel's epoll set, may fail
 * at any time. */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

/* Turns a source off. This takes it out of the loop's lists and its descriptor out of the epoll
 * set, neither of which can fail for lack of resources. */
void event_source_off(sd_event_source *source);

/* Makes a source of sd_event_add_defer() run once, in the loop's next round. A source keeps its
 * place among the pending ones as long as it lives, so no memory is needed. */
void event_source_defer(sd_event_source *source);

/* Makes the loop wait on a source's descriptor for input only. If the kernel lacks memory for that,
 * the source is called again, and tries again. */
void event_source_await_input(sd_event_source *source);

/* Ends the loop with that exit code, unless it has ended. */
void event_loop_exit(sd_event *event, int code);

/* The exit code that the loop was ended with; 0 if it has none. */
int event_loop_exit_code(sd_event *event);

/* When the loop woke up, by CLOCK_MONOTONIC; the current time if it never did. */
uint64_t event_loop_now(sd_event *event);
