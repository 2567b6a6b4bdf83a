/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The options of a service as a recording has them. */
#pragma once

#include "config/options.h"
#include "recording/record.h"

/* Numbers that are larger than any pool are cut to 65535. */
struct record_options record_options_of(const struct service_options *options);
