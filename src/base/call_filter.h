/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A filter of system calls that a process installs for itself before it reads what strangers send.
 *
 * A unit's filter (SystemCallFilter=) knows only names of calls; this one looks at arguments too.
 * It sees numbers, not the memory that a pointer refers to: so connect() is forbidden for all
 * families or for none. */
#pragma once

enum call_filter {
    CALL_FILTER_LINGER = 1 << 0,  /* setting SO_LINGER, which makes close() wait (socket(7)) */
    CALL_FILTER_CONNECT = 1 << 1, /* connect(), bind() and listen(), on sockets of any kind */
};

/* Forbids these (an OR of enum call_filter) to the calling thread and its children, for good: they
 * fail with EPERM. So does io_uring, which would bypass the filter. The process needs no_new_privs
 * (prctl(2)) or CAP_SYS_ADMIN. Returns 0, -EOPNOTSUPP on a machine that this was not written for,
 * or another negative errno. */
int call_filter_install(unsigned what);
