/* The end of a worker: sent away, given up, or gone. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Lets it finish its sessions and exit: no more connections for it. `limit_sec` is the time for
 * the sessions. With REASON_STOPPING they are asked to hurry. */
void worker_retire(struct worker *worker, enum decision_reason reason, unsigned limit_sec);

/* It is a draining one for the pool, unless it is already. */
void worker_set_draining(struct worker *worker);

/* Sends (again) the order to drain that the channel may not have taken at once. */
void worker_send_drain(struct worker *worker);

/* The service stops: workers that drain already are told that their sessions are to hurry. */
void workers_hurry(struct service *service);

/* It has said that it takes no more connections. */
void worker_says_it_drains(struct worker *worker);

/* Gives it up because of `reason` (a literal): closes its channel, and kills it where it is our
 * child. Connections in hand-off go back to the queue once the process is gone, so that none is
 * served twice; its sessions count until then. */
void worker_give_up(struct worker *worker, const char *reason, const char *message_id);

/* Gives it up because it has broken the protocol. */
void worker_lied(struct worker *worker, const char *how);

/* Its channel has ended: it is exiting, or broken. */
void worker_channel_ended(struct worker *worker);

/* Its process is known from now on: watch for its exit. Returns 0 or a negative errno. */
int worker_watch_process(struct worker *worker, pid_t pid, bool is_child);

/* systemd has told why its process has ended, or just ends. The worker may be freed afterwards. */
struct worker_cause;
void worker_take_cause(struct worker *worker, const struct worker_cause *cause);

/* Cuts what is left when the time for stopping is over: kills a child, closes a unit's channel. */
void worker_cut(struct worker *worker);
