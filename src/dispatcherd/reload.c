#include "dispatcherd/reload.h"

#include "base/str.h"
#include "dispatcherd/access.h"
#include "dispatcherd/listener.h"
#include "dispatcherd/message_ids.h"
#include "dispatcherd/operations.h"
#include "dispatcherd/report.h"
#include "dispatcherd/sockets.h"
#include "dispatcherd/units_due.h"
#include "dispatcherd/worker_channel.h"
#include "dispatcherd/worker_log.h"

#include <errno.h>
#include <string.h>

static struct service *find_service(const struct manager *manager, const char *unit_name)
{
    for (size_t i = 0; i < manager->n_services; i++)
        if (!manager->services[i]->is_going &&
            strcmp(manager->services[i]->options->unit_name, unit_name) == 0)
            return manager->services[i];
    return NULL;
}

static void say_problems(const struct problem_list *problems, size_t from)
{
    char text[1024];

    for (size_t i = from; i < problems->n_items; i++) {
        bool is_error = problems->items[i].severity == PROBLEM_ERROR;
        const struct subject subject = {.message_id = is_error ? MESSAGE_ID_CONFIG_REFUSED
                                                               : MESSAGE_ID_CONFIG_WARNING};

        report(is_error ? LOG_ERR : LOG_WARNING, &subject, "%s",
               problem_format(&problems->items[i], text, sizeof(text)));
    }
}

static void update(struct manager *manager, struct service *service, struct config_version *version,
                   const struct service_options *options)
{
    uint32_t debug = service->options->debug;

    service_set_options(service, version, options);
    if (options->debug != debug)
        workers_set_debug(service);
    if (!manager->has_passed_sockets)
        (void)sockets_rebind(service);
    worker_logs_watch(service);
    worker_logs_check(service);
    service_touch(service);
}

static void let_go(struct manager *manager, struct service *service, struct problem_list *problems)
{
    if (manager->has_passed_sockets)
        problem_add(
            problems, PROBLEM_WARNING, manager->config_file, 0,
            "%s is gone, its socket is not; to follow: systemctl daemon-reload && systemctl "
            "stop dispatcherd-%s.socket dispatcherd-%s-worker.socket",
            service->options->name, service->options->unit_name, service->options->unit_name);
    service->is_going = true;
    listeners_free(service);
    operation_stop(service);
}

static void add(struct manager *manager, struct config_version *version,
                const struct service_options *options, struct problem_list *problems)
{
    struct service *service;

    int r = manager_add_service(manager, version, options, &service);
    if (r < 0) {
        problem_add(problems, PROBLEM_WARNING, options->origin.file, options->origin.line,
                    "%s cannot be added: %s", options->name, strerror(-r));
        return;
    }
    (void)sockets_rebind(service);
    service_touch(service);
}

static void apply(struct manager *manager, struct config_version *version,
                  struct problem_list *problems)
{
    for (size_t i = 0; i < manager->n_services; i++) {
        struct service *service = manager->services[i];
        const struct service_options *options =
            config_find_service(&version->config, service->options->name);

        if (service->is_going)
            continue;
        if (options && options->is_enabled)
            update(manager, service, version, options);
        else
            let_go(manager, service, problems);
    }
    for (size_t i = 0; i < version->config.n_services; i++) {
        const struct service_options *options = &version->config.services[i];

        if (options->is_enabled && !manager->has_passed_sockets &&
            !find_service(manager, options->unit_name))
            add(manager, version, options, problems);
    }
}

int reload(struct manager *manager, struct problem_list *problems)
{
    const struct subject refused = {.message_id = MESSAGE_ID_CONFIG_REFUSED};
    struct config_version *version;

    /* All of the new files is checked before anything changes. */
    int r =
        config_version_read(manager->config_file, manager->mapping_file, true, problems, &version);
    say_problems(problems, 0);
    if (r < 0) {
        report(LOG_ERR, &refused, "the reload is refused; what was in force stays (%zu %s)",
               problems->n_errors, str_plural(problems->n_errors, "error", "errors"));
        return r;
    }
    size_t n_told = problems->n_items;
    apply(manager, version, problems);
    (void)units_due(&version->config, manager->config_file, problems);
    say_problems(problems, n_told);
    manager->context.debug = version->config.debug;
    config_version_tell(version, manager->context.debug);
    config_version_unref(manager->version);
    manager->version = version;
    access_set_mappings(manager->context.access, version->mappings);
    manager->is_on_last_config = false;
    manager_remember_config(manager);
    log_notice("reloaded %s", manager->config_file);
    return 0;
}
