/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The name of a stored connection: all that a successor has to know about it. Dots separate its
 * fields, and none contains a colon: family, port, scope and bytes of an address are hexadecimal.
 */
#pragma once

#include "base/address.h"
#include "base/service_name.h"
#include "dispatcherd/store/store.h"

#include <stdbool.h>
#include <stdint.h>

enum stored_kind {
    STORED_CHECK, /* to be checked anew */
    STORED_WAIT,  /* admitted: to be handed to a worker */
    N_STORED_KINDS
};

/* What the name tells. */
struct stored_name {
    enum stored_kind kind;
    char unit_name[SERVICE_NAME_MAX + 1]; /* of the service */
    uint64_t id;                          /* of the connection */
    bool is_tls;
    struct address peer;
    struct address local;
    uint64_t accepted_at; /* CLOCK_MONOTONIC, in microseconds; of STORED_WAIT */
};

/* Writes "check.1.SERVICE.ID.TLS.PEER.LOCAL", or "wait.1." and the same and ".ACCEPTED". Returns
 * `text`. */
const char *stored_name_format(const struct stored_name *name, char text[STORE_NAME_MAX]);

/* Reads such a name. Returns false if it is none. */
bool stored_name_parse(const char *text, struct stored_name *ret);

/* Whether it is the name of a connection, perhaps one that another version has written. */
bool stored_name_is_ours(const char *text);
