/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Where a service's listening sockets come from: the service manager, by name, or our own bind().
 */
#pragma once

#include "dispatcherd/core/service.h"
#include "dispatcherd/service/spare_sockets.h"
#include "dispatcherd/store/passed.h"

/* Gives each socket that the service manager passed to the service that its name says, or to
 * `spare` if there is none; one without a name to the service of its address and port. Says which
 * fit no service, which services got none, and where an address is not the one of dispatcher.cnf.
 */
void sockets_take_passed(struct service *const services[], size_t n_services,
                         struct spare_sockets *spare, sd_event *event, struct passed *passed);

/* Says again if the service's passed sockets are not what dispatcher.cnf says. Returns whether
 * there is such a place. */
bool sockets_compare(const struct service *service);

/* After a change of the options of a service that binds itself: closes what is no longer wanted.
 * What is lacking then is bound by sockets_bind(), but only when every service has closed its own:
 * they may have swapped their ports. */
void sockets_close_unwanted(struct service *service);

/* Sets BACKLOG on passed sockets, unless the administrator has changed their unit and so decides
 * himself. */
void sockets_set_backlog(struct service *service);

/* Finds an address at which a service that binds itself should listen and does not; of those that
 * stand for all of the host, the one of IPv4, which each host has. Returns false if there is none.
 */
bool sockets_find_missing(const struct service *service, struct address *ret);

/* Binds PORT and TLS_PORT of the service at INTERFACE_ADDRESS, or at all addresses of both
 * families, but for those at which it listens already. What fails is told. Returns 0 or the
 * negative errno of what failed last. */
int sockets_bind(struct service *service);
