/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The kinds of values in dispatcher.cnf. Each reads, copies, frees and prints its own type of
 * member of struct service_options. */
#pragma once

#include "config/option.h"

extern const struct option_type value_count;      /* unsigned */
extern const struct option_type value_flag;       /* bool: 0 or 1 */
extern const struct option_type value_mask;       /* uint32_t: a debug mask */
extern const struct option_type value_image;      /* char *: absolute path of a program */
extern const struct option_type value_logfile;    /* char *: absolute path with %s */
extern const struct option_type value_recording;  /* char *: absolute path */
extern const struct option_type value_parameters; /* struct str_list */
extern const struct option_type value_name;       /* char *: letters, digits and - _ . */
extern const struct option_type value_servers;    /* struct str_list: name servers with ports */
extern const struct option_type value_stores;     /* struct str_list: stores of a fleet */
extern const struct option_type value_zones;      /* struct str_list: DNS zones */
extern const struct option_type value_ports;      /* struct port_list */
extern const struct option_type value_address;    /* struct address; AF_UNSPEC: not set */
extern const struct option_type value_networks;   /* struct network_list */

/* Adds an error: the reason, or else that a comment must be on a line of its own, if the value
 * looks as if it had one. Returns -EINVAL. */
int value_reject(const struct value_source *source, const char *reason);

/* What all values that are a struct str_list have in common. */
int value_list_copy(const void *from, void *place);
void value_list_clear(void *place);
bool value_list_is_set(const struct option *option, const void *place);
