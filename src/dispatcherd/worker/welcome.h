/* Tells a new worker all that it must know (dispatcher-worker(7)). */
#pragma once

#include "dispatcherd/core/worker.h"

/* Sends the welcome, with a ring where it has asked for one, and the log file's descriptor where
 * the service has a LOGFILE. Returns 0 or a negative errno (-EMSGSIZE: the PARAMETERs are too
 * long). A LOGFILE that cannot be opened is reported, and the worker goes on without. */
int welcome_send(struct worker *worker);
