/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "generator/unit_text.h"

#include "config/image.h"
#include "generator/unit_limits.h"
#include "protocol/tunables.h"

#include <inttypes.h>
#include <string.h>

/* The first version with PollLimitIntervalSec= (systemd.socket(5)); older ones warn about it. */
#define VERSION_WITH_POLL_LIMIT 255

/* The length of the UTF-8 character that starts here; 0 if it is none. Overlong forms and
 * surrogates are left to systemd. */
static size_t utf8_length(const unsigned char *s)
{
    size_t length = s[0] < 0x80   ? 1
                    : s[0] < 0xc2 ? 0
                    : s[0] < 0xe0 ? 2
                    : s[0] < 0xf0 ? 3
                    : s[0] < 0xf5 ? 4
                                  : 0;

    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

bool unit_text_can_execute(const char *path)
{
    const unsigned char *s = (const unsigned char *)path;

    if (s[0] != '/')
        return false;
    while (*s) {
        size_t length = utf8_length(s);

        if (length == 0 || *s < ' ' || *s == 0x7f || strchr("\"'\\", *s))
            return false;
        s += length;
    }
    return true;
}

/* systemd expands specifiers in nearly every value. */
static void write_without_specifiers(FILE *stream, const char *value)
{
    for (const char *s = value; *s; s++) {
        if (*s == '%')
            fputc('%', stream);
        fputc(*s, stream);
    }
}

void unit_text_program(FILE *stream, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._+-";

    if (path[strspn(path, plain)] == '\0') {
        fputs(path, stream);
        return;
    }
    /* The colon prevents that "$" starts a variable: "$$" would not be reduced in the path of the
     * program. */
    fputs(":\"", stream);
    write_without_specifiers(stream, path);
    fputc('"', stream);
}

static void write_head(FILE *stream, const struct unit_environment *environment, const char *what,
                       const char *service_name, const char *manual)
{
    fprintf(stream,
            "# Written by dispatcherd-generator. To change it, make a drop-in: systemctl edit.\n"
            "[Unit]\n"
            "Description=%s of dispatcherd service %s\n"
            "Documentation=man:dispatcherd(8) man:%s\n"
            "SourcePath=",
            what, service_name, manual);
    write_without_specifiers(stream, environment->source_path);
    fputc('\n', stream);
}

/* By default, systemd.unit(5) allows five starts in 10 s, and then the port would stay closed.
 * Configuration management that restarts a few times may reach that. */
static void write_no_start_limit(FILE *stream)
{
    fputs("StartLimitIntervalSec=0\n", stream);
}

static void write_listen_lines(FILE *stream, const struct unit_environment *environment,
                               const struct service_options *service, uint16_t port)
{
    if (service->has_interface_address) {
        struct address address = service->interface_address.address;
        char text[ADDRESS_TEXT_MAX];

        address.port = port;
        fprintf(stream, "ListenStream=%s", address_format(&address, text));
        /* The form of systemd.socket(5) is "[x]:y%dev", with the percent sign doubled
         * (systemd.unit(5)). */
        if (service->interface_address.zone[0])
            fprintf(stream, "%%%%%s", service->interface_address.zone);
        fputc('\n', stream);
        return;
    }
    fprintf(stream, "ListenStream=0.0.0.0:%u\n", port);
    if (environment->has_ipv6)
        fprintf(stream, "ListenStream=[::]:%u\n", port);
}

void unit_text_socket(FILE *stream, const struct unit_environment *environment,
                      const struct service_options *service, bool is_tls)
{
    const struct port_list *list = is_tls ? &service->tls_port : &service->port;

    write_head(stream, environment, is_tls ? "TLS socket" : "Socket", service->name,
               "dispatcher.cnf(5)");
    fputs("Before=" UNIT_MEND_SOCKETS "\n", stream);
    write_no_start_limit(stream);
    fputs("\n[Socket]\n", stream);
    for (size_t i = 0; i < list->n_ports; i++)
        write_listen_lines(stream, environment, service, list->ports[i]);
    fprintf(
        stream,
        "BindIPv6Only=ipv6-only\n"
        "# An address may appear after this socket starts, or never: if one cannot be bound,\n"
        "# systemd opens none of them.\n"
        "FreeBind=yes\n"
        "Backlog=%u\n"
        "FileDescriptorName=%s%s\n"
        "Service=" UNIT_DAEMON "\n"
        "Slice=dispatcherd.slice\n"
        "# A flood must not close the socket permanently.\n"
        "TriggerLimitIntervalSec=0\n"
        "# The daemon has a copy of the socket, which stays open if only this unit stops. Logged\n"
        "# before the socket is closed: between a stop and a start clients are refused.\n"
        "ExecStopPre=-/bin/sh -c 'if test -S " UNIT_CONTROL_SOCKET "; then "
        "echo \"<4>" UNIT_DAEMON " also has this socket and serves its clients until it is "
        "restarted or stopped; ENABLE=0 in dispatcher.cnf disables the service\"; fi'\n",
        service->backlog, service->unit_name, is_tls ? "-tls" : "");
}

void unit_text_worker_socket(FILE *stream, const struct unit_environment *environment,
                             const struct service_options *service)
{
    write_head(stream, environment, "Start of workers", service->name, "dispatcher-worker(7)");
    fputs("Before=" UNIT_MEND_SOCKETS "\n", stream);
    write_no_start_limit(stream);
    fprintf(
        stream,
        "# Not in the slice: systemd runs a helper for the socket's owner, and a slice that was\n"
        "# only just stopped and started again may not have its control group yet.\n"
        "PartOf=dispatcherd.slice\n"
        "\n"
        "[Socket]\n"
        "# dispatcherd connects, and systemd starts a worker with the other end as its\n"
        "# control channel.\n"
        "ListenSequentialPacket=" UNIT_WORKER_SOCKET_DIR "/%s\n"
        "Accept=yes\n"
        "SocketUser=%s\n"
        "SocketMode=0600\n"
        "DirectoryMode=0755\n"
        "RemoveOnStop=yes\n"
        "# MAX_PROCS in dispatcher.cnf is the limit, not these.\n"
        "MaxConnections=1024\n"
        "TriggerLimitIntervalSec=0\n",
        service->unit_name, environment->user);
    /* Without it, the socket pauses for up to two seconds after each 150 workers. */
    if (environment->systemd_version >= VERSION_WITH_POLL_LIMIT)
        fputs("PollLimitIntervalSec=0\n", stream);
}

/* A sandbox that takes all that a program does not need to serve connections it is given. */
static const char sandbox[] =
    "# The sandbox. To let workers reach the network: PrivateNetwork=no, IPAddressDeny=,\n"
    "# RestrictAddressFamilies=AF_INET AF_INET6 and SystemCallFilter=connect bind setsockopt; to\n"
    "# write elsewhere: ReadWritePaths=; to compile at run time: MemoryDenyWriteExecute=no.\n"
    "DynamicUser=yes\n"
    "UMask=0077\n"
    "# Of /run only the sockets to log and to notify, and no configuration of other services.\n"
    "# To show a folder to workers: BindReadOnlyPaths=.\n"
    "TemporaryFileSystem=/run:ro " CONFIG_DIR ":ro\n"
    "BindReadOnlyPaths=-/run/systemd/notify -/run/systemd/journal/socket "
    "-/run/systemd/journal/dev-log\n"
    "PrivateNetwork=yes\n"
    "IPAddressDeny=any\n"
    "RestrictAddressFamilies=AF_UNIX\n"
    "CapabilityBoundingSet=\n"
    "NoNewPrivileges=yes\n"
    "ProtectSystem=strict\n"
    "ProtectHome=yes\n"
    "PrivateTmp=yes\n"
    "PrivateDevices=yes\n"
    "DevicePolicy=closed\n"
    "PrivateUsers=yes\n"
    "PrivateIPC=yes\n"
    "ProtectClock=yes\n"
    "ProtectControlGroups=yes\n"
    "ProtectHostname=yes\n"
    "ProtectKernelLogs=yes\n"
    "ProtectKernelModules=yes\n"
    "ProtectKernelTunables=yes\n"
    "ProtectProc=invisible\n"
    "ProcSubset=pid\n"
    "LockPersonality=yes\n"
    "MemoryDenyWriteExecute=yes\n"
    "RemoveIPC=yes\n"
    "RestrictNamespaces=yes\n"
    "RestrictRealtime=yes\n"
    "RestrictSUIDSGID=yes\n"
    "SystemCallArchitectures=native\n"
    "SystemCallFilter=@system-service\n"
    "SystemCallFilter=~@privileged @resources\n"
    "# A connection that is handed over belongs to the host's network. Without these calls it\n"
    "# cannot be reconnected elsewhere, nor block (SO_LINGER) whoever closes it.\n"
    "SystemCallFilter=~connect bind listen accept accept4 setsockopt @aio\n"
    "SystemCallErrorNumber=EPERM\n";

static void write_limits(FILE *stream, const struct service_options *service)
{
    fprintf(stream,
            "# Derived from MAX_CONNS and STACKSIZE, with a reserve: see \"Limits of workers\" in "
            "dispatcherd(8).\n"
            "MemoryMax=%" PRIu64 "\n"
            "MemorySwapMax=%" PRIu64 "\n"
            "TasksMax=%u\n"
            "# The same for each worker; the daemon has ten times as much.\n"
            "CPUWeight=100\n"
            "IOWeight=100\n"
            "\n",
            unit_limits_memory_bytes(service), unit_limits_memory_bytes(service),
            unit_limits_tasks(service));
}

/* The worker of programs ends a session of which a process was killed; the other sessions go on.
 * Any other worker is the process that was killed, and systemd is to name the cause. */
static void write_oom_policy(FILE *stream, const struct service_options *service)
{
    if (image_runs_programs(service->image))
        fputs("# A program that takes all the memory is killed alone.\n"
              "OOMPolicy=continue\n",
              stream);
}

/* Names the AppArmor profile for one of our workers (units/apparmor). A program of that name in
 * another folder is not ours. */
static void write_apparmor_profile(FILE *stream, const struct service_options *service)
{
    if (strcmp(service->image, WORKER_DIR "/tcp_smtp_server") == 0)
        fputs("# Confined in addition if AppArmor knows this profile.\n"
              "AppArmorProfile=-dispatcherd-tcp_smtp_server\n",
              stream);
}

void unit_text_worker_service(FILE *stream, const struct unit_environment *environment,
                              const struct service_options *service)
{
    write_head(stream, environment, "Worker", service->name, "dispatcher-worker(7)");
    fputs("# dispatcherd sees a worker's failure and decides when to start the next; no unit is\n"
          "# left behind, and systemd adds no limit of its own.\n"
          "CollectMode=inactive-or-failed\n"
          "StartLimitIntervalSec=0\n"
          "\n"
          "[Service]\n"
          "Type=notify\n"
          "ExecStart=",
          stream);
    unit_text_program(stream, service->image);
    fprintf(stream,
            "\n"
            "# Reports to dispatcherd how the worker ended: outside the sandbox, as root.\n"
            "ExecStopPost=-+" WORKER_DIR "/worker_ended %%n\n"
            "SyslogIdentifier=%s\n"
            "# One page of memory instead of two for each idle thread. If a library cannot\n"
            "# be loaded because of its static TLS block: GLIBC_TUNABLES=glibc.rtld.nns=4\n"
            "Environment=" WORKER_TUNABLES "\n"
            "StateDirectory=dispatcherd-%s\n"
            "StateDirectoryMode=0700\n"
            "Slice=dispatcherd.slice\n"
            "TimeoutStartSec=30\n"
            "WatchdogSec=30\n"
            "# SIGTERM goes to the worker alone, which finishes its sessions; after that time,\n"
            "# all that remains is killed.\n"
            "KillMode=mixed\n"
            "TimeoutStopSec=90\n"
            "\n",
            service->name, service->unit_name);
    write_limits(stream, service);
    write_oom_policy(stream, service);
    write_apparmor_profile(stream, service);
    fputs(sandbox, stream);
}
