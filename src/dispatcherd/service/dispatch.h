/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Carries out what the policy decides for a service: hands connections over, starts and retires
 * workers, accepts as much as can be served. */
#pragma once

#include "dispatcherd/core/service.h"

/* Runs until there is nothing left to do for now. Called through service_touch(). */
void dispatch_run(struct service *service);
