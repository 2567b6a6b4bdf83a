#include "dispatcherd/control_peer.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Groups of one process: the kernel's NGROUPS_MAX is 65536, of which nobody has this many. */
#define GROUPS_MAX 65536

static int read_groups(int fd, struct control_peer *peer)
{
    socklen_t length = 0;

    /* The first call says how much room there must be. */
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

struct control_trust control_trust_default(void)
{
    const struct group *group = getgrnam(DISPATCHER_USER);

    return (struct control_trust){
        .uid = geteuid(),
        .has_group = group != NULL,
        .gid = group ? group->gr_gid : 0,
    };
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
