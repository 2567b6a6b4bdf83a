/* Notices clients that go away before a worker has their connection. */
#pragma once

#include "dispatcherd/core/service.h"

/* Watches every waiting connection that is not watched yet. Connections that are handed over at
 * once never get here. */
void hangup_watch_waiting(struct service *service);

/* Whether these events mean that the client is gone. One that has closed its side without having
 * sent a byte asks for nothing; one that has sent something may have closed only its sending side,
 * and waits for an answer. */
bool hangup_is_gone(const struct connection *connection, uint32_t events);
