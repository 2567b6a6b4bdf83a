/* What changes something. Each command is told in the journal with who gave it. */
#include "dispatcherd/control_call.h"
#include "dispatcherd/operations.h"
#include "dispatcherd/report.h"

#include <string.h>

/* Of the problems of a configuration: more than problem.h keeps. */
#define PROBLEM_TEXT_MAX 65536

static void say(const struct control_call *call, const struct service *service, const char *what)
{
    const struct subject subject = {.service = service ? service->options->name : NULL};

    report(LOG_NOTICE, &subject, "%s is asked for by process %d of user %u", what,
           (int)call->caller->pid, (unsigned)call->caller->uid);
}

static json_t *stopping_error(void)
{
    return varlink_error(CONTROL_INTERFACE ".Stopping", json_object());
}

static json_t *failure(const char *reason)
{
    return varlink_error(CONTROL_INTERFACE ".OperationFailed",
                         json_pack("{s:o}", "reason", view_text(reason)));
}

/* The service that is meant, or NULL. */
static struct service *named_service(const struct control_call *call, const char *name)
{
    size_t i = control_call_find(call, name);

    return i < call->daemon.n_services ? call->daemon.services[i] : NULL;
}

json_t *control_stop(const struct control_call *call)
{
    const char *name = control_call_text(call, "service");
    struct service *service = named_service(call, name);

    if (!service)
        return control_no_such_service(name);
    if (!service->pool.is_stopping)
        say(call, service, "stop");
    operation_stop(service);
    const struct pool *pool = &service->pool;
    return varlink_reply(
        json_pack("{s:i}", "n_connections",
                  (int)(pool->n_active + pool->n_handoffs + pool->n_waiting + pool->n_checking)));
}

json_t *control_start(const struct control_call *call)
{
    const char *name = control_call_text(call, "service");
    struct service *service = named_service(call, name);

    if (!service)
        return control_no_such_service(name);
    if (call->daemon.is_stopping)
        return stopping_error();
    if (service->pool.is_stopping)
        say(call, service, "start");
    int r = operation_start(service);
    return r < 0 ? failure(strerror(-r)) : varlink_reply(json_object());
}

static json_t *restart_all(const struct control_call *call)
{
    int n_workers = 0;

    say(call, NULL, "restart of all services");
    for (size_t i = 0; i < call->daemon.n_services; i++)
        if (!call->daemon.services[i]->pool.is_stopping)
            n_workers += (int)operation_restart(call->daemon.services[i]);
    return varlink_reply(json_pack("{s:i}", "n_workers", n_workers));
}

json_t *control_restart(const struct control_call *call)
{
    const char *name = control_call_text(call, "service");

    if (call->daemon.is_stopping)
        return stopping_error();
    if (!name)
        return restart_all(call);
    struct service *service = named_service(call, name);
    if (!service)
        return control_no_such_service(name);
    if (service->pool.is_stopping)
        return varlink_error(CONTROL_INTERFACE ".NotRunning",
                             json_pack("{s:s}", "service", service->options->name));
    say(call, service, "restart");
    return varlink_reply(json_pack("{s:i}", "n_workers", (int)operation_restart(service)));
}

/* One text a line. */
static json_t *split_lines(char *text)
{
    json_t *array = json_array();
    char *place = NULL;

    for (char *line = strtok_r(text, "\n", &place); line; line = strtok_r(NULL, "\n", &place))
        view_append(&array, view_text(line));
    return array;
}

json_t *control_reload(const struct control_call *call)
{
    static char text[PROBLEM_TEXT_MAX];
    struct str_buffer problems = str_buffer_init(text, sizeof(text));

    if (!call->operations->reload)
        return varlink_error(CONTROL_INTERFACE ".NotSupported", json_object());
    if (call->daemon.is_stopping)
        return stopping_error();
    say(call, NULL, "reload");
    int r = call->operations->reload(call->userdata, &problems);
    if (r == 0)
        return varlink_reply(json_pack("{s:o}", "warnings", split_lines(text)));
    if (problems.length == 0)
        return failure(strerror(-r));
    return varlink_error(CONTROL_INTERFACE ".ReloadFailed",
                         json_pack("{s:o}", "problems", split_lines(text)));
}
