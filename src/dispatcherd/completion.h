/* The end of a connection that a worker had: counted here, whatever ended it. */
#pragma once

#include "dispatcherd/connection.h"

/* The worker says that it has served it. */
void completion_ended(struct connection *connection, uint64_t now);

/* Its worker is gone. */
void completion_broken(struct connection *connection, uint64_t now);
