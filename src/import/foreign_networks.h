/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The ways in which xinetd.conf(5) writes hosts and networks. */
#pragma once

#include "import/forms.h"

/* Adds what the word stands for to the list, as networks in the form of dispatcher.cnf:
 *   192.0.2.7  192.0.2.0 (zeros at the end are wildcards)  192.0.2.0/24  192.0.2 (a prefix)
 *   192.0.2.{0,1,3} (0 is no wildcard there)  2001:db8::/32
 * Returns whether it is one of these; names of hosts and of networks are not. */
bool foreign_network_add(struct importing *importing, const char *word, struct str_list *ret);
