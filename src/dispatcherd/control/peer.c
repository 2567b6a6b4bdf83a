/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control/peer.h"

#include "base/macro.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More supplementary groups than any process has; the kernel's NGROUPS_MAX. */
#define GROUPS_MAX 65536

static int read_groups(int fd, struct control_peer *peer)
{
    socklen_t length = 0;

    /* The first call returns the size. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &length) == 0)
        return 0;
    if (errno != ERANGE)
        return -errno;
    if (length > GROUPS_MAX * sizeof(gid_t))
        return -E2BIG;
    gid_t *groups = malloc(length);
    if (!groups)
        return -ENOMEM;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0) {
        int r = -errno;
        free(groups);
        return r;
    }
    peer->groups = groups;
    peer->n_groups = length / sizeof(gid_t);
    return 0;
}

int control_peer_read(int fd, struct control_peer *ret)
{
    struct ucred credentials;
    socklen_t length = sizeof(credentials);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
        return -errno;
    struct control_peer peer = {
        .pid = credentials.pid,
        .uid = credentials.uid,
        .gid = credentials.gid,
    };
    int r = read_groups(fd, &peer);
    if (r < 0)
        return r;
    *ret = peer;
    return 0;
}

void control_peer_clear(struct control_peer *peer)
{
    free(peer->groups);
    *peer = (struct control_peer){0};
}

/* Room for an entry of /etc/group. At a longer entry, getgrnam() takes over. */
#define GROUP_BYTES_MAX 16384

static void close_stream(FILE **stream)
{
    if (*stream)
        fclose(*stream);
}

/* Looks into the file that systemd-sysusers(8) writes before it calls getgrnam(), which loads the
 * modules of nsswitch.conf: glibc ends the process if it has no memory for them. */
static bool find_group(gid_t *ret)
{
    _cleanup_(close_stream) FILE *stream = fopen("/etc/group", "re");
    char text[GROUP_BYTES_MAX];
    struct group entry, *group;

    while (stream && fgetgrent_r(stream, &entry, text, sizeof(text), &group) == 0)
        if (strcmp(entry.gr_name, DISPATCHER_USER) == 0) {
            *ret = entry.gr_gid;
            return true;
        }
    group = getgrnam(DISPATCHER_USER);
    if (group)
        *ret = group->gr_gid;
    return group != NULL;
}

struct control_trust control_trust_default(void)
{
    struct control_trust trust = {.uid = geteuid()};

    trust.has_group = find_group(&trust.gid);
    return trust;
}

static bool is_in_group(const struct control_peer *peer, gid_t gid)
{
    if (peer->gid == gid)
        return true;
    for (size_t i = 0; i < peer->n_groups; i++)
        if (peer->groups[i] == gid)
            return true;
    return false;
}

bool control_peer_is_trusted(const struct control_peer *peer, const struct control_trust *trust)
{
    if (peer->uid == 0)
        return true;
    if (peer->uid == trust->uid && peer->uid != CONTROL_OVERFLOW_ID)
        return true;
    return trust->has_group && trust->gid != CONTROL_OVERFLOW_ID && is_in_group(peer, trust->gid);
}
