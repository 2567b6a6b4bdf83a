/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* dispatcherd --check: prints all that is wrong with the files on standard output. */
#pragma once

/* Returns the exit status. */
int verify(const char *config_file, const char *mapping_file);
