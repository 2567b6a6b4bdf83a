/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The name servers of the host, from resolv.conf(5), and whether they have changed: DHCP, a VPN or
 * an administrator may rewrite the file at any time. */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

/* MAXNS of resolv.conf(5). */
#define RESOLV_CONF_SERVERS_MAX 3

/* Room for that many with commas between them, and a NUL. */
#define RESOLV_CONF_TEXT_MAX (RESOLV_CONF_SERVERS_MAX * (ADDRESS_TEXT_MAX + 1))

/* What distinguishes one content of the file from another; all zero: none was read. */
struct resolv_conf_mark {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec written_at;
    struct timespec changed_at;
};

/* All zero before its first use, except the path. */
struct resolv_conf {
    const char *path;
    struct resolv_conf_mark mark;
    char servers[RESOLV_CONF_TEXT_MAX]; /* "192.0.2.1:53,[2001:db8::1]:53"; "" before the first use
                                         */
};

/* Writes the name servers in the text; if there is none, the one on this host (resolv.conf(5)). All
 * other lines, and those that cannot be read, are skipped. */
void resolv_conf_parse(const char *text, size_t size, char ret[RESOLV_CONF_TEXT_MAX]);

/* Finds out by one stat(2) whether the file has changed, and reads it if so. Returns 1 if the
 * servers have changed, 0 if not; or a negative errno with the servers as they were, which before
 * the first use are those of this host. Never waits for a FIFO or a device. */
int resolv_conf_refresh(struct resolv_conf *file);
