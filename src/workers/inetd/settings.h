/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the service's PARAMETERs say (dispatcher-inetd(8)). */
#pragma once

#include "base/come_back.h"
#include "workers/common/parameters.h"
#include "workers/inetd/command.h"
#include "workers/tls/settings.h"

enum standard_error {
    STANDARD_ERROR_JOURNAL,
    STANDARD_ERROR_SOCKET,
    STANDARD_ERROR_NULL
};

/* Owns its strings. Not changed once sessions run, so all threads share it. */
struct inetd_settings {
    struct command command;
    struct tls_settings tls;
    struct str_list environment; /* "NAME=value" */
    unsigned standard_error;     /* enum standard_error */
    unsigned protocol;           /* 0: that of the port; else enum come_back_protocol + 1 */
    uint64_t timeout_usec;       /* of a session; 0: none */
    uint64_t linger_usec;        /* of a program whose connection is closed */
    uint64_t max_processes;      /* of a session */
};

extern const struct parameter_table inetd_parameters;

void inetd_settings_init(struct inetd_settings *settings);
void inetd_settings_clear(struct inetd_settings *settings);
