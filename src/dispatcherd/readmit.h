/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The connections that a predecessor left in the store while their checks waited (checks_store.h):
 * they are checked anew, as if they had just come. */
#pragma once

#include "dispatcherd/core/service.h"
#include "dispatcherd/store/passed.h"

/* Takes them all from `passed`. One whose service is no more is closed. Returns how many may still
 * come in. */
unsigned readmit_checks(struct service *const services[], size_t n_services, struct passed *passed);
