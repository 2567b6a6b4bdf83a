/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The name servers of the host, as resolv.conf(5) names them, and whether they have changed: DHCP,
 * a VPN or an administrator rewrites the file while we run. */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

/* resolv.conf(5), MAXNS. */
#define RESOLV_CONF_SERVERS_MAX 3

/* Room for them with commas between, and a NUL. */
#define RESOLV_CONF_TEXT_MAX (RESOLV_CONF_SERVERS_MAX * (ADDRESS_TEXT_MAX + 1))

/* What of the file tells one content from another; all zero: none was read. */
struct resolv_conf_mark {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec written_at;
    struct timespec changed_at;
};

/* All zero but the path before its first use. */
struct resolv_conf {
    const char *path;
    struct resolv_conf_mark mark;
    char servers[RESOLV_CONF_TEXT_MAX]; /* "192.0.2.1:53,[2001:db8::1]:53"; "" before the first use
                                         */
};

/* Writes the name servers of the text; without any, the one of this host: resolv.conf(5). Lines
 * that say nothing about them, or nothing that can be read, are skipped. */
void resolv_conf_parse(const char *text, size_t size, char ret[RESOLV_CONF_TEXT_MAX]);

/* Looks whether the file has changed, at the cost of one stat(2), and reads it if so. Returns 1 if
 * the servers are others now, 0 if not; or a negative errno with the servers as they were, which
 * for the first time are that of this host. Never waits for a FIFO or a device. */
int resolv_conf_refresh(struct resolv_conf *file);
