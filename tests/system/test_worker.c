/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The worker of the system tests: does what the client says, one command a line.
 *
 *   pid              the worker's process
 *   id, peer, local  of this connection; addresses as HOST PORT
 *   tls              "yes" where it came to a TLS_PORT
 *   service, slot, parameter N, value NAME, host   what the worker was told
 *   draining         "yes" once it takes no more connections
 *   echo TEXT        TEXT
 *   log TEXT         "logged", after TEXT was written to standard error
 *   sleep SECONDS    "slept", after that time
 *   eat MEGABYTES    "eaten", with so much memory more in use
 *   hold             nothing until the client has closed
 *   quit             "bye", and the connection is closed
 *   exit STATUS, crash  ends the process, in an orderly way (0 where no status is given) or not
 *
 * Each answer is one line. Nothing is said unasked, so that a client can tell whether it is served.
 *
 * PARAMETERs: FAIL=1 makes the start fail; START_DELAY=MILLISECONDS makes it slow;
 * SESSION_MEMORY=MEGABYTES is in use as long as a session lasts. */
#include "base/macro.h"
#include "dispatcher/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 1024
};

/* One client, and the line that it sent last. */
struct client {
    dispatcher_connection *connection;
    FILE *input;
    const char *argument; /* "" where the command has none */
};

static dispatcher_worker *worker_of(const struct client *client)
{
    return dispatcher_connection_worker(client->connection);
}

static void answer_text(struct client *client, const char *text)
{
    dprintf(dispatcher_connection_fd(client->connection), "%s\n", text ? text : "none");
}

static void answer_pid(struct client *client)
{
    dprintf(dispatcher_connection_fd(client->connection), "%d\n", (int)getpid());
}

static void answer_id(struct client *client)
{
    answer_text(client, dispatcher_connection_id(client->connection));
}

static void answer_peer(struct client *client)
{
    dprintf(dispatcher_connection_fd(client->connection), "%s %u\n",
            dispatcher_connection_peer_host(client->connection),
            dispatcher_connection_peer_port(client->connection));
}

static void answer_local(struct client *client)
{
    dprintf(dispatcher_connection_fd(client->connection), "%s %u\n",
            dispatcher_connection_local_host(client->connection),
            dispatcher_connection_local_port(client->connection));
}

static void answer_tls(struct client *client)
{
    answer_text(client, dispatcher_connection_is_tls(client->connection) ? "yes" : "no");
}

static void answer_service(struct client *client)
{
    answer_text(client, dispatcher_worker_service(worker_of(client)));
}

static void answer_slot(struct client *client)
{
    dprintf(dispatcher_connection_fd(client->connection), "%u\n",
            dispatcher_worker_slot(worker_of(client)));
}

static void answer_parameter(struct client *client)
{
    size_t index = strtoul(client->argument, NULL, 10);

    answer_text(client, dispatcher_worker_parameter(worker_of(client), index));
}

static void answer_value(struct client *client)
{
    answer_text(client, dispatcher_worker_parameter_value(worker_of(client), client->argument));
}

static void answer_host(struct client *client)
{
    answer_text(client, dispatcher_worker_host_name(worker_of(client)));
}

static void answer_draining(struct client *client)
{
    answer_text(client, dispatcher_worker_is_draining(worker_of(client)) ? "yes" : "no");
}

static void answer_echo(struct client *client)
{
    answer_text(client, client->argument);
}

static void answer_log(struct client *client)
{
    fprintf(stderr, "%s\n", client->argument);
    answer_text(client, "logged");
}

static void answer_sleep(struct client *client)
{
    usleep((useconds_t)(strtod(client->argument, NULL) * 1e6));
    answer_text(client, "slept");
}

static void answer_eat(struct client *client)
{
    size_t size = strtoul(client->argument, NULL, 10) << 20;
    char *memory = malloc(size);

    /* Each page, and nothing that could be shared or left out. */
    for (size_t i = 0; memory && i < size; i += 1024)
        memory[i] = (char)(i >> 10 | 1);
    answer_text(client, memory ? "eaten" : "none");
}

static void answer_hold(struct client *client)
{
    while (fgetc(client->input) != EOF)
        ;
}

static void answer_exit(struct client *client)
{
    _exit((int)strtoul(client->argument, NULL, 10));
}

static void answer_crash(_unused_ struct client *client)
{
    raise(SIGKILL);
}

static const struct command {
    const char *name;
    void (*answer)(struct client *client);
} commands[] = {
    {"pid", answer_pid},           {"id", answer_id},
    {"peer", answer_peer},         {"local", answer_local},
    {"tls", answer_tls},           {"service", answer_service},
    {"slot", answer_slot},         {"parameter", answer_parameter},
    {"value", answer_value},       {"host", answer_host},
    {"draining", answer_draining}, {"echo", answer_echo},
    {"log", answer_log},           {"sleep", answer_sleep},
    {"eat", answer_eat},           {"hold", answer_hold},
    {"exit", answer_exit},         {"crash", answer_crash},
};

/* Returns false where the session is over. */
static bool answer(struct client *client, char *line)
{
    line[strcspn(line, "\r\n")] = '\0';
    char *blank = strchr(line, ' ');

    client->argument = blank ? blank + 1 : "";
    if (blank)
        *blank = '\0';
    if (strcmp(line, "quit") == 0) {
        answer_text(client, "bye");
        return false;
    }
    for (size_t i = 0; i < ELEMENTSOF(commands); i++)
        if (strcmp(line, commands[i].name) == 0) {
            commands[i].answer(client);
            return true;
        }
    answer_text(client, "unknown command");
    return true;
}

static void serve_lines(dispatcher_connection *connection)
{
    char line[LINE_MAX_BYTES];
    struct client client = {.connection = connection,
                            .input = fdopen(dup(dispatcher_connection_fd(connection)), "r")};

    if (!client.input)
        return;
    while (fgets(line, sizeof(line), client.input) && answer(&client, line))
        ;
    fclose(client.input);
}

static void serve(dispatcher_connection *connection, _unused_ void *userdata)
{
    const char *megabytes = dispatcher_worker_parameter_value(
        dispatcher_connection_worker(connection), "SESSION_MEMORY");
    size_t size = megabytes ? strtoul(megabytes, NULL, 10) << 20 : 0;
    char *memory = MAP_FAILED;

    /* Not of malloc(3), which might keep it for the next session. */
    if (size > 0)
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    serve_lines(connection);
    if (memory != MAP_FAILED)
        munmap(memory, size);
}

static int start(dispatcher_worker *worker, _unused_ void *userdata)
{
    const char *delay = dispatcher_worker_parameter_value(worker, "START_DELAY");

    if (dispatcher_worker_parameter_value(worker, "FAIL")) {
        fprintf(stderr, "told to fail by its PARAMETER\n");
        return -EINVAL;
    }
    if (delay)
        poll(NULL, 0, atoi(delay));
    return 0;
}

int main(void)
{
    static const struct dispatcher_worker_callbacks callbacks = {.start = start, .serve = serve};

    return dispatcher_worker_run(&callbacks, NULL) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
