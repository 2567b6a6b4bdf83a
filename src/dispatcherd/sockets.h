/* Where a service's listening sockets come from: the service manager, by name, or our own bind().
 */
#pragma once

#include "dispatcherd/passed.h"
#include "dispatcherd/service.h"

/* Gives each socket that the service manager passed to the service that its name says: NAME, or
 * NAME-tls for TLS_PORT; one without a name to the service of its address and port. Says which fit
 * no service, which services got none, and where an address is not the one of dispatcher.cnf. */
void sockets_take_passed(struct service *const services[], size_t n_services,
                         struct passed *passed);

/* Says again where the service's passed sockets are not what dispatcher.cnf says. Returns whether
 * there is such a place. */
bool sockets_compare(const struct service *service);

/* After a change of the options of a service that binds itself: closes what is no longer wanted,
 * binds what is lacking. Returns as sockets_bind(). */
int sockets_rebind(struct service *service);

/* Binds PORT and TLS_PORT of the service at INTERFACE_ADDRESS, or at all addresses of both
 * families. What fails is told. Returns 0 or the negative errno of what failed last. */
int sockets_bind(struct service *service);
