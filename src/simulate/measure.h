/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What really happened, according to the recording. */
#pragma once

#include "recording/recording.h"
#include "simulate/course.h"

/* Returns 0 with *ret, which the caller frees by course_clear(), or -ENOMEM. */
int measure(const struct recording *recording, const struct recorded_service *service,
            struct course *ret);
