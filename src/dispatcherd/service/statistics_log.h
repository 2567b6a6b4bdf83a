/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Logs the statistics of services, if bit 20 of DEBUG asks for them. */
#pragma once

#include "dispatcherd/core/service.h"

/* Logs those of each service that is due: once a minute, while something happens. */
void statistics_log(struct service *const services[], size_t n_services, uint64_t now);
