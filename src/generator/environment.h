/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The properties of this host that units depend on; units.h itself does not look at the system. */
#pragma once

#include "generator/unit_text.h"

/* For units that are made from the file `source_path`, which stays the caller's. */
struct unit_environment unit_environment_here(const char *source_path);
