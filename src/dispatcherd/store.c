#include "dispatcherd/store.h"

#include "base/notify_socket.h"
#include "protocol/message.h"

#include <stdio.h>
#include <string.h>

#define RING_SUFFIX ".ring"

const char *store_worker_name(const char *unit_name, unsigned slot, bool has_ring,
                              char name[STORE_NAME_MAX])
{
    snprintf(name, STORE_NAME_MAX, "worker.%d.%.40s.%u%s", PROTOCOL_VERSION, unit_name, slot,
             has_ring ? RING_SUFFIX : "");
    return name;
}

bool store_parse_worker_name(const char *name, unsigned *ret_version, char *unit_name, size_t size,
                             unsigned *ret_slot, bool *ret_has_ring)
{
    char service[STORE_NAME_MAX];
    int end = 0;

    if (strlen(name) >= sizeof(service) ||
        sscanf(name, "worker.%9u.%[^.].%9u%n", ret_version, service, ret_slot, &end) != 3 ||
        strlen(service) >= size)
        return false;
    *ret_has_ring = strcmp(name + end, RING_SUFFIX) == 0;
    if (name[end] != '\0' && !*ret_has_ring)
        return false;
    strcpy(unit_name, service);
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
