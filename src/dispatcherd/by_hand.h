/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Advice for a person who types "dispatcherd" to see what happens. */
#pragma once

/* Writes advice to standard error if a person starts the daemon without a configuration file, or as
 * root with the installed one; a service manager does neither. Returns 0 to go on, or an exit
 * status. */
int by_hand_advise(const char *config_file);
