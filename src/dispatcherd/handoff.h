/* Passes a connection on to the worker that was chosen, and takes it back where that fails. */
#pragma once

#include "dispatcherd/worker.h"

/* Sends the connection that waits longest. Where the worker's channel is full the connection goes
 * on waiting, and the worker gets nothing more until it has read. */
void handoff_send(struct service *service, struct worker *worker);

/* The worker has taken it over: our copy is closed. */
void handoff_acknowledged(struct connection *connection);

/* The worker does not want it: it waits again, in front of all others. */
void handoff_refused(struct connection *connection);
