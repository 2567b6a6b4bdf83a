/* Notices clients that go away while their connection waits for a worker. */
#pragma once

#include "dispatcherd/service.h"

/* Watches every waiting connection that is not watched yet. Connections that are handed over at
 * once never get here. */
void hangup_watch_waiting(struct service *service);
