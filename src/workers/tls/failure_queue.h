/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#pragma once

#include "workers/tls/failure.h"

/* What OpenSSL's queue of errors says of a handshake that failed; empties the queue. */
enum tls_failure tls_failure_of_queue(void);
