/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The talkative worker as a program of its own, on the shared library. */
#include "libdispatcher/talkative_worker.h"

int main(void)
{
    return -dispatcher_worker_run(&talkative_worker, 0);
}
