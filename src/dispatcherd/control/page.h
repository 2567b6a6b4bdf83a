/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Recognizes dispatcherd-web(8) among the clients without rights. */
#pragma once

#include <stdbool.h>

/* True if the peer of a connection belongs to the unit of dispatcherd-web. The kernel says so by
 * the peer's control group; an unprivileged process cannot move itself into that of a system unit,
 * so nobody can pose as the page. */
bool control_page_is_peer(int fd);
