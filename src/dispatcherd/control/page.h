/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Tells dispatcherd-web(8) from others who have no rights. */
#pragma once

#include <stdbool.h>

/* True if the peer of a connection belongs to the unit of the status page. It is asked of the
 * kernel (the peer's control group, which no unprivileged process can leave for a system unit's),
 * so that nobody can pose as the page. */
bool control_page_is_peer(int fd);
