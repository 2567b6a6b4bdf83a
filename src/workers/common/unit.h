/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The name of the workers' unit of a service, for advice in log lines: "systemctl edit NAME". */
#pragma once

/* A service's name has up to 32 characters (dispatcher.cnf(5)). */
#define UNIT_NAME_MAX 64

/* Writes "dispatcherd-SERVICE-worker@.service", in lower case. Returns `name`. */
const char *unit_name(const char *service, char name[UNIT_NAME_MAX]);
