#include "dispatcherd/job.h"

#include "base/log.h"
#include "base/macro.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/stall_guard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define ASK_LIMIT_USEC (2 * USEC_PER_SEC)

#define SYSTEMD      "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"

const char *job_type_to_string(enum job_type type)
{
    static const char *const texts[] = {
        [JOB_NONE] = "none",
        [JOB_STOP] = "stop",
        [JOB_RESTART] = "restart",
        [JOB_UNKNOWN] = "unknown",
    };

    return texts[type];
}

static void bus_cleanup(sd_bus **bus)
{
    sd_bus_flush_close_unref(*bus);
}

static void message_cleanup(sd_bus_message **message)
{
    sd_bus_message_unref(*message);
}

/* The object path of our unit, which the caller frees. sd_pid_get_unit() would need to see the
 * processes of others, which ProtectProc= hides. */
static int find_unit(sd_bus *bus, char **ret_path)
{
    _cleanup_(message_cleanup) sd_bus_message *reply = NULL;
    const char *path;

    int r = sd_bus_call_method(bus, SYSTEMD, SYSTEMD_PATH, SYSTEMD ".Manager", "GetUnitByPID", NULL,
                               &reply, "u", 0 /* the caller */);
    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "o", &path);
    if (r < 0)
        return r;
    *ret_path = strdup(path);
    return *ret_path ? 0 : -ENOMEM;
}

/* The object path of the unit's job, which the caller frees; NULL with 0 where it has none. */
static int find_job(sd_bus *bus, const char *unit_path, char **ret_path)
{
    _cleanup_(message_cleanup) sd_bus_message *reply = NULL;
    const char *path;
    uint32_t id;

    int r =
        sd_bus_get_property(bus, SYSTEMD, unit_path, SYSTEMD ".Unit", "Job", NULL, &reply, "(uo)");
    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "(uo)", &id, &path);
    if (r < 0)
        return r;
    if (id == 0)
        return 0;
    *ret_path = strdup(path);
    return *ret_path ? 0 : -ENOMEM;
}

static int read_job_type(enum job_type *ret)
{
    _cleanup_str_ char *unit_path = NULL, *job_path = NULL, *type = NULL;
    _cleanup_(bus_cleanup) sd_bus *bus = NULL;

    int r = sd_bus_open_system(&bus);
    if (r < 0)
        return r;
    sd_bus_set_method_call_timeout(bus, ASK_LIMIT_USEC);
    r = find_unit(bus, &unit_path);
    if (r == 0)
        r = find_job(bus, unit_path, &job_path);
    if (r < 0)
        return r;
    if (!job_path) {
        *ret = JOB_NONE;
        return 0;
    }
    r = sd_bus_get_property_string(bus, SYSTEMD, job_path, SYSTEMD ".Job", "JobType", NULL, &type);
    if (r < 0)
        return r;
    *ret = strcmp(type, "stop") == 0 ? JOB_STOP : JOB_RESTART;
    return 0;
}

enum job_type job_ask(void)
{
    enum job_type type;

    /* A signal ends a call of sd-bus with an error. */
    stall_guard_hold();
    int r = read_job_type(&type);
    stall_guard_release();

    if (r >= 0)
        return type;
    log_notice("systemd cannot be asked why it ends this process: %s", strerror(-r));
    return JOB_UNKNOWN;
}
