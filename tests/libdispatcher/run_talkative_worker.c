/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The talkative worker as a program of its own, on the shared library; with an argument the one
 * that serves by events. */
#include "libdispatcher/talkative_worker.h"

#include "base/macro.h"

int main(int argc, _unused_ char *argv[])
{
    return -dispatcher_worker_run(argc > 1 ? &taking_worker : &talkative_worker, 0);
}
