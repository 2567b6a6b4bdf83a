/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Who is at the other end of the control socket, and whether he may change anything. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What the kernel shows for a user or group that a user namespace (PrivateUsers=) has no number
 * for: it stands for anybody, so it is never a reason to trust. */
#define CONTROL_OVERFLOW_ID 65534

struct control_peer {
    pid_t pid;
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* n_groups supplementary ones, owned */
    size_t n_groups;
};

/* Who connected, as the kernel saw him then. Returns 0 or a negative errno. */
int control_peer_read(int fd, struct control_peer *ret);

void control_peer_clear(struct control_peer *peer);

/* Who is trusted besides root. */
struct control_trust {
    uid_t uid;      /* the daemon's own user */
    bool has_group; /* there is a group of that name */
    gid_t gid;
};

/* This process's user, and the group DISPATCHER_USER. Asks the user database: not in the loop. */
struct control_trust control_trust_default(void);

/* True if the peer may change things and see clients. Pure. */
bool control_peer_is_trusted(const struct control_peer *peer, const struct control_trust *trust);
