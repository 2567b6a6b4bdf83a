/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A worker for tests: each byte that a client writes is a command.
 *
 *   c  what is known of the connection        t  the thread's number
 *   w  what is known of the worker            d  1 while the worker drains, else 0
 *   m  the debug mask, hexadecimal            f  number of open descriptors
 *   s  the thread's stack size in bytes       p  prints a line on stdout and one on stderr
 *   l  logs a line of the worker and one of the connection
 *   k  the process kills itself               q  the session ends; so it does at end of file
 *
 * All but the last two are answered by one line. */
#pragma once

#include "dispatcher/worker.h"

/* Each connection on a thread of its own, or all of them by an event loop. Tests are made for both:
 * of the one that WORKER_UNDER_TEST names.
 *
 * Both print "stop called" on standard error when the worker ends by itself. */
extern const struct dispatcher_worker_callbacks talkative_worker;
extern const struct dispatcher_worker_callbacks taking_worker;

#ifndef WORKER_UNDER_TEST
#define WORKER_UNDER_TEST talkative_worker
#endif

void talkative_serve(dispatcher_connection *connection, void *userdata);
