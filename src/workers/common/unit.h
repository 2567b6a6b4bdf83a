/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The unit of a service's workers, for advice in log lines: "systemctl edit NAME". */
#pragma once

/* A service's name has 32 characters at the most (dispatcher.cnf(5)). */
#define UNIT_NAME_MAX 64

/* Writes "dispatcherd-SERVICE-worker@.service", in lower case. Returns `name`. */
const char *unit_name(const char *service, char name[UNIT_NAME_MAX]);
