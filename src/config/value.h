/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The kinds of values that dispatcher.cnf knows. Each reads, copies, frees and prints its own
 * member of struct service_options. */
#pragma once

#include "config/option.h"

extern const struct option_type value_count;      /* unsigned */
extern const struct option_type value_flag;       /* bool: 0 or 1 */
extern const struct option_type value_mask;       /* uint32_t: a debug mask */
extern const struct option_type value_image;      /* char *: absolute path of a program */
extern const struct option_type value_logfile;    /* char *: absolute path with %s */
extern const struct option_type value_parameters; /* struct str_list */
extern const struct option_type value_servers;    /* struct str_list: name servers with ports */
extern const struct option_type value_zones;      /* struct str_list: DNS zones */
extern const struct option_type value_ports;      /* struct port_list */
extern const struct option_type value_address;    /* struct address; AF_UNSPEC: not set */
extern const struct option_type value_networks;   /* struct network_list */
