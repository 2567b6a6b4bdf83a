/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The PARAMETERs of a proxy (dispatcher-proxy(8)). */
#pragma once

#include "base/come_back.h"
#include "base/str.h"
#include "workers/common/parameters.h"
#include "workers/proxy/header.h"
#include "workers/tls/settings.h"

#include <stdint.h>

/* More would not be tried in a time that a client waits. */
#define BACKENDS_MAX 16

struct settings {
    struct str_list backends; /* as they are written; at least one */
    unsigned version;         /* enum header_version */
    unsigned protocol;        /* index of the table's choices; 0: that of the client's port */
    struct tls_settings tls;
    uint64_t connect_timeout_usec;
    uint64_t stall_timeout_usec;
};

extern const struct parameter_table settings_table;

/* The defaults. To be freed by settings_clear(). */
struct settings settings_init(void);
void settings_clear(struct settings *settings);

/* In whose words a client is told to come back that came to this port. */
enum come_back_protocol settings_protocol(const struct settings *settings, uint16_t port);

/* Splits "host:port", "[::1]:port" or a name in place of the host. Returns false if it is none of
 * these. */
bool settings_split(const char *backend, char host[256], char port[6]);
