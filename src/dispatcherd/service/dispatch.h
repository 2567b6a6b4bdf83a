/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Carries out what the policy decides for a service: hands off connections, starts and retires
 * workers, and accepts as many connections as can be served. */
#pragma once

#include "dispatcherd/core/service.h"

/* Runs until nothing is left to do for now. Called by service_touch() only. */
void dispatch_run(struct service *service);
