/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Finds out whether anyone listens at an address, without connecting to it. */
#pragma once

#include <stdbool.h>

/* `listen` is a value of the property Listen of a socket unit, as systemctl prints it: "[::]:25
 * (Stream)", "/run/dispatcherd-worker/smtp (SequentialPacket)". Returns false only if it is certain
 * that nobody listens there. */
bool listening_is_held(const char *listen);
