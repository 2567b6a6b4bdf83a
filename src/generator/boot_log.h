/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Log lines of a program that systemd runs before there may be a journal, and that must never wait
 * for one: to the kernel's log, else (a container has none) to the journal if it takes the line at
 * once, else to standard error. */
#pragma once

#include "base/macro.h"

#include <syslog.h>

/* For a program that a person runs by hand: everything to standard error. */
void boot_log_by_hand(void);

/* One line at a priority of syslog.h. Longest text 2048 bytes; the rest is cut. */
void boot_log(int priority, const char *format, ...) _printf_(2, 3);
