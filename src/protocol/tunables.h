/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A setting of glibc for all workers, whoever starts them. */
#pragma once

#define WORKER_TUNABLES_NAME "GLIBC_TUNABLES"

/* Above each thread's stack, glibc reserves room for thread-local variables of libraries that are
 * loaded later: by default for three more namespaces of dlmopen(3), which makes that block slightly
 * longer than a page. With room for one namespace, the frames of an idle thread are in the same
 * page as the block, so it needs one page instead of two. About 990 bytes are left, more than the
 * 512 that dlopen(3) promises. If a program's libraries need more, they fail with "cannot allocate
 * memory in static TLS block", and its environment must set another value. glibc reads this before
 * the program runs, so the program cannot set it itself. */
#define WORKER_TUNABLES_VALUE "glibc.rtld.nns=2"

#define WORKER_TUNABLES WORKER_TUNABLES_NAME "=" WORKER_TUNABLES_VALUE
