/* Where a service's listening sockets come from: the service manager, by name, or our own bind().
 */
#pragma once

#include "dispatcherd/service.h"

/* Gives each socket that the service manager passed (LISTEN_FDS) to the service that its name
 * says: NAME, or NAME-tls for TLS_PORT. Says which fit no service, which services got none, and
 * where an address is not the one of dispatcher.cnf. Returns the number of descriptors passed, 0
 * where there was no service manager, or a negative errno. */
int sockets_take_passed(struct service *const services[], size_t n_services);

/* Binds PORT and TLS_PORT of the service at INTERFACE_ADDRESS, or at all addresses of both
 * families. What fails is told. Returns 0 or the negative errno of what failed last. */
int sockets_bind(struct service *service);
