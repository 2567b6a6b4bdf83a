/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Queries to systemd over the system bus. Opening the bus and each call may block for two seconds,
 * so none of this belongs in the main loop. The one exception is job_ask(), at a stop. The bus is
 * optional: callers must go on without an answer. */
#pragma once

#include <systemd/sd-bus.h>

#define SYSTEMD_BUS_NAME "org.freedesktop.systemd1"
#define SYSTEMD_BUS_PATH "/org/freedesktop/systemd1"

#define _cleanup_systemd_bus_         __attribute__((cleanup(systemd_bus_close)))
#define _cleanup_systemd_bus_message_ __attribute__((cleanup(systemd_bus_message_unref)))

/* Returns 0 with *ret, which the caller closes, or a negative errno. */
int systemd_bus_open(sd_bus **ret);
void systemd_bus_close(sd_bus **bus);
void systemd_bus_message_unref(sd_bus_message **message);

/* Finds the object path of this process's unit, which the caller frees. Returns 0 or a negative
 * errno. sd_pid_get_unit() would need to see processes of other users, which ProtectProc= hides. */
int systemd_bus_find_own_unit(sd_bus *bus, char **ret_path);
