/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The birth of a worker. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Starts a worker in the free slot. A failure is told, and delays the next start. */
void worker_start(struct service *service, unsigned slot, enum decision_reason reason);
