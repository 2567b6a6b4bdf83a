/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How long a service's name may be (dispatcher.cnf(5)): it is part of the names of units, sockets
 * and files. The daemon, its clients and the workers' library agree on it. */
#pragma once

#define SERVICE_NAME_MAX 32

/* The same as text, for the formats of sscanf(3). */
#define SERVICE_NAME_MAX_TEXT "32"
