/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Starts workers. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Starts a worker in the free slot. A failure is reported, and delays the next start. */
void worker_start(struct service *service, unsigned slot, enum decision_reason reason);
