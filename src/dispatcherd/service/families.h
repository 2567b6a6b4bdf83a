/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether a service that listens at all addresses of one family also does so for the other. A
 * socket unit with BindIPv6Only=ipv6-only, for instance, loses IPv4 with a plain "ListenStream=25".
 */
#pragma once

#include "dispatcherd/core/service.h"

/* Reports each port of the service that is not open in one of the families. Returns whether there
 * is one. */
bool families_compare(const struct service *service);
