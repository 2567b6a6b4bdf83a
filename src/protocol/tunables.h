/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A setting of glibc's that every worker is started with, whoever starts it. */
#pragma once

#define WORKER_TUNABLES_NAME "GLIBC_TUNABLES"

/* Above each thread's stack glibc keeps room for the thread-local variables of libraries that are
 * loaded later: by default for three further namespaces of dlmopen(3), which makes the block a
 * little longer than a page. With room for one, an idle thread's frames lie in the same page as its
 * block, and so it needs one page instead of two. Room for about 990 bytes is left, more than the
 * 512 that dlopen(3) promises; where a program's libraries need more, they are told "cannot
 * allocate memory in static TLS block", and its environment has to say otherwise. glibc reads this
 * before the program runs, so the program cannot say it itself. */
#define WORKER_TUNABLES_VALUE "glibc.rtld.nns=2"

#define WORKER_TUNABLES WORKER_TUNABLES_NAME "=" WORKER_TUNABLES_VALUE
