/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Who is at the other end of the control socket, and whether that user may change anything. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What the kernel shows for a user or group that has no number in our user namespace
 * (PrivateUsers=). It may be anybody, so it is never trusted. */
#define CONTROL_OVERFLOW_ID 65534

struct control_peer {
    pid_t pid;
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* n_groups supplementary ones, owned */
    size_t n_groups;
};

/* The peer's credentials when it connected. Returns 0 or a negative errno. */
int control_peer_read(int fd, struct control_peer *ret);

void control_peer_clear(struct control_peer *peer);

/* Who is trusted apart from root. */
struct control_trust {
    uid_t uid;      /* the daemon's own user */
    bool has_group; /* the group DISPATCHER_USER exists */
    gid_t gid;
};

/* This process's user, and the group DISPATCHER_USER. Reads the user database, so it must not be
 * called from the loop. */
struct control_trust control_trust_default(void);

/* True if the peer may change things and see clients. Pure. */
bool control_peer_is_trusted(const struct control_peer *peer, const struct control_trust *trust);
