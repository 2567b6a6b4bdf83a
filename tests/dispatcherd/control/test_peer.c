/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Who is trusted at the control socket. */
#include "base/fd.h"
#include "base/macro.h"
#include "dispatcherd/control/peer.h"
#include "support/suite.h"

#include <sys/socket.h>
#include <unistd.h>

#define NOBODY 65534

START_TEST(test_trusts_root_its_user_and_its_group)
{
    static const struct control_trust usual = {.uid = 500, .has_group = true, .gid = 600};
    static const struct control_trust without_group = {.uid = 500};
    static const struct control_trust as_nobody = {.uid = NOBODY, .has_group = true, .gid = NOBODY};
    static gid_t member[] = {1, 600}, other[] = {1, 601}, in_root[] = {0}, unmapped[] = {NOBODY};
    static const struct {
        const char *who;
        const struct control_trust *trust;
        struct control_peer peer;
        bool is_trusted;
    } cases[] = {
        {"root", &usual, {.uid = 0, .gid = 0}, true},
        {"the daemon's user", &usual, {.uid = 500, .gid = 1}, true},
        {"primary group", &usual, {.uid = 1000, .gid = 600}, true},
        {"member", &usual, {.uid = 1000, .gid = 1, .groups = member, .n_groups = 2}, true},
        {"no member", &usual, {.uid = 1000, .gid = 1, .groups = other, .n_groups = 2}, false},
        {"no groups", &usual, {.uid = 1000, .gid = 1000}, false},
        {"uid of the group's number", &usual, {.uid = 600, .gid = 1000}, false},
        {"no such group: gid 0", &without_group, {.uid = 1000, .gid = 0}, false},
        {"no such group: member of 0",
         &without_group,
         {.uid = 1000, .gid = 1, .groups = in_root, .n_groups = 1},
         false},
        {"no such group: root", &without_group, {.uid = 0, .gid = 0}, true},
        {"uid without a number here", &as_nobody, {.uid = NOBODY, .gid = 1}, false},
        {"gid without a number here", &as_nobody, {.uid = 1000, .gid = NOBODY}, false},
        {"group without a number here",
         &as_nobody,
         {.uid = 1000, .gid = 1, .groups = unmapped, .n_groups = 1},
         false},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        ck_assert_msg(control_peer_is_trusted(&cases[i].peer, cases[i].trust) ==
                          cases[i].is_trusted,
                      "%s", cases[i].who);
}
END_TEST

START_TEST(test_reads_what_the_kernel_says)
{
    struct control_peer peer;
    gid_t groups[256];
    int ends[2];

    int n_groups = getgroups(ELEMENTSOF(groups), groups);
    ck_assert_int_ge(n_groups, 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    _cleanup_fd_ int one = ends[0], other = ends[1];
    ck_assert_int_eq(control_peer_read(one, &peer), 0);
    ck_assert_int_eq(peer.pid, getpid());
    ck_assert_uint_eq(peer.uid, geteuid());
    ck_assert_uint_eq(peer.gid, getegid());
    ck_assert_uint_eq(peer.n_groups, (size_t)n_groups);
    for (int i = 0; i < n_groups; i++)
        ck_assert_uint_eq(peer.groups[i], groups[i]);
    control_peer_clear(&peer);
    (void)other;
}
END_TEST

SUITE("control_peer", NULL, NULL, test_trusts_root_its_user_and_its_group,
      test_reads_what_the_kernel_says)
