/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which service a listening socket belongs to that somebody else than our socket units passed: by
 * its name, or without one by its address and port. */
#pragma once

#include "base/address.h"
#include "dispatcherd/core/service.h"

#include <stdbool.h>

/* The service that is named NAME or NAME-tls, without regard to case; NULL if there is none. */
struct service *socket_match_name(struct service *const services[], size_t n_services,
                                  const char *name, bool *ret_is_tls);

/* True if nobody chose the name: "unknown" is what sd_listen_fds_with_names(3) says if there is
 * none, "NAME.socket" the default of FileDescriptorName= (systemd.socket(5)). */
bool socket_match_is_unnamed(const char *name);

/* The service that listens at this address and port: the one whose INTERFACE_ADDRESS it is, or one
 * without INTERFACE_ADDRESS. NULL if there is none. */
struct service *socket_match_address(struct service *const services[], size_t n_services,
                                     const struct address *address, bool *ret_is_tls);
