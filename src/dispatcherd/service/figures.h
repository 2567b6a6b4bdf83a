/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The figures of services as lines of the log, if bit 20 of DEBUG asks for them. */
#pragma once

#include "dispatcherd/core/service.h"

/* Tells those of each service whose turn it is: once a minute, while something happens. */
void figures_tell(struct service *const services[], size_t n_services, uint64_t now);
