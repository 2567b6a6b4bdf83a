#include "dispatcherctl/views.h"

#include "base/macro.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherctl/duration.h"
#include "dispatcherctl/reply.h"
#include "dispatcherctl/table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void view_line(FILE *stream, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (n < 0)
        return;
    fprintf(stream, "%s\n", table_printable(text));
    free(text);
}

/* Cells */

static void add_text(struct table *table, const json_t *object, const char *name)
{
    table_add(table, "%s", reply_text(object, name));
}

static void add_number(struct table *table, const json_t *object, const char *name)
{
    if (reply_is_set(object, name))
        table_add(table, "%" PRId64, reply_number(object, name));
    else
        table_add(table, "%s", "");
}

static void add_gauge(struct table *table, const json_t *object, const char *name)
{
    const json_t *gauge = json_object_get(object, name);

    table_add(table, "%" PRId64 "/%" PRId64, reply_number(gauge, "value"),
              reply_number(gauge, "limit"));
}

/* How long ago it was. */
static void add_age(struct table *table, const json_t *object, const char *name, uint64_t now)
{
    uint64_t at = reply_moment(object, name);
    char text[DURATION_TEXT_MAX] = "";

    if (at > 0 && at <= now)
        duration_format(now - at, text);
    table_add(table, "%s", text);
}

static void format_address(const json_t *object, struct str_buffer *buffer)
{
    const char *address = reply_text(object, "address");
    bool is_ipv6 = strchr(address, ':') != NULL;

    str_buffer_add(buffer, is_ipv6 ? "[%s]" : "%s", address);
    if (reply_number(object, "port") > 0)
        str_buffer_add(buffer, ":%" PRId64, reply_number(object, "port"));
}

static void add_address(struct table *table, const json_t *object, const char *name)
{
    char text[128];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    format_address(json_object_get(object, name), &buffer);
    table_add(table, "%s", text);
}

static int print_and_clear(struct table *table, FILE *stream)
{
    int r = table_print(table, stream);

    table_clear(table);
    return r;
}

/* status */

static void print_daemon(const json_t *parameters, FILE *stream)
{
    const json_t *started_at = json_object_get(parameters, "started_at");
    time_t since = (time_t)(reply_number(started_at, "realtime") / (int64_t)USEC_PER_SEC);
    uint64_t span = reply_moment(parameters, "now") - reply_moment(parameters, "started_at");
    bool has_units = strcmp(reply_text(parameters, "spawner"), "unit") == 0;
    char date[64] = "", age[DURATION_TEXT_MAX];
    struct tm local;

    if (localtime_r(&since, &local))
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &local);
    view_line(stream, "dispatcherd %s is %s since %s (%s), process %" PRId64 "; %s",
              reply_text(parameters, "version"), reply_text(parameters, "state"), date,
              duration_format(span, age), reply_number(parameters, "pid"),
              has_units ? "workers are units of systemd" : "workers are its children");
    if (reply_is_true(parameters, "is_on_last_config"))
        view_line(stream, "%s is broken; the last good configuration is in force",
                  reply_text(parameters, "config_file"));
    fputc('\n', stream);
}

/* What a person should look after. */
static void print_trouble(const json_t *service, FILE *stream)
{
    const char *name = reply_text(service, "name");
    const char *state = reply_text(service, "state");
    bool is_up = strcmp(state, "running") == 0 || strcmp(state, "full") == 0;

    if (reply_is_set(service, "start_error") && reply_number(service, "n_ready") == 0)
        view_line(stream, "%s cannot start a worker: %s", name, reply_text(service, "start_error"));
    if (is_up && !reply_is_true(service, "has_socket"))
        view_line(stream, "%s has no socket: nobody can reach it", name);
}

int view_status(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    static const struct table_column columns[] = {
        {"SERVICE", TABLE_LEFT}, {"STATE", TABLE_LEFT},     {"WORKERS", TABLE_RIGHT},
        {"ACTIVE", TABLE_RIGHT}, {"HANDOFFS", TABLE_RIGHT}, {"WAITING", TABLE_RIGHT},
        {"ACCEPTS", TABLE_LEFT},
    };
    struct table table = table_init(columns, ELEMENTSOF(columns));
    const json_t *services = json_object_get(parameters, "services");
    const json_t *item;
    size_t i;

    print_daemon(parameters, stream);
    json_array_foreach(services, i, item)
    {
        add_text(&table, item, "name");
        add_text(&table, item, "state");
        add_gauge(&table, item, "workers");
        add_gauge(&table, item, "active");
        add_gauge(&table, item, "handoffs");
        add_gauge(&table, item, "waiting");
        add_text(&table, item, "accept");
    }
    int r = print_and_clear(&table, stream);
    json_array_foreach(services, i, item) print_trouble(item, stream);
    return r;
}

/* services */

static void add_listeners(struct table *table, const json_t *service)
{
    char text[512];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));
    const json_t *listeners = json_object_get(service, "listeners");
    const json_t *item;
    size_t i;

    json_array_foreach(listeners, i, item)
    {
        str_buffer_add(&buffer, "%s", i > 0 ? ", " : "");
        format_address(item, &buffer);
        str_buffer_add(&buffer, "%s", reply_is_true(item, "is_tls") ? " (TLS)" : "");
    }
    table_add(table, "%s", text);
}

int view_services(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    static const struct table_column columns[] = {
        {"SERVICE", TABLE_LEFT},   {"STATE", TABLE_LEFT},     {"WORKERS", TABLE_RIGHT},
        {"STARTING", TABLE_RIGHT}, {"READY", TABLE_RIGHT},    {"DRAINING", TABLE_RIGHT},
        {"ACTIVE", TABLE_RIGHT},   {"ACCEPTED", TABLE_RIGHT}, {"ENDED", TABLE_RIGHT},
        {"BROKEN", TABLE_RIGHT},   {"GONE", TABLE_RIGHT},     {"LISTENS AT", TABLE_LEFT},
    };
    struct table table = table_init(columns, ELEMENTSOF(columns));
    const json_t *services = json_object_get(parameters, "services");
    const json_t *item;
    size_t i;

    json_array_foreach(services, i, item)
    {
        const json_t *statistics = json_object_get(item, "statistics");

        add_text(&table, item, "name");
        add_text(&table, item, "state");
        add_gauge(&table, item, "workers");
        add_number(&table, item, "n_starting");
        add_number(&table, item, "n_ready");
        add_number(&table, item, "n_draining");
        add_gauge(&table, item, "active");
        add_number(&table, statistics, "n_accepted");
        add_number(&table, statistics, "n_ended");
        add_number(&table, statistics, "n_broken");
        add_number(&table, statistics, "n_gone");
        add_listeners(&table, item);
    }
    return print_and_clear(&table, stream);
}

/* workers */

static void add_retirement(struct table *table, const json_t *worker)
{
    if (reply_is_set(worker, "retire_reason"))
        add_text(table, worker, "retire_reason");
    else
        table_add(table, "%s", reply_is_true(worker, "is_outdated") ? "outdated, due" : "");
}

int view_workers(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    static const struct table_column columns[] = {
        {"SERVICE", TABLE_LEFT},     {"SLOT", TABLE_RIGHT},        {"PID", TABLE_RIGHT},
        {"STATE", TABLE_LEFT},       {"CONNECTIONS", TABLE_RIGHT}, {"PEAK", TABLE_RIGHT},
        {"TOTAL", TABLE_RIGHT},      {"AGE", TABLE_RIGHT},         {"IDLE", TABLE_RIGHT},
        {"STARTED FOR", TABLE_LEFT}, {"RETIRED FOR", TABLE_LEFT},  {"UNIT", TABLE_LEFT},
    };
    struct table table = table_init(columns, ELEMENTSOF(columns));
    uint64_t now = reply_moment(parameters, "now");
    const json_t *workers = json_object_get(parameters, "workers");
    const json_t *item;
    size_t i;

    json_array_foreach(workers, i, item)
    {
        add_text(&table, item, "service");
        add_number(&table, item, "slot");
        add_number(&table, item, "pid");
        add_text(&table, item, "state");
        add_gauge(&table, item, "connections");
        add_number(&table, item, "n_peak");
        add_number(&table, item, "n_total");
        add_age(&table, item, "started_at", now);
        add_age(&table, item, "idle_since", now);
        add_text(&table, item, "start_reason");
        add_retirement(&table, item);
        add_text(&table, item, "unit");
    }
    return print_and_clear(&table, stream);
}

/* connections */

int view_connections(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    static const struct table_column columns[] = {
        {"CONNECTION", TABLE_LEFT}, {"SERVICE", TABLE_LEFT}, {"STATE", TABLE_LEFT},
        {"WORKER", TABLE_RIGHT},    {"AGE", TABLE_RIGHT},    {"TLS", TABLE_LEFT},
        {"CLIENT", TABLE_LEFT},     {"SERVER", TABLE_LEFT},
    };
    struct table table = table_init(columns, ELEMENTSOF(columns));
    uint64_t now = reply_moment(parameters, "now");
    const json_t *connections = json_object_get(parameters, "connections");
    const json_t *item;
    size_t i;

    json_array_foreach(connections, i, item)
    {
        add_text(&table, item, "id");
        add_text(&table, item, "service");
        add_text(&table, item, "state");
        add_number(&table, item, "worker_pid");
        add_age(&table, item, "accepted_at", now);
        table_add(&table, "%s", reply_is_true(item, "is_tls") ? "yes" : "no");
        add_address(&table, item, "client");
        add_address(&table, item, "local");
    }
    return print_and_clear(&table, stream);
}

/* Commands */

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

int view_stop(const json_t *parameters, const char *service, FILE *stream)
{
    int64_t n = reply_number(parameters, "n_connections");

    view_line(stream, "%s accepts no more; %" PRId64 " connection%s may finish", service, n,
              plural(n));
    return 0;
}

int view_start(_unused_ const json_t *parameters, const char *service, FILE *stream)
{
    view_line(stream, "%s accepts connections", service);
    return 0;
}

int view_restart(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    int64_t n = reply_number(parameters, "n_workers");

    view_line(stream, "%" PRId64 " worker%s will be replaced, one after another", n, plural(n));
    return 0;
}

int view_reload(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    const json_t *warnings = json_object_get(parameters, "warnings");
    const json_t *item;
    size_t i;

    json_array_foreach(warnings, i, item)
        view_line(stream, "%s", json_string_value(item) ? json_string_value(item) : "");
    view_line(stream, "the configuration was read again");
    return 0;
}
