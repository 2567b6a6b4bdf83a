/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The password of a fleet's store: the credential fleet.password (systemd.exec(5)). */
#pragma once

#define FLEET_PASSWORD_MAX 513

/* Reads it anew each time, without the line end at its end. Returns 1, 0 if there is none, or a
 * negative errno. */
int fleet_password_read(char password[FLEET_PASSWORD_MAX]);
