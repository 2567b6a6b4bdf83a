/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/hosts/remote.h"

#include "base/fd.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherctl/views/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* [USER@]HOST[:PORT]: names of hosts have at most 253 characters, and those of users 256. */
#define HOST_MAX 520

/* How often a pipe's default size of 64 KiB is read, twice over: a process that ssh has left may
 * write on and on. */
#define DRAIN_READS_MAX 32

/* The exit status of ssh(1) for errors of its own; others are those of the command. */
#define SSH_OWN_ERROR 255

/* How long ssh has to end by itself after it has closed the connection. */
#define END_LIMIT_MSEC 2000

extern char **environ;

/* Finds the port: the digits after the last colon, unless the colon is part of an IPv6 address.
 * Returns NULL if there is none. */
static const char *find_port(const char *host)
{
    const char *at = strrchr(host, '@');
    const char *name = at ? at + 1 : host;
    const char *colon = strrchr(name, ':');

    if (!colon || (name[0] == '[' ? colon[-1] != ']' : strchr(name, ':') != colon))
        return NULL;
    return colon + 1;
}

bool remote_is_valid(const char *host)
{
    const char *port = find_port(host);
    size_t length = strlen(host);

    if (length == 0 || length > HOST_MAX || host[0] == '-' || host[0] == ':' ||
        host[length - 1] == '@')
        return false;
    for (const char *c = host; *c; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    if (!port)
        return true;
    return port[0] && strspn(port, "0123456789") == strlen(port) && strlen(port) <= 5;
}

/* Writes [USER@]HOST without the port, and without brackets, which ssh does not know. */
static void write_destination(const char *host, const char *port, char text[HOST_MAX + 1])
{
    size_t length = port ? (size_t)(port - 1 - host) : strlen(host);
    size_t n = 0;

    for (size_t i = 0; i < length && n < HOST_MAX; i++)
        if (host[i] != '[' && host[i] != ']')
            text[n++] = host[i];
    text[n] = '\0';
}

/* Writes the command for the shell of the other host. Returns 0 or -ENAMETOOLONG. */
static int write_command(const char *path, char text[1024])
{
    struct str_buffer command = str_buffer_init(text, 1024);

    str_buffer_add(&command, "dispatcherctl --socket '");
    for (const char *c = path; *c; c++)
        str_buffer_add(&command, *c == '\'' ? "'\\''" : "%c", *c);
    str_buffer_add(&command, "' bridge");
    return command.is_cut ? -ENAMETOOLONG : 0;
}

/* ssh asks nothing: several of them run at once. Its standard input and output are `fd`. */
static int start_ssh(const char *host, const char *path, uint64_t limit_usec, int fd, int errors,
                     pid_t *ret_pid)
{
    const char *program = getenv(REMOTE_SSH_VARIABLE);
    const char *port = find_port(host);
    char destination[HOST_MAX + 1], command[1024], limit[64];
    posix_spawn_file_actions_t actions;
    const char *words[16];
    size_t n = 0;

    write_destination(host, port, destination);
    snprintf(limit, sizeof(limit), "-oConnectTimeout=%" PRIu64,
             (limit_usec + USEC_PER_SEC - 1) / USEC_PER_SEC);
    int r = write_command(path, command);
    if (r < 0)
        return r;
    words[n++] = program && program[0] ? program : "ssh";
    words[n++] = "-xT";
    words[n++] = "-oBatchMode=yes";
    words[n++] = limit;
    if (port) {
        words[n++] = "-p";
        words[n++] = port;
    }
    words[n++] = "--";
    words[n++] = destination;
    words[n++] = command;
    words[n] = NULL;
    r = -posix_spawn_file_actions_init(&actions);
    if (r < 0)
        return r;
    r = -posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
    if (r == 0)
        r = -posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
    if (r == 0)
        r = -posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    if (r == 0)
        r = -posix_spawnp(ret_pid, words[0], &actions, NULL, (char *const *)words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return r;
}

static int open_by_ssh(const char *host, const char *path, uint64_t limit_usec, struct remote *ret)
{
    int pair[2], pipes[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    _cleanup_fd_ int ours = pair[0], theirs = pair[1];
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return -errno;
    _cleanup_fd_ int errors = pipes[0], their_errors = pipes[1];
    int r = fd_set_nonblocking(errors, true);
    if (r == 0)
        r = start_ssh(host, path, limit_usec, theirs, their_errors, &ret->pid);
    if (r < 0) {
        ret->pid = 0;
        return r;
    }
    ret->errors.fd = take_fd(&errors);
    client_use(&ours, &ret->client);
    ret->client.aside = &ret->errors;
    return 0;
}

int remote_open(const char *host, const char *path, uint64_t limit_usec, struct remote *ret)
{
    *ret = REMOTE_NONE;
    ret->is_local = strcmp(host, REMOTE_THIS_HOST) == 0;
    if (ret->is_local)
        return client_open(path, limit_usec, &ret->client);
    return open_by_ssh(host, path, limit_usec, ret);
}

/* Waits until ssh has ended, or ends it if it does not do so within the limit. */
static void reap_ssh(struct remote *remote, int limit_msec)
{
    if (remote->pid == 0)
        return;
    _cleanup_fd_ int fd = (int)syscall(SYS_pidfd_open, remote->pid, 0);
    struct pollfd item = {.fd = fd, .events = POLLIN};
    if (fd < 0 || poll(&item, 1, limit_msec) <= 0)
        (void)kill(remote->pid, SIGTERM);
    if (fd < 0 || poll(&item, 1, END_LIMIT_MSEC) <= 0)
        (void)kill(remote->pid, SIGKILL);
    while (waitpid(remote->pid, &remote->status, 0) < 0 && errno == EINTR)
        ;
    remote->pid = 0;
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* What ssh writes with LogLevel DEBUG, also after the reason. */
static bool is_debug_line(const char *line)
{
    return starts_with(line, "debug1: ") || starts_with(line, "debug2: ") ||
           starts_with(line, "debug3: ") || starts_with(line, "Transferred: ") ||
           starts_with(line, "Bytes per second: ");
}

/* The line that says most: the last one, since banners come first. If it was the command that
 * failed, the last of our own program there, after which a hint may come. Changes the text; returns
 * NULL if there is none. */
static const char *find_reason(char *text, bool is_of_ssh)
{
    static const char own[] = "dispatcherctl: ";
    char *rest = text, *line;
    const char *last = NULL, *last_own = NULL;

    while ((line = strsep(&rest, "\n")) != NULL) {
        line = str_trim(line, STR_BLANKS "\r");
        if (starts_with(line, own))
            last_own = line + strlen(own);
        if (line[0] && !is_debug_line(line))
            last = line;
    }
    return last_own && !is_of_ssh ? last_own : last;
}

static void drain_errors(struct remote *remote)
{
    for (unsigned i = 0; i < DRAIN_READS_MAX && tail_read(&remote->errors); i++)
        ;
}

/* ssh has ended, so that all that it said is in the pipe. A process that it left, such as that of
 * ControlPersist, may hold the pipe open. */
static bool read_reason(struct remote *remote, char reason[REMOTE_REASON_MAX])
{
    bool is_of_ssh = WIFEXITED(remote->status) && WEXITSTATUS(remote->status) == SSH_OWN_ERROR;

    drain_errors(remote);
    const char *found = find_reason(tail_text(&remote->errors), is_of_ssh);
    if (!found)
        return false;
    snprintf(reason, REMOTE_REASON_MAX, "%s", found);
    return true;
}

void remote_explain(struct remote *remote, const char *path, int error, uint64_t limit_usec,
                    char reason[REMOTE_REASON_MAX])
{
    bool is_late = error == -ETIMEDOUT || error == -EAGAIN;

    drain_errors(remote);
    /* One that is still waiting is ended at once. */
    reap_ssh(remote, is_late ? 0 : END_LIMIT_MSEC);
    if (error == -ECONNRESET && read_reason(remote, reason))
        ;
    else if (is_late)
        snprintf(reason, REMOTE_REASON_MAX, "no answer within %" PRIu64 " s",
                 limit_usec / USEC_PER_SEC);
    else if (remote->client.fd < 0 && !remote->is_local)
        snprintf(reason, REMOTE_REASON_MAX, "cannot start ssh: %s", strerror(-error));
    else
        explain_failure_text(path, error, reason, REMOTE_REASON_MAX);
    (void)str_make_printable(reason);
}

void remote_close(struct remote *remote)
{
    client_close(&remote->client);
    drain_errors(remote);
    reap_ssh(remote, END_LIMIT_MSEC);
    tail_close(&remote->errors);
}
