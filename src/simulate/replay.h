/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Replays what a recording has of a service, in simulated time, with the daemon's own decisions:
 * pool/policy.h, access/addresses.h and access/throttle.h. Only what is outside of the daemon is
 * simulated: clients arrive when they did, checks and sessions last as long as they did, workers
 * start and end as fast as they did.
 *
 * Pure: no clock, no file. The kernel's queue has no limit here, hand-offs are acknowledged at
 * once, and no worker dies. */
#pragma once

#include "recording/recording.h"
#include "simulate/course.h"
#include "simulate/settings.h"

/* Returns 0 with *ret, which the caller frees by course_clear(), -ENOMEM, or -E2BIG if
 * more would happen than any real recording leads to. */
int replay(const struct recording *recording, const struct recorded_service *service,
           const struct settings *settings, struct course *ret);
