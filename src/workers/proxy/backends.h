/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The servers behind a proxy, in the order in which they are preferred. One that cannot be reached
 * is set aside: after a pause that grows, one client tries it again, and the others with it if that
 * succeeds. */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct backend {
    char *name; /* owned; as BACKEND= has it, with the address if that is another */
    struct sockaddr_storage address;
    socklen_t length;

    /* What is known of it. */
    unsigned n_failures; /* in a row; 0: it is well */
    uint64_t failing_since;
    uint64_t failed_at;
    uint64_t retry_at; /* nobody tries it before */
    int error;         /* of the last failure, positive */
    bool is_reported;
};

struct backends {
    struct backend *items; /* owned */
    size_t n_items;
};

/* Fills `backends` with the addresses of all names; a name may have several. Looks names up, and so
 * may take as long as resolv.conf(5) allows. Returns 0, -ENOMEM, or -EINVAL with *ret_name that has
 * no address, and *ret_why. */
int backends_resolve(struct backends *backends, const struct str_list *names, const char **ret_name,
                     const char **ret_why);
void backends_clear(struct backends *backends);

/* The first one from index `from` on that may be tried now, or n_items. One that failed may not be
 * tried by another before it has failed again, or a pause has passed. */
size_t backends_choose(struct backends *backends, size_t from, uint64_t now);

/* An attempt that began at `began_at` has failed. Returns true if that is to be reported now: it
 * has failed for a while, and was not reported. */
bool backend_failed(struct backend *backend, int error, uint64_t began_at, uint64_t now);

/* It could be reached. Returns true if its failure had been reported. */
bool backend_answered(struct backend *backend);
