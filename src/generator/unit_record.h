/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Records of what a unit said when it was started: a socket keeps the options with which it was
 * opened, whatever its unit says later, and systemd does not show them. */
#pragma once

#include <stdbool.h>

/* RuntimeDirectory= of dispatcherd-sockets.service. */
#define UNIT_RECORD_DIR "/run/dispatcherd-sockets"

/* Writes the record of the start `invocation` (InvocationID= of systemctl(1)). Returns 0 or a
 * negative errno. */
int unit_record_write(const char *name, const char *invocation, const char *text);

/* Reads it. Returns 0 with *ret_text, to be freed; -ENOENT if there is no record of that start; or
 * another negative errno. */
int unit_record_read(const char *name, const char *invocation, char **ret_text);

/* What the unit says by the files as they are now (unit_settings_text()), with the generator's part
 * from the last daemon-reload. To be freed; NULL if there is none. */
char *unit_record_text(const char *name);
