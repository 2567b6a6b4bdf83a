/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether a service that listens at all addresses of one family does so at those of the other: a
 * socket unit that says BindIPv6Only=ipv6-only loses IPv4 with a plain "ListenStream=25". */
#pragma once

#include "dispatcherd/core/service.h"

/* Reports each port of the service's sockets that one family cannot reach. Returns whether there is
 * one. */
bool families_compare(const struct service *service);
