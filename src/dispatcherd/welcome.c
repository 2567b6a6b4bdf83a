#include "dispatcherd/welcome.h"

#include "base/fd.h"
#include "dispatcherd/context.h"
#include "dispatcherd/logfile.h"
#include "dispatcherd/message_ids.h"
#include "dispatcherd/report.h"
#include "protocol/channel.h"
#include "protocol/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int open_log(struct worker *worker)
{
    const struct service_options *options = worker->service->options;
    struct context *context = worker->service->context;

    if (!options->logfile)
        return -1;
    int fd = logfile_open(options->logfile, context->host_name, worker->pid);
    if (fd < 0) {
        struct subject subject = worker_subject(worker, MESSAGE_ID_LOGFILE_FAILED);

        report(LOG_ERR, &subject, "cannot open LOGFILE %s: %s; worker %d logs to the journal",
               options->logfile, strerror(-fd), (int)worker->pid);
    }
    return fd;
}

int welcome_send(struct worker *worker)
{
    const struct service_options *options = worker->service->options;
    _cleanup_str_ char *bytes = malloc(MESSAGE_BYTES_MAX);

    if (!bytes)
        return -ENOMEM;
    struct message_text text = message_text_start(bytes, MESSAGE_BYTES_MAX, MESSAGE_WELCOME);
    message_text_add_number(&text, "VERSION", PROTOCOL_VERSION);
    message_text_add(&text, "SERVICE", options->name);
    message_text_add_number(&text, "SLOT", worker->slot);
    message_text_add_number(&text, "MAX_CONNS", options->max_conns);
    message_text_add_number(&text, "MAX_LIFE_CONNS", options->max_life_conns);
    message_text_add_number(&text, "STACKSIZE", options->stacksize_bytes);
    message_text_add_number(&text, "DEBUG", options->debug);
    message_text_add_number(&text, "DRAIN_LIMIT", worker->service->context->stop_limit_sec);
    message_text_add(&text, "HOST_NAME", worker->service->context->host_name);
    for (size_t i = 0; i < options->parameters.n_items; i++)
        message_text_add(&text, "PARAMETER", options->parameters.items[i]);
    if (text.is_too_long)
        return -EMSGSIZE;
    _cleanup_fd_ int log = open_log(worker);
    worker_tell_packet(worker, MESSAGE_WELCOME, 0);
    return channel_send(worker->channel, bytes, text.length, &log, log >= 0 ? 1 : 0);
}
