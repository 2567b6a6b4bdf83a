/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The PARAMETERs of dispatcher-pass(8). */
#pragma once

#include "workers/common/parameters.h"

enum pass_format {
    PASS_FORMAT_POSTFIX, /* what the service type "pass" of Postfix takes (master(5)) */
    PASS_FORMAT_BYTE,    /* one byte, with the descriptor */
};

struct pass_settings {
    char *to;              /* owned: path of a listening Unix socket */
    unsigned format;       /* enum pass_format */
    uint64_t timeout_usec; /* from accept until another program has the connection */
};

extern const struct parameter_table pass_parameters;

void pass_settings_init(struct pass_settings *settings);
void pass_settings_clear(struct pass_settings *settings);
