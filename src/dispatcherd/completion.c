#include "dispatcherd/completion.h"

#include "dispatcherd/debug.h"
#include "dispatcherd/report.h"
#include "dispatcherd/service.h"
#include "dispatcherd/worker.h"

static void count(struct connection *connection, uint64_t *counter, const char *how, uint64_t now)
{
    struct service *service = connection->service;
    const uint32_t bits = DEBUG_STATISTICS_EXTRA;

    (*counter)++;
    if (service->options->debug & bits) {
        struct subject subject = {.service = service->options->name,
                                  .worker_pid = connection->worker->pid,
                                  .connection_id = connection->id,
                                  .client = &connection->peer};
        report_debug(service->options->debug, bits, &subject, "connection %s after %llu ms", how,
                     (unsigned long long)(now - connection->accepted_at) / 1000);
    }
    connection_close(connection, now);
}

void completion_ended(struct connection *connection, uint64_t now)
{
    count(connection, &connection->service->statistics->n_ended, "ended", now);
}

void completion_broken(struct connection *connection, uint64_t now)
{
    count(connection, &connection->service->statistics->n_broken, "broken by its worker's end",
          now);
}
