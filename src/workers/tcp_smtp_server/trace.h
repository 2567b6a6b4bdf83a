/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The header lines that delivery adds: Return-Path:, Delivered-To: and Received: (RFC 5321, 4.4).
 */
#pragma once

#include "workers/tcp_smtp_server/envelope.h"
#include "workers/tcp_smtp_server/settings.h"

#include <time.h>

/* Received: holds a few names of at most 255 octets each. */
#define TRACE_RECEIVED_BYTES 2048

/* The Received: lines, with LF line ends. Returns `text`. */
const char *trace_received(char text[TRACE_RECEIVED_BYTES], const struct session_settings *settings,
                           const struct session_peer *peer, const struct client_greeting *greeting,
                           const struct envelope *envelope, time_t now);
