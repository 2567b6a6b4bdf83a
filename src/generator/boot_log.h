/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Logs for a program that systemd runs when there may be no journal yet, and that must never wait
 * for one. Lines go to the kernel's log; if there is none, as in a container, to the journal, if
 * that takes them at once; or else to standard error. */
#pragma once

#include "base/macro.h"

#include <syslog.h>

/* For a program that a person runs by hand: all lines go to standard error. */
void boot_log_by_hand(void);

/* Logs one line at a priority of syslog.h. The text is cut at 2048 bytes. */
void boot_log(int priority, const char *format, ...) _printf_(2, 3);
