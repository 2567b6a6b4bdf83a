/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "protocol/debug.h"

#include <syslog.h>

int debug_bit_priority(uint32_t bit)
{
    switch (bit) {
    case DEBUG_MAIN:
    case DEBUG_CONFIG:
    case DEBUG_MISCELLANEOUS:
    case DEBUG_SERVICE:
    case DEBUG_PROCESS:
    case DEBUG_WORKER:
        return LOG_INFO;
    case DEBUG_REJECTIONS:
        return LOG_NOTICE;
    default:
        return LOG_DEBUG;
    }
}
