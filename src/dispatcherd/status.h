/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The daemon's state in one line that a person reads at a glance. */
#pragma once

#include "dispatcherd/manager.h"

/* Writes for example "SMTP 2/10 workers, 31/500 connections; POP3 cannot start ..." to
 * `text[size]`; what does not fit is cut. Returns `text`. */
const char *status_format(const struct manager *manager, char *text, size_t size);
