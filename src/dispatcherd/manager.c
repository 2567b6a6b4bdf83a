#include "dispatcherd/manager.h"

#include "base/time.h"
#include "dispatcherd/context.h"
#include "dispatcherd/control.h"
#include "dispatcherd/debug.h"
#include "dispatcherd/dispatch.h"
#include "dispatcherd/listener.h"
#include "dispatcherd/message_ids.h"
#include "dispatcherd/notify.h"
#include "dispatcherd/report.h"
#include "dispatcherd/sockets.h"
#include "dispatcherd/status.h"
#include "dispatcherd/worker_end.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_INTERVAL_USEC USEC_PER_SEC

/* When sessions have been cut: how long their workers may take to be gone. */
#define CUT_LIMIT_USEC (2 * USEC_PER_SEC)

enum manager_state {
    MANAGER_STARTING,
    MANAGER_RUNNING,
    MANAGER_STOPPING,
};

struct manager {
    struct context context;
    enum manager_state state;
    struct service **services; /* n_services of them, owned */
    size_t n_services;
    struct notifier notifier;
    struct control *control; /* owned; NULL: none */
    uint64_t started_at;     /* CLOCK_MONOTONIC */
    char host_name[64];
    sd_event_source *status_timer;
    sd_event_source *stop_timer;
    bool is_cut; /* the time for finishing is over */
};

static unsigned count_workers(const struct manager *manager)
{
    unsigned n = 0;

    for (size_t i = 0; i < manager->n_services; i++)
        n += pool_total(&manager->services[i]->pool);
    return n;
}

static unsigned count_connections(const struct manager *manager)
{
    unsigned n = 0;

    for (size_t i = 0; i < manager->n_services; i++) {
        const struct pool *pool = &manager->services[i]->pool;
        n += pool->n_active + pool->n_handoffs + pool->n_waiting;
    }
    return n;
}

/* STATUS: at most once a second, and only while something changes. */

static int on_status(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
    struct manager *manager = userdata;
    char text[NOTIFY_STATUS_MAX];

    notify_status(&manager->notifier,
                  status_format(manager->services, manager->n_services, text, sizeof(text)));
    return 0;
}

static void status_soon(struct manager *manager)
{
    int enabled = SD_EVENT_OFF;

    if (!manager->status_timer) {
        (void)sd_event_add_time_relative(manager->context.event, &manager->status_timer,
                                         CLOCK_MONOTONIC, STATUS_INTERVAL_USEC, USEC_PER_SEC / 10,
                                         on_status, manager);
        return;
    }
    (void)sd_event_source_get_enabled(manager->status_timer, &enabled);
    if (enabled != SD_EVENT_OFF)
        return;
    (void)sd_event_source_set_time_relative(manager->status_timer, STATUS_INTERVAL_USEC);
    (void)sd_event_source_set_enabled(manager->status_timer, SD_EVENT_ONESHOT);
}

/* Start */

static bool is_settled(const struct manager *manager)
{
    for (size_t i = 0; i < manager->n_services; i++) {
        const struct service *service = manager->services[i];

        if (!service->has_failed_start && service->pool.n_ready < service->pool_options.min_procs)
            return false;
    }
    return true;
}

static void say_where(const struct service *service)
{
    const struct subject subject = {.service = service->options->name};
    char text[512], address[ADDRESS_TEXT_MAX];
    struct str_buffer line = str_buffer_init(text, sizeof(text));

    for (size_t i = 0; i < service->n_listeners; i++)
        str_buffer_add(&line, "%s%s%s", i > 0 ? ", " : "",
                       address_format(&service->listeners[i].address, address),
                       service->listeners[i].is_tls ? " (TLS)" : "");
    if (service->n_listeners > 0)
        report(LOG_NOTICE, &subject, "listens at %s", text);
}

static void become_running(struct manager *manager)
{
    const struct subject subject = {.message_id = MESSAGE_ID_STARTED};

    manager->state = MANAGER_RUNNING;
    on_status(NULL, 0, manager);
    notify_ready(&manager->notifier);
    for (size_t i = 0; i < manager->n_services; i++)
        say_where(manager->services[i]);
    report(LOG_NOTICE, &subject, "ready: %zu service%s, %u worker%s", manager->n_services,
           manager->n_services == 1 ? "" : "s", count_workers(manager),
           count_workers(manager) == 1 ? "" : "s");
}

/* Stop */

static void cut(struct manager *manager)
{
    const struct subject subject = {.message_id = MESSAGE_ID_SESSIONS_CUT};
    unsigned n = count_connections(manager);

    manager->is_cut = true;
    if (n > 0)
        report(LOG_WARNING, &subject, "%u connections are cut: the time for finishing is over", n);
    for (size_t i = 0; i < manager->n_services; i++)
        for (unsigned slot = 0; slot < POOL_WORKERS_MAX; slot++)
            if (manager->services[i]->workers[slot])
                worker_cut(manager->services[i]->workers[slot]);
}

static int on_stop_limit(sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
    struct manager *manager = userdata;

    if (manager->is_cut)
        return sd_event_exit(manager->context.event, EXIT_SUCCESS);
    cut(manager);
    (void)sd_event_source_set_time_relative(source, CUT_LIMIT_USEC);
    (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return 0;
}

static void begin_stop(struct manager *manager)
{
    unsigned limit_sec = manager->context.stop_limit_sec;

    manager->state = MANAGER_STOPPING;
    notify_stopping(&manager->notifier);
    log_notice("stopping: %u connections may go on for up to %u s", count_connections(manager),
               limit_sec);
    /* A second more than the workers have, who see to it themselves. */
    (void)sd_event_add_time_relative(manager->context.event, &manager->stop_timer, CLOCK_MONOTONIC,
                                     (limit_sec + 1) * USEC_PER_SEC, USEC_PER_MSEC, on_stop_limit,
                                     manager);
    for (size_t i = 0; i < manager->n_services; i++) {
        listeners_free(manager->services[i]);
        manager->services[i]->pool.is_stopping = true;
        service_touch(manager->services[i]);
    }
}

static int on_stop_signal(_unused_ sd_event_source *source,
                          _unused_ const struct signalfd_siginfo *info, void *userdata)
{
    struct manager *manager = userdata;

    if (manager->state != MANAGER_STOPPING) {
        begin_stop(manager);
        return 0;
    }
    /* A second signal: at once. */
    return sd_event_source_set_time(manager->stop_timer, 0);
}

static void on_change(struct context *context)
{
    struct manager *manager = CONTAINER_OF(context, struct manager, context);

    status_soon(manager);
    if (manager->state == MANAGER_STARTING && is_settled(manager))
        become_running(manager);
    if (manager->state == MANAGER_STOPPING && count_workers(manager) == 0 &&
        (manager->is_cut || count_connections(manager) == 0))
        (void)sd_event_exit(context->event, EXIT_SUCCESS);
}

/* Control */

static void describe(void *userdata, struct control_daemon *ret)
{
    static const char *const states[] = {
        [MANAGER_STARTING] = "starting",
        [MANAGER_RUNNING] = "running",
        [MANAGER_STOPPING] = "stopping",
    };
    const struct manager *manager = userdata;

    *ret = (struct control_daemon){
        .state = states[manager->state],
        .is_stopping = manager->state == MANAGER_STOPPING,
        .started_at = manager->started_at,
        .spawner = manager->context.spawner->name,
        .services = manager->services,
        .n_services = manager->n_services,
    };
}

static const struct control_operations control_operations = {.describe = describe};

/* Clients are served without it too. */
static void open_control(struct manager *manager, const char *path)
{
    const struct subject subject = {.message_id = MESSAGE_ID_CONTROL_FAILED};
    const struct control_settings settings = {
        .event = manager->context.event,
        .path = path,
        .operations = &control_operations,
        .userdata = manager,
    };

    if (!path)
        return;
    int r = control_new(&settings, &manager->control);
    if (r < 0)
        report(LOG_ERR, &subject,
               "cannot make the control socket %s: %s; dispatcherctl will not work", path,
               r == -EADDRINUSE ? "another dispatcherd answers there" : strerror(-r));
}

/* Construction */

static int add_signals(struct manager *manager)
{
    static const int signals[] = {SIGTERM, SIGINT};
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    for (size_t i = 0; i < ELEMENTSOF(signals); i++)
        sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
        int r =
            sd_event_add_signal(manager->context.event, NULL, signals[i], on_stop_signal, manager);
        if (r < 0)
            return r;
    }
    return 0;
}

static int init_context(struct manager *manager, const struct config *config,
                        const struct manager_settings *settings)
{
    if (gethostname(manager->host_name, sizeof(manager->host_name) - 1) < 0)
        return -errno;
    manager->host_name[strcspn(manager->host_name, ".")] = '\0';
    manager->started_at = time_now_usec(CLOCK_MONOTONIC);
    manager->context = (struct context){
        .changed = on_change,
        .spawner = settings->spawner,
        .host_name = manager->host_name,
        .debug = config->debug,
        .stop_limit_sec = settings->stop_limit_sec,
    };
    context_init_ids(&manager->context);
    int r = sd_event_new(&manager->context.event);
    if (r == 0)
        r = add_signals(manager);
    if (r == 0)
        r = notify_start(&manager->notifier, manager->context.event);
    return r;
}

static int add_services(struct manager *manager, const struct config *config)
{
    manager->services = calloc(config->n_services, sizeof(struct service *));
    if (!manager->services)
        return -ENOMEM;
    for (size_t i = 0; i < config->n_services; i++) {
        if (!config->services[i].is_enabled)
            continue;
        int r = service_new(&manager->context, &config->services[i], dispatch_run,
                            &manager->services[manager->n_services]);
        if (r < 0)
            return r;
        manager->n_services++;
    }
    return 0;
}

/* Returns 0, or a negative errno where no service could be reached by anybody. */
static int open_sockets(struct manager *manager)
{
    size_t n_listeners = 0;
    int n_passed = sockets_take_passed(manager->services, manager->n_services);

    if (n_passed < 0)
        return n_passed;
    for (size_t i = 0; i < manager->n_services; i++) {
        if (n_passed == 0)
            (void)sockets_bind(manager->services[i]);
        int r = listeners_start(manager->services[i]);
        if (r < 0)
            return r;
        n_listeners += manager->services[i]->n_listeners;
    }
    if (n_listeners == 0 && manager->n_services > 0) {
        const struct subject subject = {.message_id = MESSAGE_ID_CANNOT_BIND};

        report(LOG_CRIT, &subject, "no port of any service can be listened at; giving up");
        return -EADDRNOTAVAIL;
    }
    return 0;
}

static void manager_clear(struct manager *manager)
{
    control_free(manager->control);
    for (size_t i = 0; i < manager->n_services; i++)
        service_free(manager->services[i]);
    free(manager->services);
    notify_end(&manager->notifier);
    sd_event_source_disable_unref(manager->status_timer);
    sd_event_source_disable_unref(manager->stop_timer);
    sd_event_unref(manager->context.event);
}

/* Every start is an adoption of N >= 0 workers: the policy starts what is lacking. */
static int start(struct manager *manager)
{
    int r = open_sockets(manager);

    if (r < 0)
        return r;
    for (size_t i = 0; i < manager->n_services; i++)
        service_touch(manager->services[i]);
    on_change(&manager->context);
    return 0;
}

int manager_run(const struct config *config, const struct manager_settings *settings)
{
    static struct manager manager;
    int status = EXIT_FAILURE;

    int r = init_context(&manager, config, settings);
    if (r == 0)
        r = add_services(&manager, config);
    if (r == 0)
        r = start(&manager);
    if (r == 0)
        open_control(&manager, settings->control_path);
    if (r == 0)
        r = status = sd_event_loop(manager.context.event);
    if (r < 0) {
        log_err("cannot run: %s", strerror(-r));
        status = EXIT_FAILURE;
    } else {
        const struct subject subject = {.message_id = MESSAGE_ID_STOPPED};
        report(LOG_NOTICE, &subject, "stopped");
    }
    manager_clear(&manager);
    return status;
}
