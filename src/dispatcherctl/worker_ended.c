/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* ExecStopPost= of a worker's unit: reports to dispatcherd how the worker ended. systemd has put
 * that into the environment (systemd.exec(5)), except for the process, which the unit still knows.
 * After a failure, the unit's last log lines are sent along. */
#include "base/fd.h"
#include "base/str.h"
#include "base/time.h"
#include "control_client/client.h"
#include "dispatcherctl/unit_lines.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define CONTROL_SOCKET "/run/dispatcherd/control"
#define SYSTEMD        "org.freedesktop.systemd1"

/* dispatcherd waits at most a second for this report. */
#define LIMIT_USEC USEC_PER_SEC

/* systemd runs this outside of the unit's sandbox, except for TemporaryFileSystem=, which applies
 * to it too (systemd 252 and 257) and hides all sockets and the volatile journal. Without the right
 * to leave that namespace, it goes on with what it sees. */
static void leave_namespace(void)
{
    _cleanup_fd_ int fd = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);

    if (fd >= 0)
        (void)setns(fd, CLONE_NEWNS);
}

static void bus_cleanup(sd_bus **bus)
{
    sd_bus_flush_close_unref(*bus);
}

/* Returns the last main process of the unit, or a negative errno. */
static int find_process(const char *unit, uint32_t *ret_pid)
{
    _cleanup_(bus_cleanup) sd_bus *bus = NULL;
    _cleanup_str_ char *path = NULL;

    int r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path);
    if (r == 0)
        r = sd_bus_open_system(&bus);
    if (r < 0)
        return r;
    sd_bus_set_method_call_timeout(bus, LIMIT_USEC);
    return sd_bus_get_property_trivial(bus, SYSTEMD, path, SYSTEMD ".Service", "ExecMainPID", NULL,
                                       'u', ret_pid);
}

static const char *from_environment(const char *name)
{
    const char *value = getenv(name);

    return value ? value : "";
}

static json_t *describe(const char *unit, uint32_t pid)
{
    const char *result = from_environment("SERVICE_RESULT");
    char pid_text[16], lines[512] = "";

    snprintf(pid_text, sizeof(pid_text), "%u", pid);
    if (strcmp(result, "success") != 0)
        unit_lines_read(unit, getenv("INVOCATION_ID"), lines, sizeof(lines));
    json_t *text = json_string(lines);
    if (!text)
        text = json_string("(not UTF-8)");
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "pid", pid_text, "result", result, "code",
                     from_environment("EXIT_CODE"), "status", from_environment("EXIT_STATUS"),
                     "unit", unit, "lines", text);
}

int main(int argc, char *argv[])
{
    struct client client = {.fd = -1};
    json_auto_t *reply = NULL;
    uint32_t pid = 0;

    if (argc != 2) {
        fputs("Usage: worker_ended UNIT\n", stderr);
        return 2;
    }
    leave_namespace();
    /* Without a bus dispatcherd finds the worker by the unit's service. */
    (void)find_process(argv[1], &pid);
    int r = client_open(CONTROL_SOCKET, LIMIT_USEC, &client);
    if (r == 0)
        r = client_call(&client, "WorkerEnded", describe(argv[1], pid), LIMIT_USEC, &reply);
    client_close(&client);
    /* Without a dispatcherd nobody misses the report: the unit ignores this status
     * (ExecStopPost=-). Nor is it an error that dispatcherd no longer knows the worker. */
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
