/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Finds the service of a listening socket that was not passed by one of our socket units: by the
 * socket's name or, if it has none, by its address and port. */
#pragma once

#include "base/address.h"
#include "dispatcherd/core/service.h"

#include <stdbool.h>

/* The service for the name NAME or NAME-tls, without regard to case; NULL if there is none. */
struct service *socket_match_name(struct service *const services[], size_t n_services,
                                  const char *name, bool *ret_is_tls);

/* True if the name was not chosen: sd_listen_fds_with_names(3) returns "unknown" if there is none,
 * and "NAME.socket" is the default of FileDescriptorName= (systemd.socket(5)). */
bool socket_match_is_unnamed(const char *name);

/* The service for this address and port: the one with that INTERFACE_ADDRESS, or else one without
 * INTERFACE_ADDRESS. NULL if there is none. */
struct service *socket_match_address(struct service *const services[], size_t n_services,
                                     const struct address *address, bool *ret_is_tls);
