#include "dispatcherd/store.h"

#include "base/notify_socket.h"
#include "protocol/message.h"

#include <stdio.h>
#include <string.h>

#define RING_SUFFIX ".ring"
#define STOP_SUFFIX ".stop"
#define LOG_SUFFIX  ".log"

const char *store_worker_name(const struct store_worker *worker, char name[STORE_NAME_MAX])
{
    snprintf(name, STORE_NAME_MAX, "worker.%d.%.40s.%u%s%s%s", PROTOCOL_VERSION, worker->unit_name,
             worker->slot, worker->has_ring ? RING_SUFFIX : "",
             worker->knows_stop ? STOP_SUFFIX : "", worker->knows_log ? LOG_SUFFIX : "");
    return name;
}

/* Moves *at behind the suffix if it stands there. */
static bool take_suffix(const char **at, const char *suffix)
{
    size_t length = strlen(suffix);

    if (strncmp(*at, suffix, length) != 0)
        return false;
    *at += length;
    return true;
}

bool store_parse_worker_name(const char *name, struct store_worker *ret)
{
    struct store_worker worker = {0};
    char service[STORE_NAME_MAX];
    int end = 0;

    if (strlen(name) >= sizeof(service) ||
        sscanf(name, "worker.%9u.%[^.].%9u%n", &worker.version, service, &worker.slot, &end) != 3 ||
        strlen(service) >= sizeof(worker.unit_name))
        return false;
    const char *at = name + end;
    worker.has_ring = take_suffix(&at, RING_SUFFIX);
    worker.knows_stop = take_suffix(&at, STOP_SUFFIX);
    worker.knows_log = take_suffix(&at, LOG_SUFFIX);
    if (*at != '\0')
        return false;
    strcpy(worker.unit_name, service);
    *ret = worker;
    return true;
}

int store_add(const char *name, int fd)
{
    char state[STORE_NAME_MAX + 32];

    snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s", name);
    return notify_socket_send(state, fd);
}

int store_remove(const char *name)
{
    char state[STORE_NAME_MAX + 32];

    snprintf(state, sizeof(state), "FDSTOREREMOVE=1\nFDNAME=%s", name);
    return notify_socket_send(state, -1);
}
