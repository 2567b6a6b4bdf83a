#include "dispatcherd/status.h"

#include "base/str.h"
#include "dispatcherd/access.h"

static void add_service(struct str_buffer *line, const struct service *service)
{
    const struct pool *pool = service->pool;

    str_buffer_add(line, "%s", service->options->name);
    if (service->start_error[0] && pool->n_ready == 0)
        str_buffer_add(line, " cannot start a worker: %s", service->start_error);
    else
        str_buffer_add(line, " %u/%u workers, %u/%lu connections", pool_total(pool),
                       service->pool_options.max_procs, pool->n_active + pool->n_handoffs,
                       service_places(service));
    if (pool->n_waiting > 0)
        str_buffer_add(line, ", %u waiting", pool->n_waiting);
    if (pool->n_draining > 0)
        str_buffer_add(line, ", %u draining", pool->n_draining);
    if (service->full_since > 0)
        str_buffer_add(line, ", full");
    if (service->n_listeners == 0 && !pool->is_stopping)
        str_buffer_add(line, ", no socket");
}

static void add_ill_lists(struct str_buffer *line, const struct access *access)
{
    const struct dns_zone *zone = NULL;
    struct dns_zone_figures figures;

    while (access && (zone = dns_lists_next_zone(access->lists, zone, &figures)))
        if (figures.is_set_aside)
            str_buffer_add(line, "DNS list %s is set aside; ", figures.zone);
}

const char *status_format(const struct manager *manager, char *text, size_t size)
{
    struct str_buffer line = str_buffer_init(text, size);

    if (manager->is_on_last_config)
        str_buffer_add(&line, "dispatcher.cnf is broken, the last good one is in force; ");
    add_ill_lists(&line, manager->context.access);
    for (size_t i = 0; i < manager->n_services; i++) {
        if (i > 0)
            str_buffer_add(&line, "; ");
        add_service(&line, manager->services[i]);
    }
    return text;
}
