/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The bits of the DEBUG mask (dispatcherd-journal(7)), which dispatcherd and its workers share by
 * MESSAGE_DEBUG and the welcome. */
#pragma once

#include <stdint.h>

#define DEBUG_MAIN             0x00000001u /* main module */
#define DEBUG_MAIN_EXTRA       0x00000002u
#define DEBUG_CONFIG           0x00000004u /* configuration file */
#define DEBUG_MISCELLANEOUS    0x00000008u
#define DEBUG_SERVICE          0x00000010u /* services */
#define DEBUG_SERVICE_EXTRA    0x00000020u
#define DEBUG_PROCESS          0x00000040u /* workers created, exited, retired */
#define DEBUG_CHANNEL          0x00000100u /* communication with workers */
#define DEBUG_CHANNEL_EXTRA    0x00000200u
#define DEBUG_CHANNEL_PACKETS  0x00000400u
#define DEBUG_WORKER           0x00001000u /* in the worker */
#define DEBUG_WORKER_EXTRA     0x00002000u
#define DEBUG_WORKER_HANDOFFS  0x00004000u
#define DEBUG_WORKER_IO        0x00010000u
#define DEBUG_WORKER_IO_EXTRA  0x00020000u
#define DEBUG_STATISTICS       0x00100000u
#define DEBUG_STATISTICS_EXTRA 0x00200000u
#define DEBUG_REJECTIONS       0x01000000u

/* The priority (syslog(3)) of lines that the bit switches on. */
int debug_bit_priority(uint32_t bit);
