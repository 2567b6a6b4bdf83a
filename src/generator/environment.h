/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What this host says of the units: the one look at the system behind units.h. */
#pragma once

#include "generator/unit_text.h"

/* For units that come from the file `source_path`, which stays the caller's. */
struct unit_environment unit_environment_here(const char *source_path);
