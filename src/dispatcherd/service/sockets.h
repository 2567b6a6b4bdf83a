/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Where a service's listening sockets come from: from the service manager, by their names, or from
 * our own bind(). */
#pragma once

#include "dispatcherd/core/service.h"
#include "dispatcherd/service/spare_sockets.h"
#include "dispatcherd/store/inherited.h"

/* Gives each socket that the service manager passed to the service that it is named after, or to
 * `spare` if there is none; a socket without a name goes to the service with its address and port.
 * Reports sockets that belong to no service, services without sockets, and addresses that differ
 * from dispatcher.cnf. */
void sockets_take_passed(struct service *const services[], size_t n_services,
                         struct spare_sockets *spare, sd_event *event, struct inherited *inherited);

/* Reports again if the service's passed sockets differ from dispatcher.cnf. Returns whether they
 * do. */
bool sockets_compare(const struct service *service);

/* After the options of a service that binds its sockets have changed: closes those that are no
 * longer wanted. sockets_bind() binds the missing ones, but only after all services have closed
 * theirs, since ports may have moved between services. */
void sockets_close_unwanted(struct service *service);

/* Sets BACKLOG on passed sockets, unless the administrator has changed their unit, and so decides
 * about it. */
void sockets_set_backlog(struct service *service);

/* Finds an address at which a service that binds its sockets should listen and does not. If all
 * addresses of the host are meant, that is the one of IPv4, which each host has. Returns false if
 * there is none. */
bool sockets_find_missing(const struct service *service, struct address *ret);

/* Binds PORT and TLS_PORT of the service at INTERFACE_ADDRESS, or at all addresses of both
 * families, unless it listens there already. Failures are reported. Returns 0, or the negative
 * errno of the last failure. */
int sockets_bind(struct service *service);
