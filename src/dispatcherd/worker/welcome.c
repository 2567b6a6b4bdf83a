#include "dispatcherd/worker/welcome.h"

#include "base/fd.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/worker/ring.h"
#include "dispatcherd/worker/worker_log.h"
#include "protocol/channel.h"
#include "protocol/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int welcome_send(struct worker *worker)
{
    const struct service_options *options = worker->service->options;
    _cleanup_str_ char *bytes = malloc(MESSAGE_BYTES_MAX);
    _cleanup_fd_ int ring = -1;

    if (!bytes)
        return -ENOMEM;
    reserve_release(&worker->service->context->reserve);
    struct message_text text = message_text_start(bytes, MESSAGE_BYTES_MAX, MESSAGE_WELCOME);
    message_text_add_number(&text, "VERSION", PROTOCOL_VERSION);
    message_text_add(&text, "SERVICE", options->name);
    message_text_add_number(&text, "SLOT", worker->slot);
    message_text_add_number(&text, "MAX_CONNS", options->max_conns);
    message_text_add_number(&text, "MAX_LIFE_CONNS", options->max_life_conns);
    message_text_add_number(&text, "STACKSIZE", options->stacksize_bytes);
    message_text_add_number(&text, "DEBUG", options->debug);
    message_text_add_number(&text, "DRAIN_LIMIT", worker->service->context->stop_limit_sec);
    message_text_add_number(&text, "ALERT", 1);
    message_text_add(&text, "HOST_NAME", worker->service->context->host_name);
    for (size_t i = 0; i < options->parameters.n_items; i++)
        message_text_add(&text, "PARAMETER", options->parameters.items[i]);
    int r = worker->has_asked_ring ? worker_ring_open(worker, &ring) : 0;
    if (r < 0)
        return r;
    if (ring >= 0)
        message_text_add_number(&text, "RING", worker->ring.n_entries);
    if (text.is_too_long)
        return -EMSGSIZE;
    _cleanup_fd_ int log = worker_log_open(worker);
    int fds[2];
    size_t n_fds = 0;
    if (ring >= 0)
        fds[n_fds++] = ring;
    if (log >= 0)
        fds[n_fds++] = log;
    worker_tell_packet(worker, MESSAGE_WELCOME, 0);
    return channel_send(worker->channel, bytes, text.length, fds, n_fds);
}
