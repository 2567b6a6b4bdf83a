/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A filter of system calls that a process puts on itself before it reads what strangers send.
 *
 * The filter of a unit (SystemCallFilter=) knows names of calls alone, this one looks at arguments
 * too. It sees numbers, not what a pointer points to: so connect() is forbidden for all families or
 * for none. */
#pragma once

enum call_filter {
    CALL_FILTER_LINGER = 1 << 0,  /* setting SO_LINGER, with which a close waits (socket(7)) */
    CALL_FILTER_CONNECT = 1 << 1, /* connect(), bind() and listen(), on sockets of any kind */
};

/* Forbids these (an OR of enum call_filter) to the calling thread and to whatever it starts, for
 * ever: they fail with EPERM; io_uring, which goes around any filter, too. The process needs
 * no_new_privs (prctl(2)) or CAP_SYS_ADMIN. Returns 0, -EOPNOTSUPP on a machine that this was not
 * written for, or another negative errno. */
int call_filter_install(unsigned what);
