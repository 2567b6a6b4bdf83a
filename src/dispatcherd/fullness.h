/* Tells the administrator once that a service is full, and once that it has room again. */
#pragma once

#include "dispatcherd/service.h"

/* Looks at what the policy says of accepting. Returns when it wants to look again
 * (USEC_INFINITY: only after a change). */
uint64_t fullness_tell(struct service *service, enum accept_verdict verdict, uint64_t now);
